//! JSON records: one parse, then tables cut from its index.

use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, StringArray, StringViewArray, UInt8Array, UInt64Array};
use arrow_buffer::Buffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::capsule::{Column, Frame};
use super::job;
use super::mapped::Mapped;
use crate::error::{Error, Result};
use crate::json::{self, Index, Layout, Reject, Source};
use crate::parallel::{Control, map};

/// Bytes that are read before a worker would have started.
const SMALL: usize = 1 << 16;

fn run<T: Send>(
    py: Python<'_>,
    small: bool,
    progress: Option<Py<PyAny>>,
    kernel: impl FnOnce(&Control) -> Result<T> + Send,
) -> PyResult<T> {
    if small && progress.is_none() { job::inline(py, kernel) } else { job::run(py, progress, kernel) }
}

/// The bytes of a Python object, which lives as long as they are used.
fn shared(bytes: PyBackedBytes) -> Buffer {
    let (start, length) = (NonNull::from(bytes.as_ref()).cast(), bytes.len());
    // SAFETY: the bytes are immutable and stay where they are until their owner, which goes with them, is dropped.
    unsafe { Buffer::from_custom_allocation(start, length, Arc::new(AssertUnwindSafe(bytes))) }
}

/// The records of one file (or list, or column of texts).
#[pyclass(frozen, module = "tunesmith.core._native")]
struct JsonIndex {
    source: Buffer,
    index: Index,
    layout: Layout,
    /// Per row of the column that `parse_json` took: where its text starts in `source`.
    starts: Option<Vec<u64>>,
    /// Bytes of the file before `source`.
    offset: u64,
    /// Whether someone else may write into `source`.
    mapped: bool,
}

impl JsonIndex {
    fn new(source: Buffer, index: Index) -> Self {
        Self { source, index, layout: Layout::Lines, starts: None, offset: 0, mapped: false }
    }
}

/// A file's records, block by block, of bytes that come in chunks.
#[pyclass(frozen, module = "tunesmith.core._native")]
struct JsonStream {
    stream: Mutex<json::Stream>,
}

#[pymethods]
impl JsonStream {
    #[new]
    fn new() -> Self {
        Self { stream: Mutex::default() }
    }

    /// Take the next chunk, give the records that end in it.
    fn push(&self, py: Python<'_>, chunk: PyBackedBytes, last: bool) -> PyResult<JsonIndex> {
        let push = |control: &Control| {
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            stream.push(&chunk, last, control).map(|block| (block, stream.layout()))
        };
        let (block, layout) = run(py, chunk.len() <= SMALL, None, push)?;
        Ok(JsonIndex { layout, offset: block.offset, ..JsonIndex::new(block.bytes.into(), block.index) })
    }
}

/// The same of a file on disk.
#[pyclass(frozen, module = "tunesmith.core._native")]
struct JsonWindows {
    file: Mapped,
    windows: Mutex<json::Windows>,
}

#[pymethods]
impl JsonWindows {
    #[new]
    fn new(path: std::path::PathBuf) -> PyResult<Self> {
        Ok(Self { file: Mapped::open(&path)?, windows: Mutex::default() })
    }

    /// Give the records of the next `size` bytes; nothing at the end of the file.
    fn next(&self, py: Python<'_>, size: usize) -> PyResult<Option<JsonIndex>> {
        let next = |control: &Control| {
            let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(windows.next(self.file.bytes(), size, control)?.map(|(window, index)| (window, index, windows.layout())))
        };
        Ok(job::run(py, None, next)?.map(|(window, index, layout)| {
            self.file.pass(window.start);
            let source = self.file.bytes().slice_with_length(window.start, window.len());
            JsonIndex { layout, offset: window.start as u64, mapped: true, ..JsonIndex::new(source, index) }
        }))
    }
}

#[pyfunction]
#[pyo3(signature = (bytes, progress = None))]
fn json_read(py: Python<'_>, bytes: PyBackedBytes, progress: Option<Py<PyAny>>) -> PyResult<JsonIndex> {
    index(py, shared(bytes), progress)
}

#[pyfunction]
#[pyo3(signature = (path, mapped = false, progress = None))]
fn json_open(py: Python<'_>, path: std::path::PathBuf, mapped: bool, progress: Option<Py<PyAny>>) -> PyResult<JsonIndex> {
    let failed = |error| Error::Input(format!("{}: cannot be read: {error}", path.display()));
    if mapped && std::fs::metadata(&path).map_err(failed)?.len() > SMALL as u64 {
        let file = Mapped::open(&path)?;
        return Ok(JsonIndex { mapped, ..index(py, file.bytes().clone(), progress)? });
    }
    let read = |_: &_| std::fs::read(&path).map_err(failed);
    let bytes = job::inline(py, read)?;
    index(py, bytes.into(), progress)
}

