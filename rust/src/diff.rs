//! What changed between two texts, word by word: spans for reports.

use rustc_hash::FxHashMap;
use unicode_segmentation::UnicodeSegmentation;

use crate::error::Result;
use crate::lcs::Masks;
use crate::parallel::Control;

/// What happened to a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// In both texts.
    Equal,
    /// Only in the first.
    Delete,
    /// Only in the second.
    Insert,
}

/// A span, in characters (code points), half open; empty on the side that lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// What happened.
    pub op: Op,
    /// Start and end in the first text.
    pub a: (u32, u32),
    /// Start and end in the second.
    pub b: (u32, u32),
}

/// Words of the bit table of one pair at most (64 MiB); beyond, what lies between common start and end is one change.
const TABLE: usize = 8 << 20;

/// The spans that turn `a` into `b`, in order and without gaps, along a longest common subsequence of their
/// segments (UAX 29 word borders). White space alone between two changes belongs to them.
#[must_use]
pub fn words(a: &str, b: &str) -> Vec<Span> {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split_word_bounds().collect(), b.split_word_bounds().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (inner_a, inner_b) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let mut common: Vec<(usize, usize)> = (0..head).map(|k| (k, k)).collect();
    common.extend(common_pairs(inner_a, inner_b).into_iter().map(|(i, j)| (head + i, head + j)));
    common.extend((0..tail).map(|k| (a.len() - tail + k, b.len() - tail + k)));
    spans(&a, &b, &lone_space_dropped(&a, &common, (a.len(), b.len())))
}

fn common_pairs(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    if a.is_empty() || b.is_empty() || a.len().div_ceil(64).saturating_mul(b.len()) > TABLE {
        return Vec::new();
    }
    let mut numbers = FxHashMap::default();
    let pattern: Vec<u32> = a
        .iter()
        .map(|segment| {
            let next = u32::try_from(numbers.len() + 1).unwrap_or(0);
            *numbers.entry(*segment).or_insert(next)
        })
        .collect();
    let text: Vec<u32> = b.iter().map(|segment| numbers.get(segment).copied().unwrap_or(0)).collect();
    let (mut masks, mut columns, mut pairs) = (Masks::default(), Vec::new(), Vec::new());
    masks.set(&pattern, numbers.len() + 1);
    masks.columns(&text, &mut columns);
    masks.back(&text, &columns, |i, j| pairs.push((i, j)));
    pairs.reverse();
    pairs
}

/// Leave out runs of common segments that are white space alone and lie between two changes.
fn lone_space_dropped(a: &[&str], common: &[(usize, usize)], ends: (usize, usize)) -> Vec<(usize, usize)> {
    let follows = |x: (usize, usize), y: (usize, usize)| y == (x.0 + 1, x.1 + 1);
    let mut kept = Vec::with_capacity(common.len());
    let mut start = 0;
    for at in 0..common.len() {
        if at + 1 < common.len() && follows(common[at], common[at + 1]) {
            continue;
        }
        let run = &common[start..=at];
        start = at + 1;
        let borders = run[0] == (0, 0) || follows(run[run.len() - 1], ends);
        if borders || run.iter().any(|&(i, _)| !a[i].chars().all(char::is_whitespace)) {
            kept.extend_from_slice(run);
        }
    }
    kept
}

fn spans(a: &[&str], b: &[&str], common: &[(usize, usize)]) -> Vec<Span> {
    let (starts_a, starts_b) = (starts(a), starts(b));
    let mut spans: Vec<Span> = Vec::new();
    let (mut i, mut j) = (0, 0);
    for &(next_i, next_j) in common.iter().chain([&(a.len(), b.len())]) {
        let (from, to) = ((starts_a[i], starts_b[j]), (starts_a[next_i], starts_b[next_j]));
        if next_i > i {
            spans.push(Span { op: Op::Delete, a: (from.0, to.0), b: (from.1, from.1) });
        }
        if next_j > j {
            spans.push(Span { op: Op::Insert, a: (to.0, to.0), b: (from.1, to.1) });
        }
        if next_i < a.len() && next_j < b.len() {
            let (end_a, end_b) = (starts_a[next_i + 1], starts_b[next_j + 1]);
            match spans.last_mut() {
                Some(last) if last.op == Op::Equal => (last.a.1, last.b.1) = (end_a, end_b),
                _ => spans.push(Span { op: Op::Equal, a: (to.0, end_a), b: (to.1, end_b) }),
            }
        }
        (i, j) = (next_i + 1, next_j + 1);
    }
    spans
}

/// Where each segment starts, in characters, and where the last ends.
fn starts(segments: &[&str]) -> Vec<u32> {
    let mut at = 0;
    let mut starts = vec![0];
    for segment in segments {
        at += u32::try_from(segment.chars().count()).unwrap_or(u32::MAX);
        starts.push(at);
    }
    starts
}

/// [`words`] of each row; null where either side is.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn rows(a: &[Option<&str>], b: &[Option<&str>], control: &Control) -> Result<Vec<Option<Vec<Span>>>> {
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            control.check()?;
            control.advance(1);
            Ok(a.zip(*b).map(|(a, b)| words(a, b)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Op, words};
    use proptest::prelude::*;

    fn shown(a: &str, b: &str) -> Vec<(char, String)> {
        let cut = |text: &str, (start, end): (u32, u32)| text.chars().skip(start as usize).take((end - start) as usize).collect();
        words(a, b)
            .iter()
            .map(|span| match span.op {
                Op::Equal => ('=', cut(a, span.a)),
                Op::Delete => ('-', cut(a, span.a)),
                Op::Insert => ('+', cut(b, span.b)),
            })
            .collect()
    }

    fn owned(spans: &[(char, &str)]) -> Vec<(char, String)> {
        spans.iter().map(|(op, text)| (*op, (*text).to_owned())).collect()
    }

    #[test]
    fn words_change_as_a_reader_sees_it() {
        assert_eq!(shown("the old cat", "the new cat"), owned(&[('=', "the "), ('-', "old"), ('+', "new"), ('=', " cat")]));
        assert_eq!(shown("one two", "un deux"), owned(&[('-', "one two"), ('+', "un deux")]));
        assert_eq!(shown("", "Ä!"), owned(&[('+', "Ä!")]));
        assert!(shown("", "").is_empty());
    }

    proptest! {
        #[test]
        fn both_texts_can_be_rebuilt(a in "[ab é.]{0,30}", b in "[ab é.]{0,30}") {
            let spans = shown(&a, &b);
            let side = |not: char| spans.iter().filter(|(op, _)| *op != not).map(|(_, text)| text.as_str()).collect::<String>();
            prop_assert_eq!(side('+'), a);
            prop_assert_eq!(side('-'), b);
        }
    }
}
