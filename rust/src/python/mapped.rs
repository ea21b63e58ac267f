//! Files where the system caches them.

use std::fs::File;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_buffer::Buffer;
use memmap2::{Mmap, UncheckedAdvice};

use crate::error::{Error, Result};

/// A whole file as bytes, without a copy. They live as long as a part of them is used.
pub struct Mapped {
    map: Arc<Mmap>,
    bytes: Buffer,
}

impl Mapped {
    /// Map a file.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be opened, or has no bytes that could be mapped (a pipe).
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error| Error::Input(format!("{}: cannot be read: {error}", path.display()));
        let file = File::open(path).map_err(failed)?;
        // SAFETY: the map is read only. Whoever writes into the file meanwhile changes bytes under a reader, so texts are
        // checked again after they were copied (`json::texts`); whoever cuts it ends the process, as with any map.
        let map = Arc::new(unsafe { Mmap::map(&file) }.map_err(failed)?);
        let start = NonNull::new(map.as_ptr().cast_mut()).expect("a map has an address");
        // SAFETY: the bytes stay where they are until their owner, which goes with them, is dropped.
        let bytes = unsafe { Buffer::from_custom_allocation(start, map.len(), Arc::new(Arc::clone(&map))) };
        Ok(Self { map, bytes })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &Buffer {
        &self.bytes
    }

    /// Let the system take back what stands before `end`; who looks at it again has it read again.
    pub fn pass(&self, end: usize) {
        // SAFETY: the map is of a file and never written to, so that nothing is lost.
        let _ = unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, 0, end) };
    }
}