fn index(py: Python<'_>, source: Buffer, progress: Option<Py<PyAny>>) -> PyResult<JsonIndex> {
    let (index, layout) = run(py, source.len() <= SMALL, progress, |control| json::read(&source, control))?;
    Ok(JsonIndex { layout, ..JsonIndex::new(source, index) })
}

#[pyfunction]
#[pyo3(signature = (texts, progress = None))]
fn json_parse(py: Python<'_>, texts: Column, progress: Option<Py<PyAny>>) -> PyResult<JsonIndex> {
    let texts = texts.texts()?;
    let (mut bytes, mut spans) = (Vec::with_capacity(texts.iter().flatten().map(|text| text.len()).sum()), Vec::with_capacity(texts.len()));
    let mut starts = Vec::with_capacity(texts.len());
    for text in texts {
        let start = bytes.len();
        starts.push(start as u64);
        bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
        spans.push(text.map(|text| (start, start + text.len())));
    }
    let index = run(py, bytes.len() <= SMALL, progress, |control| json::parse_each(&bytes, &spans, control))?;
    Ok(JsonIndex { starts: Some(starts), ..JsonIndex::new(bytes.into(), index) })
}

/// Each text's value as Python's json writes it; null for null, and for what is left to Python.
#[pyfunction]
#[pyo3(signature = (texts, progress = None))]
fn json_dumped(py: Python<'_>, texts: Column, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    each(py, &texts, progress, json::dumped)
}

/// Each text's calls as a list of OpenAI's tool calls; null as above.
#[pyfunction]
#[pyo3(signature = (texts, progress = None))]
fn json_calls(py: Python<'_>, texts: Column, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    each(py, &texts, progress, json::calls)
}

/// Texts of one worker's piece.
const GRAIN: usize = 1 << 10;

fn each(py: Python<'_>, texts: &Column, progress: Option<Py<PyAny>>, of: fn(&str) -> Option<String>) -> PyResult<Frame> {
    let texts = texts.texts()?;
    let made = job::run(py, progress, |control| {
        map(texts.len().div_ceil(GRAIN), |k| {
            control.check()?;
            let texts = &texts[k * GRAIN..texts.len().min((k + 1) * GRAIN)];
            control.advance(texts.len());
            Ok(texts.iter().map(|text| text.and_then(of)).collect::<Vec<_>>())
        })
    })?;
    Frame::new(vec![("texts", Arc::new(StringViewArray::from_iter(made.into_iter().flatten())))])
}

