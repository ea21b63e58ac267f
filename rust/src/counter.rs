//! Counting hashes, text after text, in one table that is emptied by raising a number.

use crate::hash::mix;

/// Gives every key a class, numbered in order of first appearance, and counts its members.
#[derive(Default)]
pub struct Counter {
    slots: Vec<Slot>,
    mask: usize,
    generation: u32,
    counts: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    key: u64,
    generation: u32,
    class: u32,
}

impl Counter {
    /// Forget everything and make room for `most` keys.
    pub fn clear(&mut self, most: usize) {
        let size = (most * 2).next_power_of_two().max(16);
        if size > self.slots.len() || self.generation == u32::MAX {
            self.slots = vec![Slot::default(); size.max(self.slots.len())];
            self.generation = 0;
        }
        self.generation += 1;
        self.mask = size - 1; // a short text stays within a few cache lines
        self.counts.clear();
    }

    /// Count `key` once more and give its class.
    #[inline]
    pub fn add(&mut self, key: u64) -> u32 {
        let mut at = mix(key) as usize & self.mask;
        loop {
            let slot = &mut self.slots[at];
            if slot.generation != self.generation {
                let class = self.counts.len() as u32;
                *slot = Slot { key, generation: self.generation, class };
                self.counts.push(1);
                return class;
            }
            if slot.key == key {
                self.counts[slot.class as usize] += 1;
                return slot.class;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Count `key` once more; whether it was there before.
    #[inline]
    pub fn seen(&mut self, key: u64) -> bool {
        let class = self.add(key);
        self.counts[class as usize] > 1
    }

    /// How often the keys of a class were added.
    #[inline]
    #[must_use]
    pub fn count(&self, class: u32) -> u32 {
        self.counts[class as usize]
    }

    /// Distinct keys.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;

    #[test]
    fn classes_in_order_and_nothing_remembered() {
        let mut counter = Counter::default();
        for most in [3, 1000, 2] {
            counter.clear(most);
            assert_eq!([7, 9, 7].map(|key| counter.add(key)), [0, 1, 0]);
            assert_eq!((counter.count(0), counter.count(1), counter.distinct()), (2, 1, 2));
            assert!(counter.seen(9) && !counter.seen(8));
        }
    }
}
