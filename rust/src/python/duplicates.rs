//! Exact and near duplicates, whole and in the stages that engines call.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, UInt32Array, UInt64Array};
use arrow_buffer::NullBuffer;
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::exact;
use crate::fields::{self, NONE, Rows};
use crate::fold::Fold;
use crate::lsh;
use crate::minhash::{Bands, Permutations};
use crate::search::{Pair, Room, Search};
use crate::shingle::Shape;

fn numbered(count: usize) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(0..count as u32))
}

fn texts(columns: &[Column]) -> PyResult<Vec<fields::Column<'_>>> {
    columns.iter().map(Column::texts).collect()
}

/// `row, root` of texts in one or several columns.
#[pyfunction]
#[pyo3(signature = (fields, normalize, progress = None))]
fn exact_duplicates(py: Python<'_>, fields: Vec<Column>, normalize: &str, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let normalization: exact::Normalization = normalize.parse()?;
    let fields = texts(&fields)?;
    let roots = job::run(py, progress, |control| exact::exact_duplicates(&Rows::new(&fields)?, normalization, control))?;
    Frame::new(vec![("row", numbered(roots.len())), ("root", Arc::new(UInt32Array::from(roots)))])
}

/// How texts are cut into shingles, as Python gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Cut {
    shingle: usize,
    unit: String,
    fold_numbers: bool,
    fold_marks: bool,
}

impl Cut {
    fn shape(&self) -> PyResult<Shape> {
        let fold = Fold { numbers: self.fold_numbers, marks: self.fold_marks };
        Ok(Shape { fold, ..Shape::new(self.shingle, &self.unit)? })
    }
}

/// How near duplicates are looked for, as Python gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Options {
    threshold: f64,
    cut: Cut,
    permutations: usize,
    bands: Option<(usize, usize)>,
    balanced: bool,
    seed: u64,
    memory: usize,
    spill: PathBuf,
}

impl Options {
    fn search(self) -> PyResult<Search> {
        let chosen = Bands::choose(self.threshold, self.permutations)?; // checks both
        let bands = match self.bands {
            Some((bands, rows)) => Bands::of(bands, rows)?,
            None if self.balanced => Bands::balanced(self.threshold, self.permutations)?,
            None => chosen,
        };
        Ok(Search {
            shape: self.cut.shape()?,
            permutations: Permutations::new(bands, self.seed),
            threshold: self.threshold,
            room: Room { memory: self.memory, folder: self.spill },
        })
    }
}

/// A column in which [`NONE`] is null.
fn numbers_or_null(numbers: Vec<u32>) -> ArrayRef {
    let nulls = NullBuffer::from_iter(numbers.iter().map(|&number| number != NONE));
    Arc::new(UInt32Array::new(numbers.into(), Some(nulls).filter(|nulls| nulls.null_count() > 0)))
}

/// `row, root, twin, similarity`.
#[pyfunction]
#[pyo3(signature = (fields, against, options, progress = None))]
fn near_duplicates(
    py: Python<'_>,
    fields: Vec<Column>,
    against: Option<Vec<Column>>,
    options: Options,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let search = options.search()?;
    let (fields, against) = (texts(&fields)?, against.as_deref().map(texts).transpose()?);
    let found = job::run(py, progress, |control| match &against {
        Some(against) => lsh::near_duplicates_against(&Rows::two_sided(against, &fields)?, &search, control),
        None => lsh::near_duplicates(&Rows::new(&fields)?, &search, control),
    })?;
    let alone = NullBuffer::from_iter(found.twins.iter().map(|&twin| twin != NONE));
    let similarities = Float64Array::new(found.similarities.into(), Some(alone).filter(|nulls| nulls.null_count() > 0));
    Frame::new(vec![
        ("row", numbered(found.roots.len())),
        ("root", numbers_or_null(found.roots)),
        ("twin", numbers_or_null(found.twins)),
        ("similarity", Arc::new(similarities)),
    ])
}

/// `a, b, similarity` of every verified pair.
#[pyfunction]
#[pyo3(signature = (fields, against, every, options, progress = None))]
fn near_pairs(
    py: Python<'_>,
    fields: Vec<Column>,
    against: Option<Vec<Column>>,
    every: bool,
    options: Options,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let search = options.search()?;
    let (fields, against) = (texts(&fields)?, against.as_deref().map(texts).transpose()?);
    let pairs = job::run(py, progress, |control| match &against {
        Some(against) => lsh::near_pairs_against(&Rows::two_sided(against, &fields)?, &search, every, control),
        None => lsh::near_pairs(&Rows::new(&fields)?, &search, every, control),
    })?;
    let side = |pick: fn(&Pair) -> u32| -> ArrayRef { Arc::new(UInt32Array::from_iter_values(pairs.iter().map(pick))) };
    let similarities = Float64Array::from_iter_values(pairs.iter().map(|pair| pair.similarity));
    Frame::new(vec![("a", side(|pair| pair.a)), ("b", side(|pair| pair.b)), ("similarity", Arc::new(similarities))])
}

/// `row, key`: a key per band and text.
#[pyfunction]
#[pyo3(signature = (fields, options, progress = None))]
fn band_keys(py: Python<'_>, fields: Vec<Column>, options: Options, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let search = options.search()?;
    let fields = texts(&fields)?;
    let (rows, keys) = job::run(py, progress, |control| lsh::band_keys(&Rows::new(&fields)?, &search, control))?;
    Frame::new(vec![("row", Arc::new(UInt32Array::from(rows))), ("key", Arc::new(UInt64Array::from(keys)))])
}

/// Exact Jaccard similarity per pair of rows.
#[pyfunction]
#[pyo3(signature = (a, b, cut, progress = None))]
fn verify_pairs(py: Python<'_>, a: Vec<Column>, b: Vec<Column>, cut: Cut, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let shape = cut.shape()?;
    let (a, b) = (texts(&a)?, texts(&b)?);
    let similarities = job::run(py, progress, |control| crate::verify::verify(&Rows::new(&a)?, &Rows::new(&b)?, shape, control))?;
    Frame::new(vec![("similarity", Arc::new(Float64Array::from(similarities)))])
}

/// `row, root` of the rows that edges name.
#[pyfunction]
#[pyo3(signature = (a, b, progress = None))]
fn components(py: Python<'_>, a: Column, b: Column, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let (a, b) = (a.u64s()?, b.u64s()?);
    let (rows, roots) = job::run(py, progress, |control| crate::components::components(&a, &b, control))?;
    Frame::new(vec![("row", Arc::new(UInt64Array::from(rows))), ("root", Arc::new(UInt64Array::from(roots)))])
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(exact_duplicates, m)?)?;
    m.add_function(wrap_pyfunction!(near_duplicates, m)?)?;
    m.add_function(wrap_pyfunction!(near_pairs, m)?)?;
    m.add_function(wrap_pyfunction!(band_keys, m)?)?;
    m.add_function(wrap_pyfunction!(verify_pairs, m)?)?;
    m.add_function(wrap_pyfunction!(components, m)?)
}
