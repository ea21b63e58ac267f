//! Word diffs.

use std::sync::Arc;

use arrow_array::{ArrayRef, LargeListArray, StringArray, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::diff::{Op, Span, rows};
use crate::error::Error;

/// `List[Struct{op, a_start, a_end, b_start, b_end}]` a row. `serial`: in the calling thread.
#[pyfunction]
#[pyo3(signature = (a, b, serial = false, progress = None))]
fn word_diff(py: Python<'_>, a: Column, b: Column, serial: bool, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let (a, b) = (a.texts()?, b.texts()?);
    if a.len() != b.len() {
        return Err(Error::Input(format!("expected two columns of equal length, found {} and {} rows", a.len(), b.len())).into());
    }
    let kernel = |control: &_| rows(&a, &b, control);
    let found = if serial { job::inline(py, kernel) } else { job::run(py, progress, kernel) }?;
    let lengths = OffsetBuffer::from_lengths(found.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
    let offsets = OffsetBuffer::new(lengths.iter().map(|&offset: &i32| i64::from(offset)).collect());
    let valid = NullBuffer::from_iter(found.iter().map(Option::is_some));
    let spans: Vec<Span> = found.into_iter().flatten().flatten().collect();
    let number = |of: fn(&Span) -> u32| -> ArrayRef { Arc::new(spans.iter().map(|span| Some(of(span))).collect::<UInt32Array>()) };
    let op = spans.iter().map(|span| match span.op {
        Op::Equal => Some("equal"),
        Op::Delete => Some("delete"),
        Op::Insert => Some("insert"),
    });
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("op", Arc::new(op.collect::<StringArray>())),
        ("a_start", number(|span| span.a.0)),
        ("a_end", number(|span| span.a.1)),
        ("b_start", number(|span| span.b.0)),
        ("b_end", number(|span| span.b.1)),
    ];
    let fields: Fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let item = Arc::new(Field::new("item", DataType::Struct(fields.clone()), true));
    let items = StructArray::new(fields, columns.into_iter().map(|(_, array)| array).collect(), None);
    let list = LargeListArray::new(item, offsets, Arc::new(items), Some(valid));
    Frame::new(vec![("word_diff", Arc::new(list))])
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(word_diff, m)?)
}
