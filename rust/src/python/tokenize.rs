//! Tokenizers.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, LargeListArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::error::{Error, Result};
use crate::parallel::Control;
use crate::tokenize::{Options, Tokenizer as Kernel};

/// `tunesmith.core.Tokenizer` wraps this.
#[pyclass(frozen, module = "tunesmith.core._native")]
struct Tokenizer(Kernel);

/// The kernel on the pool, or in the calling thread (`inline`: what the streaming engine calls per morsel).
fn run<T: Send>(
    py: Python<'_>,
    inline: bool,
    progress: Option<Py<PyAny>>,
    kernel: impl FnOnce(&Control) -> Result<T> + Send,
) -> PyResult<T> {
    if inline && progress.is_none() { job::inline(py, kernel) } else { job::run(py, progress, kernel) }
}

#[pymethods]
impl Tokenizer {
    #[new]
    #[pyo3(signature = (json, backend = None))]
    fn new(py: Python<'_>, json: &str, backend: Option<&str>) -> PyResult<Self> {
        job::inline(py, |_| Kernel::with_backend(json, backend)).map(Self)
    }

    #[pyo3(signature = (texts, special_tokens, parse_special, continuation, inline = false, progress = None))]
    #[expect(clippy::too_many_arguments, reason = "Python's keywords")]
    fn encode(
        &self,
        py: Python<'_>,
        texts: Column,
        special_tokens: bool,
        parse_special: bool,
        continuation: bool,
        inline: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Frame> {
        let texts = texts.texts()?;
        let options = Options { special_tokens, parse_special, continuation };
        let encoded = run(py, inline || small(&texts), progress, |control| self.0.encode(&texts, options, control))?;
        let item = Arc::new(Field::new("item", DataType::UInt32, true));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(encoded.offsets));
        let nulls = encoded.valid.iter().any(|valid| !valid).then(|| NullBuffer::from(encoded.valid));
        let lists = LargeListArray::new(item, offsets, Arc::new(UInt32Array::from(encoded.ids)), nulls);
        Frame::new(vec![("ids", Arc::new(lists))])
    }

    #[pyo3(signature = (texts, special_tokens, parse_special, continuation, inline = false, progress = None))]
    #[expect(clippy::too_many_arguments, reason = "Python's keywords")]
    fn count(
        &self,
        py: Python<'_>,
        texts: Column,
        special_tokens: bool,
        parse_special: bool,
        continuation: bool,
        inline: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Frame> {
        let texts = texts.texts()?;
        let options = Options { special_tokens, parse_special, continuation };
        let counts = run(py, inline || small(&texts), progress, |control| self.0.count(&texts, options, control))?;
        Frame::new(vec![("tokens", Arc::new(UInt32Array::from(counts)))])
    }

    #[pyo3(signature = (ids, skip_special, inline = false, progress = None))]
    fn decode(&self, py: Python<'_>, ids: Column, skip_special: bool, inline: bool, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
        let lists = ids.chunks.iter().map(Lists::new).collect::<PyResult<Vec<_>>>()?;
        let rows: Vec<Option<&[u32]>> = lists.iter().flat_map(Lists::rows).collect();
        let texts = run(py, inline, progress, |control| self.0.decode(&rows, skip_special, control))?;
        let mut column = StringViewBuilder::new();
        texts.iter().for_each(|text| column.append_option(text.as_deref()));
        Frame::new(vec![("text", Arc::new(column.finish()))])
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.0.token_to_id(token)
    }

    fn id_to_token(&self, id: u32) -> Option<&str> {
        self.0.id_to_token(id)
    }

    #[getter]
    fn vocab_size(&self) -> usize {
        self.0.vocab_size()
    }

    #[getter]
    fn backend(&self) -> &'static str {
        self.0.backend()
    }

    #[getter]
    fn backend_reason(&self) -> Option<String> {
        self.0.backend_reason()
    }

    /// (content, id, special) by id.
    #[getter]
    fn added(&self) -> Vec<(String, u32, bool)> {
        self.0.added().iter().map(|added| (added.content.clone(), added.id, added.special)).collect()
    }
}

/// One chunk of a `List[UInt32]` column.
struct Lists<'a> {
    lists: &'a LargeListArray,
    ids: &'a [u32],
}

impl<'a> Lists<'a> {
    fn new(chunk: &'a ArrayRef) -> PyResult<Self> {
        let lists = chunk.as_list_opt::<i64>().and_then(|lists| Some((lists, lists.values().as_primitive_opt::<UInt32Type>()?)));
        let (lists, ids) = lists.ok_or_else(|| PyTypeError::new_err(format!("expected lists of UInt32, found {}", chunk.data_type())))?;
        let holed = |row: usize| lists.is_valid(row) && lists.value(row).null_count() > 0;
        if ids.null_count() > 0 && (0..lists.len()).any(holed) {
            return Err(Error::Input("ids: expected lists of ids, found a null among the ids of a row".into()).into());
        }
        Ok(Self { lists, ids: ids.values() })
    }

    fn rows(&self) -> impl Iterator<Item = Option<&'a [u32]>> {
        let (lists, ids) = (self.lists, self.ids);
        let place = |offset: i64| usize::try_from(offset).unwrap_or(0);
        (0..lists.len()).map(move |row| {
            let borders = lists.value_offsets();
            lists.is_valid(row).then(|| &ids[place(borders[row])..place(borders[row + 1])])
        })
    }
}

/// A handful of short texts is done before a worker would have started.
fn small(texts: &[Option<&str>]) -> bool {
    texts.len() <= 16 && texts.iter().flatten().map(|text| text.len()).sum::<usize>() <= 1 << 14
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Tokenizer>()
}
