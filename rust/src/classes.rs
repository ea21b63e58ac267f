//! Texts with the same tokens, collapsed into one class: what the search for near duplicates works on.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::minhash::{Permutations, Scratch};
use crate::parallel::Control;
use crate::shingle::{Shape, Shingler};

/// No row, no class.
pub const NONE: u32 = u32::MAX;
/// Texts per piece of parallel work.
pub const GRAIN: usize = 256;

/// Texts grouped by token sequence.
pub struct Classes {
    /// Class per row, [`NONE`] for null. Classes are numbered in order of their first row.
    pub of: Vec<u32>,
    /// Rows of a class, ascending: `rows[starts[class]..starts[class + 1]]`.
    rows: Vec<u32>,
    starts: Vec<u32>,
    /// Band keys of the first row of each class.
    pub keys: Vec<u64>,
}

impl Classes {
    /// Number of classes.
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Rows of a class, ascending.
    pub fn members(&self, class: u32) -> &[u32] {
        &self.rows[self.starts[class as usize] as usize..self.starts[class as usize + 1] as usize]
    }
}

/// Row numbers must fit 32 bits.
///
/// # Errors
/// [`Error::Input`] for 2^32 - 1 rows or more.
pub fn check_rows(rows: usize) -> Result<()> {
    if rows >= NONE as usize {
        return Err(Error::Input(format!("found {rows} texts, expected fewer than {NONE}; work on parts")));
    }
    Ok(())
}

/// Identity and band keys of every text that is not null, in order.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn sign(texts: &[Option<&str>], shape: Shape, permutations: &Permutations, control: &Control) -> Result<(Vec<u128>, Vec<u64>)> {
    let pieces: Vec<(Vec<u128>, Vec<u64>)> = texts
        .par_chunks(GRAIN)
        .map_init(
            || (Shingler::new(shape), Scratch::default(), Vec::new()),
            |(shingler, scratch, shingles), piece| {
                control.check()?;
                let mut identities = Vec::with_capacity(piece.len());
                let mut keys = Vec::with_capacity(piece.len() * permutations.bands());
                for text in piece.iter().copied().flatten() {
                    shingles.clear();
                    identities.push(shingler.push(text, shingles));
                    permutations.keys(shingles, scratch, &mut keys);
                }
                control.advance(piece.len());
                Ok((identities, keys))
            },
        )
        .collect::<Result<_>>()?;
    let (mut identities, mut keys) = (Vec::with_capacity(texts.len()), Vec::with_capacity(texts.len() * permutations.bands()));
    for (some, more) in pieces {
        identities.extend(some);
        keys.extend(more);
    }
    Ok((identities, keys))
}

/// Group texts by token sequence.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn classes(texts: &[Option<&str>], shape: Shape, permutations: &Permutations, control: &Control) -> Result<Classes> {
    let (identities, keys) = sign(texts, shape, permutations, control)?;
    let bands = permutations.bands();
    let mut known: FxHashMap<u128, u32> = FxHashMap::default();
    known.reserve(identities.len());
    let mut of = vec![NONE; texts.len()];
    let mut sizes: Vec<u32> = Vec::new();
    let mut kept: Vec<u64> = Vec::new();
    let present = texts.iter().enumerate().filter(|(_, text)| text.is_some());
    for (((row, _), identity), keys) in present.zip(&identities).zip(keys.chunks_exact(bands)) {
        let next = sizes.len() as u32;
        let class = *known.entry(*identity).or_insert(next);
        if class == next {
            sizes.push(0);
            kept.extend_from_slice(keys);
        }
        sizes[class as usize] += 1;
        of[row] = class;
    }
    let mut starts = Vec::with_capacity(sizes.len() + 1);
    starts.push(0);
    starts.extend(sizes.iter().scan(0, |sum, size| {
        *sum += size;
        Some(*sum)
    }));
    let mut next = starts.clone();
    let mut rows = vec![0; identities.len()];
    for (&class, row) in of.iter().zip(0..) {
        if class != NONE {
            rows[next[class as usize] as usize] = row;
            next[class as usize] += 1;
        }
    }
    Ok(Classes { of, rows, starts, keys: kept })
}
