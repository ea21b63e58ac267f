//! Threads: one pool per process, a control block that carries Ctrl-C in and progress out.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Shared between a running kernel and whoever waits for it.
#[derive(Debug, Default)]
pub struct Control {
    stopped: AtomicBool,
    done: AtomicUsize,
}

impl Control {
    /// Ask the workers to stop at their next [`check`](Self::check).
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// `Err(Interrupted)` once [`stop`](Self::stop) was called. Cheap: one relaxed load.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Report `rows` more rows as done.
    pub fn advance(&self, rows: usize) {
        self.done.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows done so far.
    #[must_use]
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }
}

/// `task(0), ..., task(n - 1)` in order: in parallel on a thread of the [`pool`], one after another on any other (a
/// caller with little to do, or one that is itself one of many, as in Polars' streaming engine). The same answer.
///
/// # Errors
/// The error of a task that fails.
pub fn map<T: Send>(n: usize, task: impl Fn(usize) -> Result<T> + Send + Sync) -> Result<Vec<T>> {
    if rayon::current_thread_index().is_some() { (0..n).into_par_iter().map(task).collect() } else { (0..n).map(task).collect() }
}

static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// The pool of this process. A forked child gets one of its own: the parent's threads do not exist there,
/// and rayon's global pool would wait for them for ever.
///
/// # Errors
/// [`Error::Option`] when the system refuses new threads.
pub fn pool() -> Result<Arc<ThreadPool>> {
    let pid = std::process::id();
    let mut slot = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((owner, pool)) = slot.as_ref()
        && *owner == pid
    {
        return Ok(pool.clone());
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .thread_name(|i| format!("tunesmith-{i}"))
        .build()
        .map_err(|e| Error::Option(format!("no worker threads could be started: {e}")))?;
    let pool = Arc::new(pool);
    // Dropping the parent's pool would signal threads that are not there.
    std::mem::forget(slot.replace((pid, pool.clone())));
    Ok(pool)
}
