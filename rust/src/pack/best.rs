//! Best fit: open bins by how many tokens are free in them.

use super::NONE;

/// Bins that still have room, in one stack per number of free tokens.
pub struct Open {
    capacity: u32,
    /// The bin on top of the stack of each free size.
    top: Vec<u32>,
    /// The bin below each bin in its stack.
    below: Vec<u32>,
    sizes: Bits,
}

impl Open {
    pub fn new(capacity: u32) -> Self {
        Self { capacity, top: vec![NONE; capacity as usize + 1], below: Vec::new(), sizes: Bits::new(capacity as usize + 1) }
    }

    /// The fullest bin that holds so many more tokens, which are put into it.
    pub fn place(&mut self, length: u32) -> u32 {
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

    use super::Bits;

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
