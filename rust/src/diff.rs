//! What changed between two texts, word by word: spans for reports.

use std::ops::Range;

use rustc_hash::FxHashMap;

use self::segments::Segments;
use crate::error::Result;
use crate::lcs::Masks;
use crate::parallel::{Control, map};

mod segments;

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

/// Words of the bit rows of one pair at most (64 MiB), and steps over them (some seconds); beyond, all between common
/// start and end is one change.
const ROWS: usize = 8 << 20;
const STEPS: usize = 4 << 30;

/// Segments between two looks at the control.
const PART: usize = 1 << 16;

/// Compares pair after pair; kept between them, so that little is allocated.
#[derive(Debug, Default)]
pub struct Differ<'t> {
    a: Segments,
    b: Segments,
    numbers: FxHashMap<&'t str, u32>,
    pattern: Vec<u32>,
    text: Vec<u32>,
    masks: Masks,
    columns: Vec<u64>,
    common: Vec<(usize, usize)>,
}

impl<'t> Differ<'t> {
    /// The spans that turn `a` into `b`, in order and without gaps, along a longest common subsequence of their
    /// segments (UAX 29 word borders). White space alone between two changes belongs to them.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`].
    pub fn spans(&mut self, a: &'t str, b: &'t str, control: &Control) -> Result<Vec<Span>> {
        self.a.set(a, control)?;
        self.b.set(b, control)?;
        control.check()?;
        let (n, m) = (self.a.len(), self.b.len());
        let same = |i: usize, j: usize| self.a.of(a, i) == self.b.of(b, j);
        let head = (0..n.min(m)).take_while(|&k| same(k, k)).count();
        control.check()?;
        let tail = (1..=n.min(m) - head).take_while(|&k| same(n - k, m - k)).count();
        self.common.clear();
        self.align((a, head..n - tail), (b, head..m - tail), control)?;
        self.common.extend((0..head).rev().map(|k| (k, k)));
        self.common.reverse();
        self.common.extend((0..tail).map(|k| (n - tail + k, m - tail + k)));
        control.check()?;
        lone_space_dropped(|at| self.a.of(a, at), &mut self.common, (n, m));
        control.check()?;
        Ok(spans(&self.a, &self.b, &self.common))
    }

    /// Append what two parts have in common, last first.
    fn align(&mut self, a: (&'t str, Range<usize>), b: (&'t str, Range<usize>), control: &Control) -> Result<()> {
        let (from, to) = (a.1.start, b.1.start);
        if a.1.is_empty() || b.1.is_empty() {
            return Ok(());
        }
        self.numbers.clear();
        self.pattern.clear();
        for at in a.1 {
            if at % PART == 0 {
                control.check()?;
            }
            let next = self.numbers.len() as u32 + 1;
            self.pattern.push(*self.numbers.entry(self.a.of(a.0, at)).or_insert(next));
        }
        self.text.clear();
        for at in b.1 {
            if at % PART == 0 {
                control.check()?;
            }
            self.text.push(self.numbers.get(self.b.of(b.0, at)).copied().unwrap_or(0));
        }
        let (symbols, words) = (self.numbers.len() + 1, self.pattern.len().div_ceil(64));
        if words.saturating_mul(symbols) > ROWS || words.saturating_mul(self.text.len()) > STEPS {
            return Ok(());
        }
        control.check()?;
        self.masks.set(&self.pattern, symbols);
        self.masks.walk(&self.text, &mut self.columns, control, |i, j| self.common.push((from + i, to + j)))
    }
}

/// Leave out runs of common segments that are white space alone and lie between two changes.
fn lone_space_dropped<'t>(a: impl Fn(usize) -> &'t str, common: &mut Vec<(usize, usize)>, ends: (usize, usize)) {
    let follows = |x: (usize, usize), y: (usize, usize)| y == (x.0 + 1, x.1 + 1);
    let (mut start, mut kept) = (0, 0);
    for at in 0..common.len() {
        if at + 1 < common.len() && follows(common[at], common[at + 1]) {
            continue;
        }
        let run = &common[start..=at];
        let borders = run[0] == (0, 0) || follows(run[run.len() - 1], ends);
        if borders || run.iter().any(|&(i, _)| !a(i).chars().all(char::is_whitespace)) {
            common.copy_within(start..=at, kept);
            kept += at + 1 - start;
        }
        start = at + 1;
    }
    common.truncate(kept);
}

fn spans(a: &Segments, b: &Segments, common: &[(usize, usize)]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let (mut i, mut j) = (0, 0);
    for &(next_i, next_j) in common.iter().chain([&(a.len(), b.len())]) {
        let (from, to) = ((a.start(i), b.start(j)), (a.start(next_i), b.start(next_j)));
        if next_i > i {
            spans.push(Span { op: Op::Delete, a: (from.0, to.0), b: (from.1, from.1) });
        }
        if next_j > j {
            spans.push(Span { op: Op::Insert, a: (to.0, to.0), b: (from.1, to.1) });
        }
        if next_i < a.len() && next_j < b.len() {
            let (end_a, end_b) = (a.start(next_i + 1), b.start(next_j + 1));
            match spans.last_mut() {
                Some(last) if last.op == Op::Equal => (last.a.1, last.b.1) = (end_a, end_b),
                _ => spans.push(Span { op: Op::Equal, a: (to.0, end_a), b: (to.1, end_b) }),
            }
        }
        (i, j) = (next_i + 1, next_j + 1);
    }
    spans
}

/// Pairs that one task takes.
const CHUNK: usize = 256;

/// The spans of each row ([`Differ`]); null where either side is.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn rows(a: &[Option<&str>], b: &[Option<&str>], control: &Control) -> Result<Vec<Option<Vec<Span>>>> {
    let chunks = map(a.len().div_ceil(CHUNK), |chunk| {
        let mut differ = Differ::default();
        let rows = chunk * CHUNK..a.len().min((chunk + 1) * CHUNK);
        rows.map(|row| {
            control.check()?;
            control.advance(1);
            a[row].zip(b[row]).map(|(a, b)| differ.spans(a, b, control)).transpose()
        })
        .collect::<Result<Vec<_>>>()
    })?;
    Ok(chunks.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::{Differ, Op};
    use crate::parallel::Control;
    use proptest::prelude::*;

    fn shown(a: &str, b: &str) -> Vec<(char, String)> {
        let cut = |text: &str, (start, end): (u32, u32)| text.chars().skip(start as usize).take((end - start) as usize).collect();
        Differ::default()
            .spans(a, b, &Control::default())
            .unwrap()
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
