//! Row ids and the logical content hash.

use std::sync::Arc;

use arrow_array::StringArray;
use pyo3::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use super::capsule::{Column, Frame};
use super::job;
use crate::{content, hash};

/// `row_id` per row (32 hex digits) over text columns of equal length.
#[pyfunction]
fn row_ids(py: Python<'_>, fields: Vec<Column>) -> PyResult<Frame> {
    let columns = fields.iter().map(Column::texts).collect::<PyResult<Vec<_>>>()?;
    let ids = job::inline(py, |_| Ok(hash::row_ids(&columns)))?;
    let ids: StringArray = ids.iter().map(|id| Some(format!("{id:032x}"))).collect();
    Frame::new(vec![("row_id", Arc::new(ids))])
}

/// xxh3-128 of a table given column by column (32 hex digits).
#[pyfunction]
fn content_hash(py: Python<'_>, columns: Vec<Column>) -> PyResult<String> {
    job::inline(py, |_| {
        let mut state = Xxh3::new();
        for column in &columns {
            content::hash_field(&mut state, &column.field);
            for chunk in &column.chunks {
                content::hash_chunk(&mut state, chunk)?;
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
