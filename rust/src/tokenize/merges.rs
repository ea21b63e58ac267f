//! Byte-pair encoding: the pair of the lowest rank is merged, the leftmost of equal ones, until no pair has a merge.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

/// No merge, no symbol; greater than every merge.
const NONE: u64 = u64::MAX;
/// Up to so many symbols the pairs are searched one by one; beyond, a heap keeps them.
const FEW: usize = 32;

/// Rank and product of every pair that merges: open addressing, at most half full. Most pairs that are asked for do not
/// merge; the tags, small enough to stay near, tell so without a look at the slots.
pub struct Merges {
    slots: Box<[(u64, u64)]>,
    /// Seven bits of each slot's hash and one more; 0 for an empty slot.
    tags: Box<[u8]>,
    shift: u32,
}

/// Buffers of [`Merges::apply`], kept from word to word.
#[derive(Default)]
pub struct Work {
    /// The merge of each symbol with the next: rank above, product below; [`NONE`] for none.
    found: Vec<u64>,
    /// Of each symbol in the linked list.
    next: Vec<u32>,
    before: Vec<u32>,
    heap: BinaryHeap<Reverse<u64>>,
}

impl Merges {
    /// From `(left, right) -> (rank, product)`.
    pub fn new(merges: &FxHashMap<(u32, u32), (u32, u32)>) -> Self {
        let size = (merges.len() * 2 + 2).next_power_of_two();
        let mut made = Self { slots: vec![(NONE, NONE); size].into(), tags: vec![0; size].into(), shift: 64 - size.trailing_zeros() };
        for (&(left, right), &(rank, product)) in merges {
            let (mut at, tag) = made.place(left, right);
            while made.tags[at] != 0 {
                at = (at + 1) % size;
            }
            made.tags[at] = tag;
            made.slots[at] = (u64::from(left) << 32 | u64::from(right), u64::from(rank) << 32 | u64::from(product));
        }
        made
    }

    /// Where to begin to look for a pair, and its tag.
    #[inline]
    fn place(&self, left: u32, right: u32) -> (usize, u8) {
        let key = u64::from(left) << 32 | u64::from(right);
        let hash = (key ^ key >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash >> self.shift) as usize, (hash >> 24) as u8 | 0x80)
    }

    #[inline]
    fn get(&self, left: u32, right: u32) -> u64 {
        let mask = self.slots.len() - 1;
        let (mut at, tag) = self.place(left, right);
        loop {
            let found = self.tags[at & mask];
            if found == 0 {
                return NONE;
            }
            if found == tag {
                let (key, merge) = self.slots[at & mask];
                if key == u64::from(left) << 32 | u64::from(right) {
                    return merge;
                }
            }
            at += 1;
        }
    }

    /// Merge `symbols` in place.
    pub fn apply(&self, symbols: &mut Vec<u32>, work: &mut Work) {
        work.found.clear();
        work.found.extend(symbols.windows(2).map(|pair| self.get(pair[0], pair[1])));
        if symbols.len() <= FEW { self.search(symbols, &mut work.found) } else { self.queue(symbols, work) }
    }

    fn search(&self, symbols: &mut Vec<u32>, found: &mut [u64]) {
        let mut pairs = found.len();
        while pairs > 0 {
            let (mut at, mut best) = (0, NONE);
            for (place, &merge) in found[..pairs].iter().enumerate() {
                if merge < best {
                    (at, best) = (place, merge);
                }
            }
            if best == NONE {
                break;
            }
            symbols[at] = best as u32;
            for place in at + 1..pairs {
                symbols[place] = symbols[place + 1];
                found[place - 1] = found[place];
            }
            pairs -= 1;
            if at < pairs {
                found[at] = self.get(symbols[at], symbols[at + 1]);
            }
            if at > 0 {
                found[at - 1] = self.get(symbols[at - 1], symbols[at]);
            }
        }
        symbols.truncate(pairs + 1);
    }

    fn queue(&self, symbols: &mut Vec<u32>, work: &mut Work) {
        let Work { found, next, before, heap } = work;
        let count = symbols.len() as u32;
        next.clear();
        next.extend(1..=count);
        before.clear();
        before.extend((0..count).map(|place| place.wrapping_sub(1)));
        found.push(NONE);
        heap.clear();
        // Rank and place; a pair that has changed meanwhile has another rank or none.
        let entry = |place: u32, merge: u64| Reverse(merge >> 32 << 32 | u64::from(place));
        heap.extend((0..count).zip(found.iter()).filter(|(_, merge)| **merge != NONE).map(|(place, &merge)| entry(place, merge)));
        while let Some(Reverse(top)) = heap.pop() {
            let at = top as u32;
            let merge = found[at as usize];
            if merge == NONE || merge >> 32 != top >> 32 {
                continue;
            }
            let (left, gone) = (before[at as usize], next[at as usize]);
            let right = next[gone as usize];
            symbols[at as usize] = merge as u32;
            found[gone as usize] = NONE;
            next[at as usize] = right;
            found[at as usize] = NONE;
            if right < count {
                before[right as usize] = at;
                let merge = self.get(symbols[at as usize], symbols[right as usize]);
                found[at as usize] = merge;
                if merge != NONE {
                    heap.push(entry(at, merge));
                }
            }
            if left < count {
                let merge = self.get(symbols[left as usize], symbols[at as usize]);
                found[left as usize] = merge;
                if merge != NONE {
                    heap.push(entry(left, merge));
                }
            }
        }
        let (mut at, mut kept) = (0, 0);
        while at < count {
            symbols[kept] = symbols[at as usize];
            kept += 1;
            at = next[at as usize];
        }
        symbols.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the words of the definition say, one merge at a time.
    fn plain(merges: &FxHashMap<(u32, u32), (u32, u32)>, mut symbols: Vec<u32>) -> Vec<u32> {
        loop {
            let pairs = symbols.windows(2).enumerate();
            let best = pairs.filter_map(|(at, pair)| Some((merges.get(&(pair[0], pair[1]))?, at))).min();
            let Some((&(_, product), at)) = best else { return symbols };
            symbols[at] = product;
            symbols.remove(at + 1);
        }
    }

    proptest! {
        #[test]
        fn both_ways_equal_the_plain_one(
            pairs in proptest::collection::vec((0..12_u32, 0..12_u32), 0..60),
            symbols in proptest::collection::vec(0..4_u32, 0..100),
        ) {
            // A product is told from its pair: two pairs with one product would have one spelling.
            let merges: FxHashMap<_, _> =
                pairs.iter().enumerate().map(|(rank, &(left, right))| ((left, right), (rank as u32, 4 + rank as u32))).collect();
            let wanted = plain(&merges, symbols.clone());
            let (table, mut work) = (Merges::new(&merges), Work::default());
            let mut found = symbols.clone();
            table.apply(&mut found, &mut work);
            prop_assert_eq!(&found, &wanted);
            for way in [Merges::search_all, Merges::queue_all] {
                let mut found = symbols.clone();
                way(&table, &mut found, &mut work);
                prop_assert_eq!(&found, &wanted);
            }
        }
    }

    impl Merges {
        fn search_all(&self, symbols: &mut Vec<u32>, work: &mut Work) {
            work.found = symbols.windows(2).map(|pair| self.get(pair[0], pair[1])).collect();
            self.search(symbols, &mut work.found);
        }

        fn queue_all(&self, symbols: &mut Vec<u32>, work: &mut Work) {
            work.found = symbols.windows(2).map(|pair| self.get(pair[0], pair[1])).collect();
            if !symbols.is_empty() {
                self.queue(symbols, work);
            }
        }
    }
}