fn u64s(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

impl JsonIndex {
    /// Offset of a byte of the source as its owner counts it: in the file, or in the row's text.
    fn byte(&self, record: u64, at: usize) -> u64 {
        let start = self.starts.as_ref().and_then(|starts| starts.get(usize::try_from(record).ok()?)).copied();
        self.offset + at as u64 - start.unwrap_or(0)
    }

    fn held(&self, share: bool) -> Source {
        if self.mapped {
            Source::Foreign
        } else if share {
            Source::Shared
        } else {
            Source::Copied
        }
    }
}

/// Each a table of its own: a field may be called what no Arrow column can (a NUL in its name), so Python names the columns.
fn frames(columns: impl IntoIterator<Item = ArrayRef>) -> PyResult<Vec<Frame>> {
    columns.into_iter().map(|column| Frame::new(vec![("values", column)])).collect()
}

fn borrowed(fields: &[String]) -> Vec<&str> {
    fields.iter().map(String::as_str).collect()
}

#[pymethods]
impl JsonIndex {
    fn __len__(&self) -> usize {
        self.index.records.len()
    }

    #[getter]
    fn layout(&self) -> &'static str {
        match self.layout {
            Layout::Array => "array",
            Layout::Lines => "lines",
            Layout::Empty => "empty",
        }
    }

    #[getter]
    fn nul(&self) -> bool {
        self.index.nul
    }

    /// record, item, line, byte of every readable object.
    fn frame(&self) -> PyResult<Frame> {
        let records = || self.index.records.iter();
        Frame::new(vec![
            ("record", u64s(records().map(|record| record.record))),
            ("item", u64s(records().map(|record| record.item))),
            ("line", u64s(records().map(|record| record.line))),
            ("byte", u64s(records().map(|record| self.byte(record.record, record.start)))),
        ])
    }

    /// Everything that is no readable object.
    fn rejects(&self) -> PyResult<Frame> {
        let rejects = || self.index.rejects.iter();
        let text =
            |of: &dyn Fn(&Reject) -> String| -> ArrayRef { Arc::new(rejects().map(|reject| Some(of(reject))).collect::<StringArray>()) };
        let raw = |reject: &Reject| String::from_utf8_lossy(&self.source[reject.start..reject.end]).into_owned();
        let field: ArrayRef = Arc::new(rejects().map(|reject| reject.field.clone()).collect::<StringArray>());
        Frame::new(vec![
            ("record", u64s(rejects().map(|reject| reject.record))),
            ("item", u64s(rejects().map(|reject| reject.item))),
            ("line", u64s(rejects().map(|reject| reject.line))),
            ("byte", u64s(rejects().map(|reject| self.byte(reject.record, reject.start)))),
            ("field", field),
            ("code", text(&|reject| reject.code.to_owned())),
            ("found", text(&|reject| reject.found.clone())),
            ("expected", text(&|reject| reject.expected.to_owned())),
            ("raw", text(&raw)),
        ])
    }

    /// key, type, count.
    fn keys(&self) -> PyResult<Frame> {
        let counts = json::count_keys(&self.index);
        let key: ArrayRef = Arc::new(counts.iter().map(|(key, _, _)| Some(*key)).collect::<StringArray>());
        let kind: ArrayRef = Arc::new(counts.iter().map(|(_, kind, _)| Some(kind.name())).collect::<StringArray>());
        Frame::new(vec![("key", key), ("type", kind), ("count", u64s(counts.iter().map(|(_, _, count)| *count)))])
    }

    fn raw(&self, py: Python<'_>) -> PyResult<Frame> {
        let bytes = &self.source;
        let raw = job::inline(py, |_| {
            let mut column = StringViewBuilder::new().with_fixed_block_size(1 << 21);
            for record in &self.index.records {
                let text = std::str::from_utf8(&bytes[record.start..record.end]).map_err(|_| json::changed())?;
                column.append_value(text);
            }
            Ok(column.finish())
        })?;
        Frame::new(vec![("raw", Arc::new(raw))])
    }

    /// The records of more than `size` bytes.
    fn longer(&self, size: usize) -> Vec<usize> {
        let records = self.index.records.iter().enumerate();
        records.filter(|(_, record)| record.end - record.start > size).map(|(row, _)| row).collect()
    }

    fn texts(&self, py: Python<'_>, fields: Vec<String>, share: bool) -> PyResult<Vec<Frame>> {
        let small = self.source.len() <= SMALL;
        let texts = run(py, small, None, |control| json::texts(&self.source, &self.index, &borrowed(&fields), self.held(share), control))?;
        frames(texts.into_iter().map(|texts| Arc::new(texts) as ArrayRef))
    }

    /// Codes into `json::Kind::NAMES`.
    fn types(&self, py: Python<'_>, fields: Vec<String>) -> PyResult<Vec<Frame>> {
        let types = job::inline(py, |_| Ok(json::types(&self.index, &borrowed(&fields))))?;
        frames(types.into_iter().map(|codes| Arc::new(UInt8Array::from(codes)) as ArrayRef))
    }

    fn values(&self, py: Python<'_>, fields: Vec<String>, share: bool) -> PyResult<Vec<Frame>> {
        let small = self.source.len() <= SMALL;
        frames(run(py, small, None, |control| json::values(&self.source, &self.index, &borrowed(&fields), self.held(share), control))?)
    }

    fn items(&self, py: Python<'_>, field: &str) -> PyResult<Self> {
        let index = run(py, self.source.len() <= SMALL, None, |control| json::items(&self.source, &self.index, field, control))?;
        Ok(Self { layout: Layout::Array, mapped: self.mapped, ..Self::new(self.source.clone(), index) })
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("JSON_TYPES", json::Kind::NAMES.to_vec())?;
    m.add_class::<JsonIndex>()?;
    m.add_class::<JsonStream>()?;
    m.add_class::<JsonWindows>()?;
    m.add_function(wrap_pyfunction!(json_read, m)?)?;
    m.add_function(wrap_pyfunction!(json_open, m)?)?;
    m.add_function(wrap_pyfunction!(json_dumped, m)?)?;
    m.add_function(wrap_pyfunction!(json_calls, m)?)?;
    m.add_function(wrap_pyfunction!(json_parse, m)?)
}
