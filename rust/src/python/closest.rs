//! The most similar text of another column.

use std::sync::Arc;

use arrow_array::{Float64Array, UInt32Array};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::shingle::Shape;

/// `row, twin, similarity`, one row per text.
#[pyfunction]
#[pyo3(signature = (texts, against, shingle, unit, progress = None))]
fn closest(py: Python<'_>, texts: Column, against: Column, shingle: usize, unit: &str, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let shape = Shape::new(shingle, unit)?;
    let (texts, against) = (texts.texts()?, against.texts()?);
    let found = job::run(py, progress, |control| crate::closest::closest(&texts, &against, shape, control))?;
    let rows = UInt32Array::from_iter_values(0..found.len() as u32);
    let twins: UInt32Array = found.iter().map(|found| found.map(|closest| closest.twin)).collect();
    let similarities: Float64Array = found.iter().map(|found| found.map(|closest| closest.similarity)).collect();
    Frame::new(vec![("row", Arc::new(rows)), ("twin", Arc::new(twins)), ("similarity", Arc::new(similarities))])
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(closest, m)?)
}
