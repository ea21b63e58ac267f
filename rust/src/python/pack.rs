//! Packing.

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::pack::{self, Method, Piece};

/// Bin per sequence.
#[pyfunction]
#[pyo3(name = "pack", signature = (lengths, capacity, method, progress = None))]
fn pack_lengths(py: Python<'_>, lengths: Column, capacity: u32, method: &str, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let method: Method = method.parse()?;
    let lengths = lengths.u32s()?;
    let bins = job::run(py, progress, |control| pack::pack(&lengths, capacity, method, control))?;
    Frame::new(vec![("bin", Arc::new(UInt32Array::from(bins)))])
}

/// `row, bin, start, length` of every piece.
#[pyfunction]
#[pyo3(signature = (lengths, capacity, progress = None))]
fn pack_wrapped(py: Python<'_>, lengths: Column, capacity: u32, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let lengths = lengths.u32s()?;
    let pieces = job::run(py, progress, |control| pack::pieces(&lengths, capacity, control))?;
    let column = |of: fn(&Piece) -> u32| -> ArrayRef { Arc::new(UInt32Array::from_iter_values(pieces.iter().map(of))) };
    Frame::new(vec![
        ("row", column(|piece| piece.row)),
        ("bin", column(|piece| piece.bin)),
        ("start", column(|piece| piece.start)),
        ("length", column(|piece| piece.length)),
    ])
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(pack_lengths, m)?)?;
    m.add_function(wrap_pyfunction!(pack_wrapped, m)?)
}
