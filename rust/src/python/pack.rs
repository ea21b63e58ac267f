//! Packing.

use std::sync::Arc;

use arrow_array::UInt32Array;
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::pack;

/// Bin per sequence.
#[pyfunction]
#[pyo3(name = "pack")]
fn pack_lengths(py: Python<'_>, lengths: Column, capacity: u32) -> PyResult<Frame> {
    let lengths = lengths.u32s()?;
    let bins = job::run(py, None, |control| pack::pack(&lengths, capacity, control))?;
    Frame::new(vec![("bin", Arc::new(UInt32Array::from(bins)))])
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(pack_lengths, m)?)
}
