//! Running a kernel without the GIL, with Ctrl-C and progress.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::{Error, Result};
use crate::parallel::{Control, guarded, pool};

const TICK: Duration = Duration::from_millis(50);

/// Run `kernel` on the pool with the GIL released. Every 50 ms the calling thread runs Python's signal
/// handlers and calls `progress(rows_done)`, and once more when all is done; an exception there stops the kernel and
/// is raised. A panic is an error like others.
pub fn run<T: Send>(py: Python<'_>, progress: Option<Py<PyAny>>, kernel: impl FnOnce(&Control) -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| {
        let control = Control::default();
        let mut raised = None;
        let outcome = thread::scope(|scope| {
            // The outcome comes by a channel: a thread that has answered may still be ending, and to look again
            // would cost a tick.
            let (answer, answered) = mpsc::channel();
            let control = &control;
            let work = move || answer.send(guarded(|| pool()?.install(|| kernel(control))));
            if let Err(error) = thread::Builder::new().name("tunesmith".into()).spawn_scoped(scope, work) {
                return Err(Error::Option(format!("no worker thread could be started: {error}")));
            }
            loop {
                match answered.recv_timeout(TICK) {
                    Ok(outcome) => break outcome,
                    Err(mpsc::RecvTimeoutError::Disconnected) => break Err(Error::Panic("its thread ended without an answer".into())),
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                }
                if raised.is_none()
                    && let Err(error) = Python::attach(|py| tick(py, progress.as_ref(), control.done()))
                {
                    control.stop();
                    raised = Some(error);
                }
            }
        });
        match (raised, outcome) {
            (Some(error), _) => Err(error),
            (None, Ok(value)) => Python::attach(|py| tick(py, progress.as_ref(), control.done())).map(|()| value),
            (None, Err(error)) => Err(PyErr::from(error)),
        }
    })
}

fn tick(py: Python<'_>, progress: Option<&Py<PyAny>>, done: usize) -> PyResult<()> {
    py.check_signals()?;
    if let Some(progress) = progress {
        progress.call1(py, (done,))?;
    }
    Ok(())
}

/// Run a short kernel in the calling thread with the GIL released: what Polars' streaming engine calls per morsel.
pub fn inline<T: Send>(py: Python<'_>, kernel: impl FnOnce(&Control) -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| guarded(|| kernel(&Control::default()))).map_err(PyErr::from)
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let class = match &error {
            Error::Interrupted => return PyKeyboardInterrupt::new_err(()),
            Error::Option(_) => "OptionError",
            Error::Input(_) => "InputError",
            Error::Panic(_) => return PyRuntimeError::new_err(error.to_string()),
        };
        Python::attach(|py| {
            let made = py
                .import("tunesmith.errors")
                .and_then(|module| module.getattr(class))
                .and_then(|class| class.call1((PyString::new(py, &error.to_string()),)));
            made.map_or_else(|error| error, PyErr::from_value)
        })
    }
}
