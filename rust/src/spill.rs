//! The band keys of every class: in memory as far as that goes, the rest in a temporary file.

use std::fs::{File, OpenOptions, remove_file};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::parallel::Control;

/// Keys in a block: 16 MB.
const BLOCK: usize = 1 << 21;
const WORD: usize = size_of::<u64>();

/// Keys that come class by class and are read band by band.
///
/// Classes are gathered into blocks, and in a block the keys of a band lie side by side. Blocks that would take more
/// than the memory allowed go to a file without a name: it was removed when it was made, so that it is gone
/// whatever ends the process.
#[derive(Debug)]
pub struct Keys {
    bands: usize,
    memory: usize,
    folder: PathBuf,
    open: Vec<u64>,
    blocks: Vec<Block>,
    file: Option<File>,
    written: u64,
}

#[derive(Debug)]
enum Block {
    Memory(Vec<u64>),
    Disk { at: u64, classes: usize },
}

impl Keys {
    /// No keys yet; `bands` of them are to come for each class. Blocks beyond `memory` bytes are written to `folder`.
    #[must_use]
    pub fn new(bands: usize, memory: usize, folder: &Path) -> Self {
        Self { bands, memory, folder: folder.to_owned(), open: Vec::new(), blocks: Vec::new(), file: None, written: 0 }
    }

    /// The keys of the next class, one per band.
    ///
    /// # Errors
    /// [`Error::Option`] when a temporary file cannot be made or written.
    pub fn push(&mut self, keys: &[u64]) -> Result<()> {
        self.open.extend_from_slice(keys);
        if self.open.len() >= BLOCK.max(self.bands) { self.close() } else { Ok(()) }
    }

    /// Close the last block. Nothing may be pushed after it.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn close(&mut self) -> Result<()> {
        let classes = self.open.len() / self.bands;
        if classes == 0 {
            return Ok(());
        }
        let mut block = Vec::with_capacity(self.open.len());
        for band in 0..self.bands {
            block.extend(self.open[band..].iter().step_by(self.bands));
        }
        self.open.clear();
        if let Some(left) = self.memory.checked_sub(block.len() * WORD) {
            self.memory = left;
            self.blocks.push(Block::Memory(block));
            return Ok(());
        }
        self.memory = 0; // what came first stays, what comes now goes
        let refused = |error: &io::Error| {
            Error::Option(format!(
                "spill: the band keys do not fit into `memory`, and {} did not take them: {error}; name another folder, or allow more memory",
                self.folder.display()
            ))
        };
        let file = match self.file.take() {
            Some(file) => file,
            None => nameless(&self.folder).map_err(|error| refused(&error))?,
        };
        let bytes: Vec<u8> = block.iter().flat_map(|key| key.to_le_bytes()).collect();
        file.write_all_at(&bytes, self.written).map_err(|error| refused(&error))?;
        self.file = Some(file);
        self.blocks.push(Block::Disk { at: self.written, classes });
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// The keys of one band, class by class.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Option`] when the temporary file cannot be read.
    pub fn band(&self, band: usize, control: &Control) -> Result<Vec<u64>> {
        let sizes = self.blocks.iter().map(|block| match block {
            Block::Memory(keys) => keys.len() / self.bands,
            Block::Disk { classes, .. } => *classes,
        });
        let mut keys = Vec::with_capacity(sizes.sum());
        let mut bytes = Vec::new();
        for block in &self.blocks {
            control.check()?;
            match (block, &self.file) {
                (Block::Memory(block), _) => {
                    let classes = block.len() / self.bands;
                    keys.extend_from_slice(&block[band * classes..(band + 1) * classes]);
                }
                (Block::Disk { at, classes }, Some(file)) => {
                    bytes.resize(classes * WORD, 0);
                    file.read_exact_at(&mut bytes, at + (band * classes * WORD) as u64)
                        .map_err(|error| Error::Option(format!("spill: the band keys could not be read back: {error}")))?;
                    keys.extend(bytes.as_chunks::<WORD>().0.iter().map(|word| u64::from_le_bytes(*word)));
                }
                (Block::Disk { .. }, None) => unreachable!("a block on disk has its file"),
            }
        }
        Ok(keys)
    }

    /// Bytes on disk.
    #[must_use]
    pub fn spilled(&self) -> u64 {
        self.written
    }
}

/// A file that only its handle knows.
fn nameless(folder: &Path) -> io::Result<File> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    loop {
        let path = folder.join(format!("tunesmith-{}-{}.keys", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => {
                remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir, read_dir, remove_dir};
    use std::path::Path;

    use super::{BLOCK, Keys};
    use crate::error::Error;
    use crate::parallel::Control;

    #[test]
    fn what_does_not_fit_comes_back_from_disk() {
        let folder = std::env::temp_dir().join(format!("tunesmith-test-{}", std::process::id()));
        create_dir(&folder).unwrap();
        let (bands, classes) = (3, BLOCK as u64);
        for memory in [usize::MAX, BLOCK * 8 + 800, 0] {
            let mut keys = Keys::new(bands, memory, &folder);
            for class in 0..classes {
                keys.push(&[class, class + classes, class * 7]).unwrap();
            }
            keys.close().unwrap();
            assert_eq!(keys.spilled() > 0, memory < usize::MAX);
            assert_eq!(read_dir(&folder).unwrap().count(), 0);
            for (band, of) in [|class: u64| class, |class| class + BLOCK as u64, |class| class * 7].iter().enumerate() {
                assert!(keys.band(band, &Control::default()).unwrap().into_iter().eq((0..classes).map(of)));
            }
        }
        remove_dir(&folder).unwrap();
        let mut keys = Keys::new(1, 0, &folder);
        keys.push(&[1]).unwrap();
        assert!(matches!(keys.close(), Err(Error::Option(message)) if message.contains("name another folder")));
        let mut nothing = Keys::new(2, 0, Path::new("/nowhere"));
        nothing.close().unwrap();
        assert!(nothing.band(1, &Control::default()).unwrap().is_empty());
    }
}
