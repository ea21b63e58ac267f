//! Packing of sequences into bins of fixed capacity: best-fit decreasing.

use crate::error::{Error, Result};
use crate::parallel::Control;

/// The largest capacity: bins are found through a table of this many entries.
const MOST: u32 = 1 << 28;
/// No bin.
const NONE: u32 = u32::MAX;

/// The bin of every sequence, in input order. Longest first (equal ones in input order), each goes into the
/// fullest open bin that still holds it (the one filled last where several are equally full), else into a new
/// one; bins are numbered as they are opened.
///
/// # Errors
/// [`Error::Option`] for a capacity of 0 or above 2^28; [`Error::Input`] when a sequence is longer than the
/// capacity (names the first); [`Error::Interrupted`].
pub fn pack(lengths: &[u32], capacity: u32, control: &Control) -> Result<Vec<u32>> {
    if capacity == 0 || capacity > MOST {
        return Err(Error::Option(format!("capacity: found {capacity}, expected 1 to {MOST} tokens")));
    }
    if lengths.len() >= NONE as usize {
        return Err(Error::Input(format!("found {} sequences, expected fewer than {NONE}; pack parts", lengths.len())));
    }
    if let Some(row) = lengths.iter().position(|&length| length > capacity) {
        return Err(Error::Input(format!(
            "row {row}: found {} tokens, expected at most the capacity of {capacity}; shorten or drop the row, or raise the capacity",
            lengths[row]
        )));
    }
    let order = longest_first(lengths);
    let mut bins = vec![0; lengths.len()];
    let mut open = Open::new(capacity);
    for (done, rows) in order.chunks(1 << 16).enumerate() {
        control.check()?;
        for &row in rows {
            bins[row as usize] = open.place(lengths[row as usize]);
        }
        control.advance(lengths.len().min((done + 1) << 16) - (done << 16));
    }
    Ok(bins)
}

/// Rows sorted by falling length, stable: one counting pass.
fn longest_first(lengths: &[u32]) -> Vec<u32> {
    let longest = lengths.iter().copied().max().unwrap_or(0) as usize;
    let mut starts = vec![0_u32; longest + 2];
    for &length in lengths {
        starts[longest - length as usize + 1] += 1;
    }
    for place in 1..starts.len() {
        starts[place] += starts[place - 1];
    }
    let mut order = vec![0; lengths.len()];
    for (&length, row) in lengths.iter().zip(0..) {
        let start = &mut starts[longest - length as usize];
        order[*start as usize] = row;
        *start += 1;
    }
    order
}

/// Bins that still have room, in one stack per number of free tokens.
struct Open {
    capacity: u32,
    /// The bin on top of the stack of each free size.
    top: Vec<u32>,
    /// The bin below each bin in its stack.
    below: Vec<u32>,
    sizes: Bits,
}

impl Open {
    fn new(capacity: u32) -> Self {
        Self { capacity, top: vec![NONE; capacity as usize + 1], below: Vec::new(), sizes: Bits::new(capacity as usize + 1) }
    }

    fn place(&mut self, length: u32) -> u32 {
        let (bin, free) = if let Some(free) = self.sizes.next(length as usize) {
            let bin = self.top[free];
            self.top[free] = self.below[bin as usize];
            if self.top[free] == NONE {
                self.sizes.clear(free);
            }
            (bin, free as u32)
        } else {
            self.below.push(NONE);
            (self.below.len() as u32 - 1, self.capacity)
        };
        let left = (free - length) as usize;
        self.below[bin as usize] = self.top[left];
        self.top[left] = bin;
        self.sizes.set(left);
        bin
    }
}

/// A set of small numbers that finds its next member: words of bits, and a bit per word that is not empty, and so on up.
struct Bits(Vec<Vec<u64>>);

impl Bits {
    fn new(size: usize) -> Self {
        let mut levels = vec![vec![0; size.div_ceil(64)]];
        while levels[levels.len() - 1].len() > 1 {
            levels.push(vec![0; levels[levels.len() - 1].len().div_ceil(64)]);
        }
        Self(levels)
    }

    fn set(&mut self, mut at: usize) {
        for level in &mut self.0 {
            level[at / 64] |= 1 << (at % 64);
            at /= 64;
        }
    }

    fn clear(&mut self, mut at: usize) {
        for level in &mut self.0 {
            level[at / 64] &= !(1 << (at % 64));
            if level[at / 64] != 0 {
                return;
            }
            at /= 64;
        }
    }

    /// The smallest member that is `from` or more.
    fn next(&self, from: usize) -> Option<usize> {
        let mut at = from;
        for (depth, level) in self.0.iter().enumerate() {
            let rest = level.get(at / 64)? >> (at % 64);
            if rest != 0 {
                at += rest.trailing_zeros() as usize;
                for level in self.0[..depth].iter().rev() {
                    at = at * 64 + level[at].trailing_zeros() as usize;
                }
                return Some(at);
            }
            at = at / 64 + 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Bits, pack};
    use crate::error::Error;
    use crate::parallel::Control;

    #[test]
    fn small() {
        let control = Control::default();
        assert_eq!(pack(&[6, 4, 3], 8, &control).unwrap(), [0, 1, 1]);
        assert_eq!(pack(&[2, 5, 3, 5, 0], 5, &control).unwrap(), [2, 0, 2, 1, 2]);
        assert!(pack(&[], 5, &control).unwrap().is_empty());
        let Err(Error::Input(message)) = pack(&[1, 9, 99], 8, &control) else { panic!("nine tokens do not fit") };
        assert!(message.starts_with("row 1: found 9 tokens"));
        assert!(pack(&[1], 0, &control).is_err());
    }

    proptest! {
        #[test]
        fn bits_are_an_ordered_set(steps in proptest::collection::vec((any::<bool>(), 0_usize..9_000), 1..200)) {
            let (mut bits, mut set) = (Bits::new(9_000), BTreeSet::new());
            for (add, at) in steps {
                if add { bits.set(at); set.insert(at); } else { bits.clear(at); set.remove(&at); }
                prop_assert_eq!(bits.next(at), set.range(at..).next().copied());
                prop_assert_eq!(bits.next(0), set.first().copied());
            }
        }
    }
}
