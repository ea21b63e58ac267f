//! The score of one pair: counts, sorted keys and bit rows over the symbols of its reference.

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
                        let (p, r) = (grams(&prediction.tokens, n), grams(&reference.tokens, n));
                        Score::new(shared(&p, &r), p.len(), r.len())
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
        self.masks.set(short, symbols);
        self.masks.length(long, &mut self.columns, control)
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

fn grams(tokens: &[u32], n: usize) -> Vec<&[u32]> {
    let mut grams: Vec<&[u32]> = tokens.windows(n).collect();
    grams.sort_unstable();
    grams
}
