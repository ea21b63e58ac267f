//! Text signals.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, UInt32Array};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::signals::{self as kernel, COUNTS, MEASURES};

/// One column per signal. `serial`: in the calling thread, for a streaming engine that runs several.
#[pyfunction]
#[pyo3(signature = (texts, serial = false, progress = None))]
fn signals(py: Python<'_>, texts: Column, serial: bool, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let texts = texts.texts()?;
    let found = if serial {
        job::inline(py, |control| kernel::serial(&texts, control))?
    } else {
        job::run(py, progress, |control| kernel::signals(&texts, control))?
    };
    let counts = COUNTS.iter().enumerate().map(|(i, name)| -> (&str, ArrayRef) {
        (name, Arc::new(found.iter().map(|text| text.map(|text| text.counts[i])).collect::<UInt32Array>()))
    });
    let measures = MEASURES.iter().enumerate().map(|(i, name)| -> (&str, ArrayRef) {
        (name, Arc::new(found.iter().map(|text| text.map(|text| text.measures[i])).collect::<Float64Array>()))
    });
    Frame::new(counts.chain(measures).collect())
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(signals, m)?)
}
