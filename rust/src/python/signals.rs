//! Text signals.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, UInt32Array};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::signals::{self as kernel, COUNTS, MEASURES};

/// One column per signal, or for `only` those, in our order. `serial`: in the calling thread, for a streaming engine that runs
/// several.
#[pyfunction]
#[pyo3(signature = (texts, serial = false, progress = None, only = None))]
fn signals(py: Python<'_>, texts: Column, serial: bool, progress: Option<Py<PyAny>>, only: Option<Vec<String>>) -> PyResult<Frame> {
    let texts = texts.texts()?;
    let asked = |name: &str| only.as_ref().is_none_or(|names| names.iter().any(|asked| asked == name));
    let compress = asked("compression_ratio");
    let found = if serial {
        job::inline(py, |control| kernel::serial(&texts, compress, control))?
    } else {
        job::run(py, progress, |control| kernel::signals(&texts, compress, control))?
    };
    let counts = COUNTS.iter().enumerate().filter(|(_, name)| asked(name)).map(|(i, name)| -> (&str, ArrayRef) {
        (name, Arc::new(found.iter().map(|text| text.map(|text| text.counts[i])).collect::<UInt32Array>()))
    });
    let measures = MEASURES.iter().enumerate().filter(|(_, name)| asked(name)).map(|(i, name)| -> (&str, ArrayRef) {
        (name, Arc::new(found.iter().map(|text| text.map(|text| text.measures[i])).collect::<Float64Array>()))
    });
    Frame::new(counts.chain(measures).collect())
}

/// Names of the signals, in order.
#[pyfunction]
fn signal_names() -> Vec<&'static str> {
    COUNTS.iter().chain(&MEASURES).copied().collect()
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(signal_names, m)?)?;
    m.add_function(wrap_pyfunction!(signals, m)?)
}
