//! Rule sets.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::error::{Error, Result};
use crate::rules::{Rules, measure};

/// One column per measure of the set named. `serial`: in the calling thread, for a streaming engine that runs several.
#[pyfunction]
#[pyo3(signature = (texts, rules, words = None, sentences = None, serial = false, progress = None))]
fn rule_measures(
    py: Python<'_>,
    texts: Column,
    rules: &str,
    words: Option<Column>,
    sentences: Option<Column>,
    serial: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let rules = Rules::new(rules)?;
    let texts = texts.texts()?;
    let words = words.as_ref().map(|column| pieces(column, "words", texts.len())).transpose()?;
    let sentences = sentences.as_ref().map(|column| pieces(column, "sentences", texts.len())).transpose()?;
    let (words, sentences) = (words.as_deref(), sentences.as_deref());
    let found = if serial {
        job::inline(py, |control| measure(rules, &texts, words, sentences, control))?
    } else {
        job::run(py, progress, |control| measure(rules, &texts, words, sentences, control))?
    };
    let column = |(at, name): (usize, &'static &'static str)| -> (&str, ArrayRef) {
        (name, Arc::new(found.iter().map(|text| text.as_ref().map(|text| text[at])).collect::<Float64Array>()))
    };
    Frame::new(rules.measures().iter().enumerate().map(column).collect())
}

type Pieces<'a> = Vec<Option<Vec<&'a str>>>;

fn pieces<'a>(column: &'a Column, name: &str, texts: usize) -> PyResult<Pieces<'a>> {
    let lists = column.text_lists()?;
    if lists.len() != texts {
        return Err(Error::Input(format!("{name}: expected a list a text, {texts}, found {}", lists.len())).into());
    }
    // A list with a null in it says nothing sure of its text.
    let whole = |list: Vec<Option<&'a str>>| list.into_iter().collect::<Option<Vec<&str>>>();
    lists
        .into_iter()
        .enumerate()
        .map(|(row, list)| match list {
            None => Ok(None),
            Some(list) => {
                whole(list).map(Some).ok_or_else(|| Error::Input(format!("{name}[{row}]: expected texts, found a null among them")))
            }
        })
        .collect::<Result<_>>()
        .map_err(PyErr::from)
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(rule_measures, m)?)
}
