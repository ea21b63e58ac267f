//! ROUGE.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, StringArray, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::error::Error;
use crate::porter;
use crate::rouge::{Metric, Options, References, Score, Tokens, score};

/// One `Struct{precision, recall, f1}` column a metric.
///
/// `inline` is for expressions: no pool, and a column of one row stands for a literal.
#[pyfunction]
#[pyo3(signature = (predictions, references, *, metrics, stemmer, unicode, inline, progress = None))]
#[allow(clippy::too_many_arguments)]
fn rouge(
    py: Python<'_>,
    predictions: Column,
    references: Column,
    metrics: Vec<String>,
    stemmer: bool,
    unicode: bool,
    inline: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let mut texts = predictions.texts()?;
    let mut rows = match references.field.data_type() {
        DataType::List(_) | DataType::LargeList(_) => {
            references.text_lists()?.into_iter().map(|row| row.unwrap_or_default().into_iter().flatten().collect()).collect()
        }
        _ => references.texts()?.into_iter().map(|text| text.into_iter().collect()).collect::<Vec<Vec<&str>>>(),
    };
    if inline && texts.len() == 1 {
        texts = vec![texts[0]; rows.len()];
    } else if inline && rows.len() == 1 {
        rows = vec![rows[0].clone(); texts.len()];
    }
    if texts.len() != rows.len() {
        return Err(Error::Input(format!("expected as many predictions as references, found {} and {}", texts.len(), rows.len())).into());
    }
    let mut flat = References { texts: Vec::with_capacity(rows.len()), borders: vec![0] };
    for row in rows {
        flat.texts.extend(row);
        flat.borders.push(flat.texts.len());
    }
    let parsed = metrics.iter().map(|name| metric(name)).collect::<PyResult<Vec<_>>>()?;
    let tokens = if unicode { Tokens::Unicode } else { Tokens::Google };
    let options = Options { metrics: parsed, stem: stemmer, tokens, parallel: !inline };
    let scores = if inline {
        job::inline(py, |control| score(&texts, &flat, &options, control))?
    } else {
        job::run(py, progress, |control| score(&texts, &flat, &options, control))?
    };
    let columns = metrics.iter().enumerate().map(|(at, name)| (name.as_str(), column(&scores, at))).collect();
    Frame::new(columns)
}

/// The Porter stem of each word (lower case, ASCII letters and digits), so that it can be held against NLTK's.
#[pyfunction]
fn porter_stems(py: Python<'_>, words: Column) -> PyResult<Frame> {
    let words = words.texts()?;
    let stems = job::inline(py, |_| {
        let stem = |word: &str| {
            let mut bytes = word.as_bytes().to_vec();
            porter::stem(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ok(words.iter().map(|word| word.map(stem)).collect::<StringArray>())
    })?;
    Frame::new(vec![("stem", Arc::new(stems))])
}

fn metric(name: &str) -> PyResult<Metric> {
    match name.strip_prefix("rouge") {
        Some("L") => Ok(Metric::L),
        Some("Lsum") => Ok(Metric::Lsum),
        Some(n) if matches!(n.as_bytes(), [b'1'..=b'9']) => Ok(Metric::N(usize::from(n.as_bytes()[0] - b'0'))),
        _ => Err(Error::Option(format!("unknown metric \"{name}\"; known: rouge1 to rouge9, rougeL, rougeLsum")).into()),
    }
}

fn column(scores: &[Option<Vec<Score>>], metric: usize) -> ArrayRef {
    let fields: Fields = ["precision", "recall", "f1"].iter().map(|name| Field::new(*name, DataType::Float64, true)).collect();
    let part = |of: fn(&Score) -> f64| -> ArrayRef {
        Arc::new(scores.iter().map(|row| row.as_ref().map(|row| of(&row[metric]))).collect::<Float64Array>())
    };
    let parts = vec![part(|score| score.precision), part(|score| score.recall), part(|score| score.f1)];
    let valid = NullBuffer::from_iter(scores.iter().map(Option::is_some));
    Arc::new(StructArray::new(fields, parts, Some(valid)))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(porter_stems, m)?)?;
    m.add_function(wrap_pyfunction!(rouge, m)?)
}
