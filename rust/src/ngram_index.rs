//! Overlap of training texts with evaluation items: an index of the items' n-grams, past which the texts are streamed.
//!
//! Tokens are known by a 64-bit hash; runs of tokens are found by a rolling hash and then compared.

mod grams;
mod tokens;

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_128;

use crate::error::{Error, Result};
use crate::fields::check_rows;
use crate::parallel::Control;
use grams::Grams;
pub use tokens::{Cut, Cutter};

/// Texts per piece of parallel work.
const GRAIN: usize = 128;

/// What counts as an overlap.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What is compared.
    pub cut: Cut,
    /// Tokens that must be shared in a run.
    pub n: usize,
    /// Items of fewer than `n` tokens: contained as a whole from this many tokens on, below it equal to the whole text.
    /// `None` leaves such items out.
    pub contain: Option<usize>,
    /// The smallest share that is listed.
    pub threshold: f64,
    /// The share must exceed the threshold.
    pub above: bool,
}

impl Rule {
    /// # Errors
    /// [`Error::Option`] for `n` or `contain` of 0, or a threshold outside [0, 1].
    pub fn check(&self) -> Result<()> {
        if self.n == 0 || self.contain == Some(0) {
            return Err(Error::Option("n, contain: found 0, expected at least 1 token".into()));
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(Error::Option(format!("threshold: found {}, expected a share from 0 to 1", self.threshold)));
        }
        Ok(())
    }
}

/// A text, an item, and the share of the item that the text covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Covered {
    /// A row of the texts.
    pub row: u32,
    /// A row of the items.
    pub item: u32,
    /// Tokens of the item that lie in a run shared with the text, of all its tokens.
    pub share: f64,
}

/// The items, ready to be looked for.
pub struct Index {
    rule: Rule,
    /// Hashes of all items' tokens, one item after the other.
    tokens: Vec<u64>,
    /// Where each item begins in `tokens`, and where the last ends.
    starts: Vec<usize>,
    long: Grams,
    /// The first tokens of items that are looked for as a whole.
    short: Grams,
    /// Items that must be the whole text: by their tokens, and by their raw text where there are none.
    whole: FxHashMap<u128, Vec<u32>>,
}

/// Buffers of one worker.
#[derive(Default)]
struct Found {
    grams: Vec<u32>,
    /// Item, first token, tokens.
    runs: Vec<(u32, u32, u32)>,
}

impl Index {
    /// Index `items`; null is not looked for.
    ///
    /// # Errors
    /// [`Error::Option`]; [`Error::Interrupted`]; [`Error::Input`] for 2^32 - 1 items or tokens.
    pub fn new(items: &[Option<&str>], rule: Rule, control: &Control) -> Result<Self> {
        rule.check()?;
        check_rows(items.len())?;
        let pieces: Vec<Vec<Vec<u64>>> = items
            .par_chunks(GRAIN)
            .map_init(
                || Cutter::new(rule.cut, control),
                |cutter, piece| {
                    control.check()?;
                    let mut tokens = |item: &Option<&str>| item.map_or(Ok(Vec::new()), |item| Ok(cutter.tokens(item)?.to_vec()));
                    let all = piece.iter().map(&mut tokens).collect::<Result<_>>()?;
                    control.advance(piece.len());
                    Ok(all)
                },
            )
            .collect::<Result<_>>()?;
        let mut starts = vec![0];
        let mut tokens = Vec::with_capacity(pieces.iter().flatten().map(Vec::len).sum());
        for item in pieces.into_iter().flatten() {
            tokens.extend(item);
            starts.push(tokens.len());
        }
        check_rows(tokens.len())?;
        let rule = Rule { contain: rule.contain.map(|contain| contain.min(rule.n)), ..rule };
        let contain = rule.contain;
        let (mut whole, mut prefixes, mut windows): (FxHashMap<u128, Vec<u32>>, _, _) = (FxHashMap::default(), Vec::new(), Vec::new());
        for ((item, text), at) in (0_u32..).zip(items).zip(starts.windows(2)) {
            let count = at[1] - at[0];
            if count >= rule.n {
                windows.extend((0..=count - rule.n).map(|place| (item, (at[0] + place) as u32)));
            } else if let (Some(contain), Some(text)) = (contain, text) {
                if count >= contain {
                    prefixes.push((item, at[0] as u32));
                } else if let Some(key) = whole_key(text, &tokens[at[0]..at[1]]) {
                    whole.entry(key).or_default().push(item);
                }
            }
        }
        let long = Grams::new(rule.n, &tokens, &windows, control)?;
        let short = Grams::new(contain.unwrap_or(rule.n), &tokens, &prefixes, control)?;
        Ok(Self { rule, tokens, starts, long, short, whole })
    }

