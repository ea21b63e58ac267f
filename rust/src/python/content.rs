//! Row ids and the logical content hash.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::builder::StringViewBuilder;
use pyo3::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use super::capsule::{Column, Frame};
use super::job;
use crate::error::Error;
use crate::{content, hash};

/// Rows between two looks at the control.
const GRAIN: usize = 1 << 14;

/// `row_id` per row (32 hex digits) over text columns of equal length. `serial`: in the calling thread.
#[pyfunction]
#[pyo3(signature = (fields, serial = false, progress = None))]
fn row_ids(py: Python<'_>, fields: Vec<Column>, serial: bool, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let columns = fields.iter().map(Column::texts).collect::<PyResult<Vec<_>>>()?;
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
        let mut state = Xxh3::new();
        for column in &columns {
            content::hash_field(&mut state, &column.field);
            for chunk in &column.chunks {
                for start in (0..chunk.len()).step_by(GRAIN) {
                    control.check()?;
                    let rows = GRAIN.min(chunk.len() - start);
                    content::hash_chunk(&mut state, &chunk.slice(start, rows))?;
                    control.advance(rows);
                }
            }
        }
        Ok(format!("{:032x}", state.digest128()))
    })
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Frame>()?;
    m.add_function(wrap_pyfunction!(row_ids, m)?)?;
    m.add_function(wrap_pyfunction!(content_hash, m)?)
}
