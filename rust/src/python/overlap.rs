//! Overlap with evaluation items.

use std::sync::Arc;

use arrow_array::{Float64Array, UInt32Array};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::ngram_index::{Cut, Index, Rule};

/// An index of items, built once, past which any number of texts are streamed.
#[pyclass(frozen, module = "tunesmith.core._native")]
struct OverlapIndex(Index);

#[pymethods]
impl OverlapIndex {
    #[new]
    #[pyo3(signature = (against, cut, n, contain, threshold, above, progress = None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        against: Column,
        cut: &str,
        n: usize,
        contain: Option<usize>,
        threshold: f64,
        above: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let rule = Rule { cut: Cut::new(cut)?, n, contain, threshold, above };
        let items = against.texts()?;
        Ok(Self(job::run(py, progress, |control| Index::new(&items, rule, control))?))
    }

    /// `row, item, share`.
    #[pyo3(signature = (texts, progress = None))]
    fn find(&self, py: Python<'_>, texts: Column, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
        let texts = texts.texts()?;
        let pairs = job::run(py, progress, |control| self.0.overlap(&texts, control))?;
        Frame::new(vec![
            ("row", Arc::new(UInt32Array::from_iter_values(pairs.iter().map(|pair| pair.row)))),
            ("item", Arc::new(UInt32Array::from_iter_values(pairs.iter().map(|pair| pair.item)))),
            ("share", Arc::new(Float64Array::from_iter_values(pairs.iter().map(|pair| pair.share)))),
        ])
    }

    #[getter]
    fn nbytes(&self) -> usize {
        self.0.bytes()
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<OverlapIndex>()
}
