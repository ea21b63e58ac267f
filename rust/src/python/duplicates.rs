//! Exact and near duplicates, whole and in the stages that engines call.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, UInt32Array, UInt64Array};
use pyo3::prelude::*;

use super::capsule::{Column, Frame};
use super::job;
use crate::exact;
use crate::lsh::{self, Match, Pair, Search};
use crate::minhash::{Bands, Permutations};
use crate::shingle::Shape;

fn rows(count: usize) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(0..count as u32))
}

/// `row, root` of texts in one or several columns.
#[pyfunction]
#[pyo3(signature = (fields, normalize, progress = None))]
fn exact_duplicates(py: Python<'_>, fields: Vec<Column>, normalize: &str, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let normalization: exact::Normalization = normalize.parse()?;
    let columns = fields.iter().map(Column::texts).collect::<PyResult<Vec<_>>>()?;
    let roots = job::run(py, progress, |control| exact::exact_duplicates(&columns, normalization, control))?;
    Frame::new(vec![("row", rows(roots.len())), ("root", Arc::new(UInt32Array::from(roots)))])
}

/// How near duplicates are looked for, as Python gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Options {
    threshold: f64,
    shingle: usize,
    unit: String,
    permutations: usize,
    seed: u64,
}

impl Options {
    fn search(&self) -> PyResult<Search> {
        let bands = Bands::choose(self.threshold, self.permutations)?;
        let shape = Shape::new(self.shingle, &self.unit)?;
        Ok(Search { shape, permutations: Permutations::new(bands, self.seed), threshold: self.threshold })
    }
}

/// `row, root, twin, similarity`.
#[pyfunction]
#[pyo3(signature = (texts, against, options, progress = None))]
fn near_duplicates(
    py: Python<'_>,
    texts: Column,
    against: Option<Column>,
    options: Options,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let search = options.search()?;
    let (texts, against) = (texts.texts()?, against.as_ref().map(Column::texts).transpose()?);
    let found = job::run(py, progress, |control| match &against {
        Some(against) => lsh::near_duplicates_against(&texts, against, &search, control),
        None => lsh::near_duplicates(&texts, &search, control),
    })?;
    let roots: UInt32Array = found.iter().map(|found| found.root).collect();
    let twins: UInt32Array = found.iter().map(|Match { twin, .. }| twin.map(|(row, _)| row)).collect();
    let similarities: Float64Array = found.iter().map(|Match { twin, .. }| twin.map(|(_, similarity)| similarity)).collect();
    Frame::new(vec![
        ("row", rows(found.len())),
        ("root", Arc::new(roots)),
        ("twin", Arc::new(twins)),
        ("similarity", Arc::new(similarities)),
    ])
}

/// `a, b, similarity` of every verified pair.
#[pyfunction]
#[pyo3(signature = (texts, against, every, options, progress = None))]
fn near_pairs(
    py: Python<'_>,
    texts: Column,
    against: Option<Column>,
    every: bool,
    options: Options,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let search = options.search()?;
    let (texts, against) = (texts.texts()?, against.as_ref().map(Column::texts).transpose()?);
    let pairs = job::run(py, progress, |control| match &against {
        Some(against) => lsh::near_pairs_against(&texts, against, &search, every, control),
        None => lsh::near_pairs(&texts, &search, every, control),
    })?;
    let side = |pick: fn(&Pair) -> u32| -> ArrayRef { Arc::new(UInt32Array::from_iter_values(pairs.iter().map(pick))) };
    let similarities = Float64Array::from_iter_values(pairs.iter().map(|pair| pair.similarity));
    Frame::new(vec![("a", side(|pair| pair.a)), ("b", side(|pair| pair.b)), ("similarity", Arc::new(similarities))])
}

/// `row, key`: a key per band and text.
#[pyfunction]
#[pyo3(signature = (texts, options, progress = None))]
fn band_keys(py: Python<'_>, texts: Column, options: Options, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let search = options.search()?;
    let texts = texts.texts()?;
    let (rows, keys) = job::run(py, progress, |control| lsh::band_keys(&texts, &search, control))?;
    Frame::new(vec![("row", Arc::new(UInt32Array::from(rows))), ("key", Arc::new(UInt64Array::from(keys)))])
}

/// Exact Jaccard similarity per pair of texts.
#[pyfunction]
#[pyo3(signature = (a, b, shingle, unit, progress = None))]
fn verify_pairs(py: Python<'_>, a: Column, b: Column, shingle: usize, unit: &str, progress: Option<Py<PyAny>>) -> PyResult<Frame> {
    let shape = Shape::new(shingle, unit)?;
    let (a, b) = (a.texts()?, b.texts()?);
    let similarities = job::run(py, progress, |control| lsh::verify(&a, &b, shape, control))?;
    Frame::new(vec![("similarity", Arc::new(Float64Array::from(similarities)))])
}

/// `row, root` of the rows that edges name.
#[pyfunction]
fn components(py: Python<'_>, a: Column, b: Column) -> PyResult<Frame> {
    let (a, b) = (a.u64s()?, b.u64s()?);
    let (rows, roots) = job::run(py, None, |_| crate::components::components(&a, &b))?;
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
