//! What a search for near duplicates is asked for, and what it finds.

use std::path::PathBuf;

use crate::minhash::Permutations;
use crate::shingle::Shape;

/// How near duplicates are looked for.
#[derive(Debug)]
pub struct Search {
    /// What is compared.
    pub shape: Shape,
    /// How candidates are found.
    pub permutations: Permutations,
    /// The smallest similarity that counts.
    pub threshold: f64,
    /// Where the search keeps what it notes.
    pub room: Room,
}

/// The room a search may take beside the texts and the answer. It changes no result.
#[derive(Debug, Clone)]
pub struct Room {
    /// Bytes for band keys, candidates and shingles; keys beyond their share go to disk.
    pub memory: usize,
    /// Folder of temporary files.
    pub folder: PathBuf,
}

impl Room {
    /// Bytes of band keys that stay in memory.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.memory / 2
    }

    /// Candidate pairs that are gathered before they are verified.
    #[must_use]
    pub fn candidates(&self) -> usize {
        (self.memory / 8 / size_of::<u64>()).max(1 << 10)
    }

    /// Bytes of text whose shingles are held at once.
    #[must_use]
    pub fn text(&self) -> usize {
        (self.memory / 16).max(1 << 16)
    }
}

impl Default for Room {
    fn default() -> Self {
        Self { memory: 512 << 20, folder: std::env::temp_dir() }
    }
}

/// Two rows and the similarity of their shingles, exact: the smallest over the fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// A row of the texts.
    pub a: u32,
    /// A later row of the texts; in two-sided search a row of the other side.
    pub b: u32,
    /// At least the threshold.
    pub similarity: f64,
}
