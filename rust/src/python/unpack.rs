//! Zstandard, read from a Python stream: the standard library has it from Python 3.14 on.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::job;
use crate::error::Error;

/// A Python object with `read(size) -> bytes`.
struct Packed(Py<PyAny>);

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = Python::attach(|py| -> PyResult<usize> {
            let bytes = self.0.call_method1(py, "read", (buffer.len(),))?;
            let bytes = bytes.cast_bound::<PyBytes>(py)?.as_bytes();
            let length = bytes.len().min(buffer.len());
            buffer[..length].copy_from_slice(&bytes[..length]);
            Ok(length)
        });
        read.map_err(io::Error::other)
    }
}

/// The unpacked bytes of a stream of zstd frames.
#[pyclass(frozen, module = "tunesmith.core._native")]
struct ZstdReader {
    decoder: Mutex<zstd::Decoder<'static, io::BufReader<Packed>>>,
}

#[pymethods]
impl ZstdReader {
    #[new]
    fn new(stream: Py<PyAny>) -> PyResult<Self> {
        let decoder = zstd::Decoder::new(Packed(stream)).map_err(|error| Error::Input(error.to_string()))?;
        Ok(Self { decoder: Mutex::new(decoder) })
    }

    /// Give the next `size` bytes; fewer at the end.
    fn read<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let read = job::inline(py, |_| {
            let mut decoder = self.decoder.lock().unwrap_or_else(PoisonError::into_inner);
            let mut bytes = Vec::with_capacity(size);
            Ok(decoder.by_ref().take(size as u64).read_to_end(&mut bytes).map(|_| bytes))
        })?;
        // What the stream itself raised is raised on: Ctrl-C, a lost connection.
        let bytes = read.map_err(|error| error.downcast::<PyErr>().unwrap_or_else(|error| Error::Input(error.to_string()).into()))?;
        Ok(PyBytes::new(py, &bytes))
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<ZstdReader>()
}
