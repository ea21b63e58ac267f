//! The score of one pair: counts, sorted keys and bit rows over the symbols of its reference.

use rustc_hash::FxHashMap;

use super::documents::Document;
use super::{Metric, Score};
use crate::error::Result;
use crate::lcs::Masks;
use crate::parallel::Control;

/// How many elements two sorted lists share, each as often as in both: clipped counts.
fn shared<T: Ord>(a: &[T], b: &[T]) -> usize {
    let (mut i, mut j, mut hits) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        // No branch but the loop's: which list is ahead cannot be predicted.
        let order = a[i].cmp(&b[j]);
        hits += usize::from(order.is_eq());
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
    }
    hits
}

/// Tokens of a text from which on its n-grams are counted with looks at the control, and those between two looks.
const LONG: usize = 1 << 16;

/// What scoring a pair needs, kept from pair to pair.
#[derive(Default)]
pub struct Scratch {
    /// Stem to its number within this pair's reference; 0 when it is not there. All 0 between pairs.
    local: Vec<u32>,
    reference: Vec<u32>,
    prediction: Vec<u32>,
    counts: Vec<u32>,
    masks: Masks,
    columns: Vec<u64>,
    union: Vec<u64>,
    first: Vec<u32>,
    second: Vec<u32>,
}

impl Scratch {
    /// Make room for stems with numbers below `stems`.
    pub fn new(stems: usize) -> Self {
        Self { local: vec![0; stems], ..Self::default() }
    }

    /// Score one pair.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`].
    pub fn pair(&mut self, prediction: &Document, reference: &Document, metrics: &[Metric], control: &Control) -> Result<Vec<Score>> {
        let (p, r) = (prediction.tokens.len(), reference.tokens.len());
        let symbols = self.number(prediction, reference);
        let mut longest = None;
        metrics
            .iter()
            .map(|metric| {
                control.check()?;
                Ok(match *metric {
                    Metric::N(1) => Score::new(self.unigrams(symbols), p, r),
                    Metric::N(2) => {
                        Score::new(shared(&prediction.bigrams, &reference.bigrams), prediction.bigrams.len(), reference.bigrams.len())
                    }
                    Metric::N(n) => {
                        let (p, r) = ((p + 1).saturating_sub(n), (r + 1).saturating_sub(n));
                        Score::new(shared_grams(&prediction.tokens, &reference.tokens, n, control)?, p, r)
                    }
                    Metric::Lsum if prediction.lines.len() > 1 || reference.lines.len() > 1 => {
                        Score::new(self.union_of_lines(prediction, reference, symbols, control)?, p, r)
                    }
                    Metric::L | Metric::Lsum => {
                        let hits = if let Some(hits) = longest { hits } else { self.subsequence(symbols, control)? };
                        longest = Some(hits);
                        Score::new(hits, p, r)
                    }
                })
            })
            .collect()
    }

    /// Give the reference's stems small numbers from 1, in both texts; returns how many symbols there are with 0.
    fn number(&mut self, prediction: &Document, reference: &Document) -> usize {
        let mut symbols = 1;
        self.reference.clear();
        self.prediction.clear();
        for &token in &reference.tokens {
            let number = &mut self.local[token as usize];
            if *number == 0 {
                *number = symbols;
                symbols += 1;
            }
            self.reference.push(*number);
        }
        self.prediction.extend(prediction.tokens.iter().map(|&token| self.local[token as usize]));
        for &token in &reference.tokens {
            self.local[token as usize] = 0;
        }
        // What the prediction lacks matches nothing either.
        self.count(symbols as usize, false);
        for number in &mut self.reference {
            if self.counts[*number as usize] == 0 {
                *number = 0;
            }
        }
        symbols as usize
    }

    fn count(&mut self, symbols: usize, of_reference: bool) {
        self.counts.clear();
        self.counts.resize(symbols, 0);
        for &number in if of_reference { &self.reference } else { &self.prediction } {
            self.counts[number as usize] += 1;
        }
        self.counts[0] = 0;
    }