    /// What the index holds in memory, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let whole = self.whole.values().map(|items| 48 + items.len() * 4).sum::<usize>();
        (self.tokens.len() + self.starts.len()) * 8 + self.long.bytes() + self.short.bytes() + whole
    }

    fn item(&self, item: u32) -> &[u64] {
        &self.tokens[self.starts[item as usize]..self.starts[item as usize + 1]]
    }

    /// Every text and item that overlap as the rule says, sorted.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Input`] for 2^32 - 1 texts or more.
    pub fn overlap(&self, texts: &[Option<&str>], control: &Control) -> Result<Vec<Covered>> {
        check_rows(texts.len())?;
        let starts: Vec<usize> = (0..texts.len()).step_by(GRAIN).collect();
        let pieces: Vec<Vec<Covered>> = starts
            .into_par_iter()
            .map_init(
                || (Cutter::new(self.rule.cut, control), Found::default()),
                |(cutter, found), start| {
                    let mut pairs = Vec::new();
                    for (text, row) in texts[start..].iter().take(GRAIN).zip(start as u32..) {
                        control.check()?;
                        if let Some(text) = text {
                            self.row(row, text, cutter.tokens(text)?, found, control, &mut pairs);
                            control.check()?; // what was stopped within a text is cut short
                        }
                    }
                    control.advance(GRAIN.min(texts.len() - start));
                    Ok(pairs)
                },
            )
            .collect::<Result<_>>()?;
        Ok(pieces.concat())
    }

    fn row(&self, row: u32, text: &str, tokens: &[u64], found: &mut Found, control: &Control, pairs: &mut Vec<Covered>) {
        let Found { grams, runs } = found;
        grams.clear();
        runs.clear();
        self.long.each(tokens, &self.tokens, control, |_, gram| grams.push(gram));
        // An n-gram may occur often in a text; its places in the items are looked at once.
        grams.sort_unstable();
        grams.dedup();
        for &gram in control.going(grams.iter()) {
            runs.extend(
                self.long
                    .places(gram)
                    .iter()
                    .map(|&(item, at)| (item, (at as usize - self.starts[item as usize]) as u32, self.rule.n as u32)),
            );
        }
        self.short.each(tokens, &self.tokens, control, |at, gram| {
            runs.extend(self.short.places(gram).iter().filter_map(|&(item, _)| {
                let all = self.item(item);
                tokens[at..].starts_with(all).then_some((item, 0, all.len() as u32))
            }));
        });
        if !self.whole.is_empty()
            && self.rule.contain.is_some_and(|contain| tokens.len() < contain)
            && let Some(items) = whole_key(text, tokens).and_then(|key| self.whole.get(&key))
        {
            pairs.extend(items.iter().map(|&item| Covered { row, item, share: 1.0 }));
        }
        if runs.is_empty() || control.check().is_err() {
            return;
        }
        let first = pairs.len();
        runs.sort_unstable();
        for runs in runs.chunk_by(|a, b| a.0 == b.0) {
            let (mut covered, mut end) = (0, 0);
            for &(_, start, count) in runs {
                let next = end.max(start + count);
                covered += next - end.max(start);
                end = next;
            }
            let share = f64::from(covered) / self.item(runs[0].0).len() as f64;
            if if self.rule.above { share > self.rule.threshold } else { share >= self.rule.threshold } {
                pairs.push(Covered { row, item: runs[0].0, share });
            }
        }
        if first > 0 && pairs[first - 1].row == row {
            let start = pairs.partition_point(|pair| pair.row < row);
            pairs[start..].sort_unstable_by_key(|pair| pair.item);
        }
    }
}

/// What a text is, as a whole: its tokens, or the text itself where there are none. `None` for an empty one.
fn whole_key(text: &str, tokens: &[u64]) -> Option<u128> {
    if tokens.is_empty() {
        let text = text.trim();
        return (!text.is_empty()).then(|| xxh3_128(text.as_bytes()));
    }
    let mut state = xxhash_rust::xxh3::Xxh3::new();
    tokens.iter().for_each(|token| state.update(&token.to_le_bytes()));
    Some(state.digest128())
}

#[cfg(test)]
mod tests {
    use super::{Cut, Index, Rule};
    use crate::parallel::Control;

    fn found(texts: &[&str], items: &[&str], n: usize, contain: Option<usize>, threshold: f64) -> Vec<(u32, u32, f64)> {
        let rule = Rule { cut: Cut::new("word").unwrap(), n, contain, threshold, above: false };
        let (texts, items): (Vec<_>, Vec<_>) = (texts.iter().copied().map(Some).collect(), items.iter().copied().map(Some).collect());
        let index = Index::new(&items, rule, &Control::default()).unwrap();
        assert!(index.bytes() > 0);
        index.overlap(&texts, &Control::default()).unwrap().iter().map(|pair| (pair.row, pair.item, pair.share)).collect()
    }

    #[test]
    fn the_share_is_of_the_items_tokens() {
        let items = ["a b c d e f", "q r s", "x y"];
        assert_eq!(found(&["1 b c D! 2 a b c"], &items, 3, None, 0.0), [(0, 0, 4.0 / 6.0)]);
        assert_eq!(found(&["1 b c D! 2 a b c"], &items, 3, None, 0.7), []);
        assert_eq!(found(&["a b c d e f a b c d e f q r s", "x"], &items, 3, None, 0.5), [(0, 0, 1.0), (0, 1, 1.0)]);
    }

    #[test]
    fn short_items_are_contained_or_equal() {
        let items = ["name the planets", "yes", "?!", "", "the planets now", "name the planets"];
        let texts = ["Please: name the planets now", "Yes.", "oh yes", " ?! ", "", "name the"];
        let want = [(0, 0, 1.0), (0, 4, 1.0), (0, 5, 1.0), (1, 1, 1.0), (3, 2, 1.0)];
        assert_eq!(found(&texts, &items, 8, Some(2), 0.5), want);
        assert_eq!(found(&texts, &items, 8, None, 0.5), []);
        assert_eq!(found(&["please name the planets", "name the planets"], &items, 8, Some(4), 0.5), [(1, 0, 1.0), (1, 5, 1.0)]);
    }
}
