//! Threads: one pool per process, a control block that carries Ctrl-C in and progress out.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

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

    /// The items of `iter`, until the work is stopped: whoever uses what came [`check`](Self::check)s first.
    pub fn going<I: Iterator>(&self, iter: I) -> impl Iterator<Item = I::Item> {
        Going { iter, control: self, left: Going::<I>::BLOCK }
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

/// See [`Control::going`].
struct Going<'a, I> {
    iter: I,
    control: &'a Control,
    /// Items until the next look.
    left: u32,
}

impl<I> Going<'_, I> {
    const BLOCK: u32 = 1 << 14;
}

impl<I: Iterator> Iterator for Going<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.left -= 1;
        if self.left == 0 {
            self.left = Self::BLOCK;
            self.control.check().ok()?;
        }
        self.iter.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.iter.size_hint().1)
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

/// How many tasks of a [`map`] run at a time.
#[must_use]
pub fn width() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 }
}

/// `task()`, a panic within it told as an error: nothing unwinds into whoever called us.
///
/// # Errors
/// Those of the task; [`Error::Panic`] with the panic's message.
pub fn guarded<T>(task: impl FnOnce() -> Result<T>) -> Result<T> {
    // What a kernel leaves half done is its own: columns are only read, and results are dropped.
    catch_unwind(AssertUnwindSafe(task)).unwrap_or_else(|panic| Err(Error::Panic(message(panic.as_ref()))))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// The process that built the pool, and the pool. Never freed: a kernel may run on it until the process ends.
struct Owned {
    process: u32,
    pool: ThreadPool,
}

static POOL: AtomicPtr<Owned> = AtomicPtr::new(ptr::null_mut());

/// The pool of this process. A forked child gets one of its own: the parent's threads do not exist there,
/// and rayon's global pool would wait for them for ever. No lock is taken, for a fork could leave it closed.
///
/// # Errors
/// [`Error::Option`] when the system refuses new threads.
pub fn pool() -> Result<&'static ThreadPool> {
    let process = std::process::id();
    let found = POOL.load(Ordering::Acquire);
    // SAFETY: what the pointer leads to is never changed nor freed.
    if let Some(owned) = unsafe { found.as_ref() }
        && owned.process == process
    {
        return Ok(&owned.pool);
    }
    let built = rayon::ThreadPoolBuilder::new()
        .thread_name(|i| format!("tunesmith-{i}"))
        .build()
        .map_err(|e| Error::Option(format!("no worker threads could be started: {e}")))?;
    let made = Box::into_raw(Box::new(Owned { process, pool: built }));
    match POOL.compare_exchange(found, made, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: just made, and never freed from here on. (A parent's pool stays behind: its threads are not there to end.)
        Ok(_) => Ok(unsafe { &(*made).pool }),
        Err(_) => {
            // SAFETY: another thread of this process was first; ours was shown to nobody.
            drop(unsafe { Box::from_raw(made) });
            pool()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{guarded, map, pool};
    use crate::error::{Error, Result};

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        let rows = [1, 2];
        let past = rows.len() + 5;
        let Err(Error::Panic(message)) = guarded(|| Ok(rows[past])) else { panic!("there are two rows") };
        assert!(message.contains("the len is 2 but the index is 7"), "{message}");
        let found: Result<()> = guarded(|| Err(Error::Interrupted));
        assert_eq!(found, Err(Error::Interrupted));
    }

    #[test]
    fn a_panic_of_a_worker_is_an_error_too() {
        let found = guarded(|| pool()?.install(|| map(100, |k| if k == 77 { panic!("row {k}") } else { Ok(k) })));
        assert_eq!(found, Err(Error::Panic("row 77".into())));
        assert_eq!(pool().unwrap().install(|| map(3, Ok)), Ok(vec![0, 1, 2])); // and the pool works on
    }

    #[test]
    fn there_is_one_pool_a_process() {
        let pools: Vec<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| std::ptr::from_ref(pool().unwrap()) as usize)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(pools.iter().all(|pool| *pool == pools[0]));
    }
}