    /// Take one of what is left of a symbol.
    fn clip(counts: &mut [u32], number: u32) -> usize {
        let left = &mut counts[number as usize];
        let hit = u32::from(*left > 0);
        *left -= hit;
        hit as usize
    }

    fn unigrams(&mut self, symbols: usize) -> usize {
        self.count(symbols, false);
        self.reference.iter().map(|&number| Self::clip(&mut self.counts, number)).sum()
    }

    fn subsequence(&mut self, symbols: usize, control: &Control) -> Result<usize> {
        let known = |from: &[u32], to: &mut Vec<u32>| {
            to.clear();
            to.extend(from.iter().filter(|&&number| number != 0));
        };
        known(&self.reference, &mut self.first);
        known(&self.prediction, &mut self.second);
        let (short, long) = if self.first.len() <= self.second.len() { (&self.first, &self.second) } else { (&self.second, &self.first) };
        self.masks.longest(short, long, symbols, &mut self.columns, control)
    }

    /// Lines of the reference against all lines of the prediction; a token of the prediction is spent by one hit.
    fn union_of_lines(&mut self, prediction: &Document, reference: &Document, symbols: usize, control: &Control) -> Result<usize> {
        self.count(symbols, false);
        let (mut hits, mut start) = (0, 0);
        for &end in &reference.lines {
            // A pattern position that matches nowhere is stepped over on the way back: it can be left out.
            self.first.clear();
            self.first.extend(self.reference[start..end as usize].iter().filter(|&&number| number != 0));
            start = end as usize;
            if self.first.is_empty() {
                continue;
            }
            self.masks.set(&self.first, symbols);
            self.union.clear();
            self.union.resize(self.masks.words(), 0);
            let mut from = 0;
            for &to in &prediction.lines {
                let line = &self.prediction[from..to as usize];
                from = to as usize;
                self.masks.walk(line, &mut self.columns, control, |at, _| self.union[at / 64] |= 1 << (at % 64))?;
            }
            for (at, &number) in self.first.iter().enumerate() {
                if self.union[at / 64] >> (at % 64) & 1 == 1 {
                    hits += Self::clip(&mut self.counts, number);
                }
            }
        }
        Ok(hits)
    }
}

/// How many n-grams two texts share: sorted where that is quick, else counted, with looks at the control.
fn shared_grams(a: &[u32], b: &[u32], n: usize, control: &Control) -> Result<usize> {
    if a.len().max(b.len()) <= LONG {
        let [a, b] = [a, b].map(|tokens| {
            let mut grams: Vec<&[u32]> = tokens.windows(n).collect();
            grams.sort_unstable();
            grams
        });
        return Ok(shared(&a, &b));
    }
    let (mut counts, mut hits): (FxHashMap<&[u32], u32>, _) = (FxHashMap::default(), 0);
    for (at, gram) in b.windows(n).enumerate() {
        if at % LONG == 0 {
            control.check()?;
        }
        *counts.entry(gram).or_default() += 1;
    }
    for (at, gram) in a.windows(n).enumerate() {
        if at % LONG == 0 {
            control.check()?;
        }
        if let Some(left) = counts.get_mut(gram).filter(|left| **left > 0) {
            *left -= 1;
            hits += 1;
        }
    }
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::{LONG, shared_grams};
    use crate::hash::mix;
    use crate::parallel::Control;

    #[test]
    fn grams_are_counted_as_they_are_sorted() {
        let draw = |stream: u64, length: usize| (0..length).map(|k| (mix(stream ^ mix(k as u64)) % 6) as u32).collect::<Vec<_>>();
        let (a, b, control) = (draw(1, 900), draw(2, 700), Control::default());
        // What stands in one text alone changes no hit.
        let long: Vec<u32> = b.iter().copied().chain((0..LONG as u32).map(|k| 10 + k)).collect();
        for n in 3..8 {
            let hits = shared_grams(&a, &b, n, &control).unwrap();
            assert!(hits > 0 || n > 5);
            assert_eq!((shared_grams(&a, &long, n, &control), shared_grams(&long, &a, n, &control)), (Ok(hits), Ok(hits)));
        }
        control.stop();
        assert!(shared_grams(&a, &long, 3, &control).is_err());
    }
}
