//! Row ids and the logical content hash.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::Array;
use arrow_array::builder::StringViewBuilder;
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::error::{Error, Result};
use crate::parallel::Control;
use crate::{content, hash};

/// Rows between two looks at the control.
const GRAIN: usize = 1 << 14;

/// `row_id` per row (32 hex digits) over text columns of equal length. `serial`: in the calling thread.
#[pyfunction]
#[pyo3(signature = (fields, serial = false, progress = None))]
fn row_ids(py: Python<'_>, fields: Vec<Column>, serial: bool, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    // Of columns of nothing but nulls, none but the first needs to be written out: it says how many rows there are.
    let empty = |column: &Column| column.chunks.iter().all(|chunk| chunk.logical_null_count() == chunk.len());
    let columns =
        fields.iter().enumerate().map(|(k, field)| if k > 0 && field.is_text() && empty(field) { Ok(Vec::new()) } else { field.texts() });
    let columns = columns.collect::<PyResult<Vec<_>>>()?;
    let kernel = |control: &_| {
        let ids = hash::row_ids(&columns, control)?;
        let mut texts = StringViewBuilder::with_capacity(ids.len());
        for ids in ids.chunks(GRAIN) {
            control.check()?;
            let block = texts.append_block(hash::hex(ids).into());
            (0..ids.len() as u32)
                .try_for_each(|place| texts.try_append_view(block, 32 * place, 32))
                .map_err(|error| Error::Panic(error.to_string()))?;
        }
        Ok(texts.finish())
    };
    let ids = if serial { job::inline(py, kernel) } else { job::run(py, progress, kernel) }?;
    Frame::new(vec![("row_id", Arc::new(ids))])
}

/// xxh3-128 of a table given column by column (32 hex digits).
#[pyfunction]
#[pyo3(signature = (columns, progress = None))]
fn content_hash(py: Python<'_>, columns: Vec<Column>, progress: Option<Py<PyAny>>) -> PyResult<String> {
    job::run(py, progress, |control| {
        let mut feed = content::Feed::default();
        for column in &columns {
            feed.field(&column.field);
            take_in(&mut feed, column, control)?;
        }
        Ok(format!("{:032x}", feed.digest()))
    })
}

fn take_in(feed: &mut content::Feed, column: &Column, control: &Control) -> Result<()> {
    for chunk in &column.chunks {
        let values = content::Column::of(chunk)?;
        for start in (0..chunk.len()).step_by(GRAIN) {
            control.check()?;
            let rows = start..chunk.len().min(start + GRAIN);
            control.advance(rows.len());
            feed.rows(&values, rows);
        }
    }
    Ok(())
}

/// The same of a table that comes in pieces: column after column, the rows of each in order.
#[pyclass(frozen, module = "tunesmith.core._native")]
struct ContentHasher {
    feed: Mutex<content::Feed>,
}

#[pymethods]
impl ContentHasher {
    #[new]
    fn new() -> Self {
        Self { feed: Mutex::default() }
    }

    /// Take in a piece of a column; `begins`: it is the first one, and says what the column is.
    fn add(&self, py: Python<'_>, column: Column, begins: bool) -> PyResult<()> {
        job::run(py, None, |control| {
            let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
            if begins {
                feed.field(&column.field);
            }
            take_in(&mut feed, &column, control)
        })
    }

    /// xxh3-128 of what was taken in (32 hex digits).
    fn digest(&self) -> String {
        format!("{:032x}", self.feed.lock().unwrap_or_else(PoisonError::into_inner).digest())
    }
}

/// Lists of objects as canonical JSON, in as many tables as come out.
#[pyfunction]
#[pyo3(signature = (lists, progress = None))]
fn canonical_json(py: Python<'_>, lists: Column, progress: Option<Py<PyAny>>) -> PyResult<Vec<Frame>> {
    let texts = job::run(py, progress, |control| {
        let chunks = lists.chunks.iter().map(|chunk| crate::canonical::canonical(chunk, control));
        Ok(chunks.collect::<Result<Vec<_>>>()?.concat())
    })?;
    texts.into_iter().map(|texts| Frame::new(vec![("texts", Arc::new(texts))])).collect()
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Frame>()?;
    m.add_class::<ContentHasher>()?;
    m.add_function(wrap_pyfunction!(row_ids, m)?)?;
    m.add_function(wrap_pyfunction!(content_hash, m)?)?;
    m.add_function(wrap_pyfunction!(canonical_json, m)?)
}
