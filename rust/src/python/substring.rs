//! Passages that occur again.

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::error::{Error, Result};
use crate::parallel::Control;
use crate::substring::{self, Border, Measure, Rows, Span};

/// Run `search` over texts, or over lists of token ids.
fn searched<T: Send>(
    py: Python<'_>,
    texts: &Column,
    unit: &str,
    border: &str,
    progress: Option<Py<PyAny>>,
    search: impl FnOnce(Rows<'_>, &Control) -> Result<T> + Send,
) -> PyResult<T> {
    let border = match border {
        "word" => Border::Word,
        "sentence" => Border::Sentence,
        other => return Err(Error::Option(format!("border: found \"{other}\", expected word or sentence")).into()),
    };
    let measure = match unit {
        "character" => Measure::Character,
        "word" => Measure::Word,
        "token" => {
            let rows = texts.id_lists()?;
            return job::run(py, progress, |control| search(Rows::Ids(&rows), control));
        }
        other => return Err(Error::Option(format!("unit: found \"{other}\", expected character, word or token")).into()),
    };
    let rows = texts.texts()?;
    job::run(py, progress, |control| search(Rows::Texts(&rows, border, measure), control))
}

/// `row, start, end, root, root_start`.
#[pyfunction]
#[pyo3(signature = (texts, min_length, unit, border, limit, progress = None))]
fn substring_duplicates(
    py: Python<'_>,
    texts: Column,
    min_length: u32,
    unit: &str,
    border: &str,
    limit: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let spans = searched(py, &texts, unit, border, progress, |rows, control| substring::duplicates(rows, min_length, limit, control))?;
    let column = |pick: fn(&Span) -> u32| -> ArrayRef { Arc::new(UInt32Array::from_iter_values(spans.iter().map(pick))) };
    Frame::new(vec![
        ("row", column(|span| span.row)),
        ("start", column(|span| span.start)),
        ("end", column(|span| span.end)),
        ("root", column(|span| span.root)),
        ("root_start", column(|span| span.root_start)),
    ])
}

/// Bytes for the hashes, and for the windows.
#[pyfunction]
#[pyo3(signature = (texts, min_length, unit, border, progress = None))]
fn substring_memory(
    py: Python<'_>,
    texts: Column,
    min_length: u32,
    unit: &str,
    border: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<(usize, usize)> {
    let needed = searched(py, &texts, unit, border, progress, |rows, control| substring::memory(rows, min_length, usize::MAX, control))?;
    Ok((needed.hashes, needed.windows))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(substring_duplicates, m)?)?;
    m.add_function(wrap_pyfunction!(substring_memory, m)?)
}
