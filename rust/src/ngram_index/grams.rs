//! Runs of equally many tokens, and where they stand in the items.

use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::hash::mix;
use crate::parallel::Control;

/// An odd number: multiplying by it loses no bit of a token's hash.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const NONE: u32 = u32::MAX;

/// The runs of `width` tokens to look for, each known by the tokens of its first place.
pub struct Grams {
    width: usize,
    /// `BASE` to the power of `width`: takes the token that leaves out of the rolling hash.
    leaving: u64,
    /// A bit per hash: nearly all runs of a text end here, without a look into the table.
    bits: Vec<u64>,
    /// The first run with a hash, and for each run the next one with the same hash.
    table: FxHashMap<u64, u32>,
    next: Vec<u32>,
    /// Places `(item, at)` by run: `places[starts[gram]..starts[gram + 1]]`, `at` counting all items' tokens.
    places: Vec<(u32, u32)>,
    starts: Vec<u32>,
}

impl Grams {
    /// Collect the runs that begin at `windows`, `(item, at)` in `tokens`.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`].
    pub fn new(width: usize, tokens: &[u64], windows: &[(u32, u32)], control: &Control) -> Result<Self> {
        let leaving = (0..width).fold(1_u64, |power, _| power.wrapping_mul(BASE));
        let words = if windows.is_empty() { 0 } else { (windows.len() * 16).next_power_of_two().max(64) / 64 };
        let mut made = Self {
            width,
            leaving,
            bits: vec![0; words],
            table: FxHashMap::default(),
            next: Vec::new(),
            places: Vec::new(),
            starts: Vec::new(),
        };
        let mut representatives: Vec<u32> = Vec::new();
        let mut grams = Vec::with_capacity(windows.len());
        let run = |at: u32| &tokens[at as usize..at as usize + width];
        let mut rolled = (0, 0);
        for (count, &(_, at)) in windows.iter().enumerate() {
            if count.is_multiple_of(4096) {
                control.check()?;
            }
            // The next place of the same item is one step on; another item begins anew.
            let hash = if count > 0 && rolled.0 + 1 == at && windows[count - 1].0 == windows[count].0 {
                made.roll(rolled.1, tokens[at as usize - 1], tokens[at as usize + width - 1])
            } else {
                run(at).iter().fold(0, |hash, &token| made.roll(hash, 0, token))
            };
            rolled = (at, hash);
            let key = mix(hash);
            let (word, bit) = made.bit(key);
            made.bits[word] |= bit;
            let fresh = representatives.len() as u32;
            let mut gram = *made.table.entry(key).or_insert(fresh);
            while gram != fresh && run(representatives[gram as usize]) != run(at) {
                let next = &mut made.next[gram as usize];
                if *next == NONE {
                    *next = fresh;
                }
                gram = *next;
            }
            if gram == fresh {
                representatives.push(at);
                made.next.push(NONE);
            }
            grams.push(gram);
        }
        made.starts = vec![0; representatives.len() + 1];
        grams.iter().for_each(|&gram| made.starts[gram as usize + 1] += 1);
        for gram in 0..representatives.len() {
            made.starts[gram + 1] += made.starts[gram];
        }
        let mut free = made.starts.clone();
        made.places = vec![(0, 0); grams.len()];
        for (&gram, &place) in grams.iter().zip(windows) {
            made.places[free[gram as usize] as usize] = place;
            free[gram as usize] += 1;
        }
        Ok(made)
    }

    #[inline]
    fn roll(&self, hash: u64, out: u64, token: u64) -> u64 {
        hash.wrapping_mul(BASE).wrapping_add(token).wrapping_sub(out.wrapping_mul(self.leaving))
    }

    #[inline]
    fn bit(&self, key: u64) -> (usize, u64) {
        ((key >> 6) as usize & (self.bits.len() - 1), 1 << (key % 64))
    }

    /// Call `take(at, gram)` for each run of `text` that is one of these; `tokens` are the items'. Cut short when stopped.
    pub fn each(&self, text: &[u64], tokens: &[u64], control: &Control, mut take: impl FnMut(usize, u32)) {
        if self.bits.is_empty() || text.len() < self.width {
            return;
        }
        let mut hash = text[..self.width - 1].iter().fold(0, |hash, &token| self.roll(hash, 0, token));
        for at in control.going(0..=text.len() - self.width) {
            let out = if at == 0 { 0 } else { text[at - 1] };
            hash = self.roll(hash, out, text[at + self.width - 1]);
            let key = mix(hash);
            let (word, bit) = self.bit(key);
            if self.bits[word] & bit == 0 {
                continue;
            }
            let mut gram = self.table.get(&key).copied().unwrap_or(NONE);
            while gram != NONE {
                let place = self.places(gram)[0].1 as usize;
                if tokens[place..place + self.width] == text[at..at + self.width] {
                    take(at, gram);
                    break;
                }
                gram = self.next[gram as usize];
            }
        }
    }

    /// Where a run stands in the items.
    pub fn places(&self, gram: u32) -> &[(u32, u32)] {
        &self.places[self.starts[gram as usize] as usize..self.starts[gram as usize + 1] as usize]
    }

    /// Bytes held, about.
    pub fn bytes(&self) -> usize {
        self.bits.len() * 8 + self.table.capacity() * 20 + self.next.len() * 8 + self.places.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::Grams;
    use crate::parallel::Control;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_are_found_where_they_are(items in prop::collection::vec(0_u64..3, 0..40), text in prop::collection::vec(0_u64..3, 0..40), width in 1_usize..6) {
            let windows: Vec<(u32, u32)> = (0..(items.len() + 1).saturating_sub(width) as u32).map(|at| (at / 20, at)).collect();
            let grams = Grams::new(width, &items, &windows, &Control::default()).unwrap();
            let mut found = Vec::new();
            grams.each(&text, &items, &Control::default(), |at, gram| found.extend(grams.places(gram).iter().map(|&(_, place)| (at, place as usize))));
            let mut plain = Vec::new();
            for at in 0..(text.len() + 1).saturating_sub(width) {
                plain.extend((0..windows.len()).filter(|&place| text[at..at + width] == items[place..place + width]).map(|place| (at, place)));
            }
            prop_assert_eq!(found, plain);
        }
    }
}
