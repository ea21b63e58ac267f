//! The Python face: thin wrappers, one file a kernel family, over Arrow capsules.

mod capsule;
mod closest;
mod content;
mod diff;
mod duplicates;
mod job;
mod json;
mod mapped;
mod overlap;
mod pack;
mod rouge;
mod rules;
mod signals;
mod substring;
mod tokenize;
mod unpack;

use pyo3::prelude::*;

/// `tunesmith.core._native`: what the Python package `tunesmith.core` wraps.
#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    closest::register(m)?;
    content::register(m)?;
    diff::register(m)?;
    duplicates::register(m)?;
    json::register(m)?;
    overlap::register(m)?;
    pack::register(m)?;
    rouge::register(m)?;
    rules::register(m)?;
    signals::register(m)?;
    substring::register(m)?;
    tokenize::register(m)?;
    unpack::register(m)?;
    Ok(())
}
