//! Bit-parallel longest common subsequences of symbol sequences, and the way back through their tables.
//!
//! H. Hyyrö, "Bit-parallel LCS-length computation revisited" (AWOCA 2004): bit i of column j is **zero** where
//! `t[i+1][j] = t[i][j] + 1`, t being the table of LCS lengths of the prefixes of pattern and text.

use crate::error::Result;
use crate::parallel::Control;

/// Words of the largest table that is kept whole (8 MiB): of a larger one some columns are, and the others made again.
const TABLE: usize = 1 << 20;

/// Symbols of a pattern that are worked on at a time where bit rows over all of it would be too large.
const STRIP: usize = 4096;

/// Where each symbol stands in a pattern, one bit row a symbol. Kept between patterns, so that nothing is allocated.
#[derive(Debug, Default)]
pub struct Masks {
    words: usize,
    length: usize,
    bits: Vec<u64>,
    set: Vec<u32>,
}

impl Masks {
    /// Take another pattern over the symbols `0..symbols`. Symbol 0 stands for whatever matches nothing.
    pub fn set(&mut self, pattern: &[u32], symbols: usize) {
        for symbol in self.set.drain(..) {
            self.bits[symbol as usize * self.words..][..self.words].fill(0);
        }
        self.length = pattern.len();
        self.words = pattern.len().div_ceil(64).max(1);
        if self.bits.len() < symbols * self.words {
            self.bits.resize(symbols * self.words, 0);
        }
        for (at, &symbol) in pattern.iter().enumerate().filter(|(_, symbol)| **symbol != 0) {
            self.bits[symbol as usize * self.words + at / 64] |= 1 << (at % 64);
            self.set.push(symbol);
        }
    }

    /// Words of a bit row over the pattern.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words
    }

    fn of(&self, symbol: u32) -> &[u64] {
        &self.bits[symbol as usize * self.words..][..self.words]
    }

    fn step(&self, column: &mut [u64], symbol: u32) {
        self.step_from(column, symbol, false);
    }

    /// A step that goes on where one in the strip before carried over; whether it carries over itself.
    #[inline]
    fn step_from(&self, column: &mut [u64], symbol: u32, mut carry: bool) -> bool {
        for (v, m) in column.iter_mut().zip(self.of(symbol)) {
            let u = *v & m;
            let (sum, over) = v.overflowing_add(u);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            carry = over || again;
            *v = sum | (*v - u);
        }
        carry
    }

    /// The length of the longest common subsequence of two sequences of the symbols `0..symbols`, 0 matching nothing, in
    /// memory that grows with the sequences: of a long pattern a strip at a time, with what each step carries to the next.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted).
    pub fn longest(&mut self, pattern: &[u32], text: &[u32], symbols: usize, column: &mut Vec<u64>, control: &Control) -> Result<usize> {
        if symbols.saturating_mul(pattern.len().div_ceil(64)) <= TABLE {
            self.set(pattern, symbols);
            return self.length(text, column, control);
        }
        let (mut local, mut strip, mut carried, mut length) = (vec![0; symbols], Vec::new(), vec![false; text.len()], 0);
        for part in pattern.chunks(STRIP) {
            let mut count = 1;
            strip.clear();
            strip.extend(part.iter().map(|&symbol| {
                let number = &mut local[symbol as usize];
                if *number == 0 && symbol != 0 {
                    *number = count;
                    count += 1;
                }
                *number
            }));
            self.set(&strip, count as usize);
            column.clear();
            column.resize(self.words, u64::MAX);
            for (text, carried) in text.chunks(STRIP).zip(carried.chunks_mut(STRIP)) {
                control.check()?;
                for (&symbol, carry) in text.iter().zip(carried) {
                    let number = local[symbol as usize];
                    if number != 0 || *carry {
                        *carry = self.step_from(column, number, *carry);
                    }
                }
            }
            length += column.iter().map(|v| v.count_zeros() as usize).sum::<usize>();
            part.iter().for_each(|&symbol| local[symbol as usize] = 0);
        }
        Ok(length)
    }

    /// The length of the longest common subsequence of the pattern and `text`.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted).
    pub fn length(&self, text: &[u32], column: &mut Vec<u64>, control: &Control) -> Result<usize> {
        if self.words == 1 {
            let last = text.iter().fold(u64::MAX, |v, &symbol| {
                let u = v & self.bits[symbol as usize];
                v.wrapping_add(u) | (v - u)
            });
            return Ok(last.count_zeros() as usize);
        }
        column.clear();
        column.resize(self.words, u64::MAX);
        for part in text.chunks(TABLE.div_ceil(self.words)) {
            control.check()?;
            part.iter().for_each(|&symbol| self.step(column, symbol));
        }
        Ok(column.iter().map(|v| v.count_zeros() as usize).sum())
    }

    /// Every column of the table, one after the other; returns whether anything matched at all.
    pub fn columns(&self, text: &[u32], columns: &mut Vec<u64>) -> bool {
        columns.clear();
        if self.words == 1 {
            let mut v = u64::MAX;
            columns.extend(text.iter().map(|&symbol| {
                let u = v & self.bits[symbol as usize];
                v = v.wrapping_add(u) | (v - u);
                v
            }));
            return v != u64::MAX;
        }
        let mut last = vec![u64::MAX; self.words];
        self.columns_after(&mut last, text, columns);
        last.iter().any(|&v| v != u64::MAX)
    }

    /// Every column of `text`, which goes on where a column was the last.
    fn columns_after(&self, last: &mut [u64], text: &[u32], columns: &mut Vec<u64>) {
        columns.clear();
        columns.reserve(text.len() * self.words);
        for &symbol in text {
            self.step(last, symbol);
            columns.extend_from_slice(last);
        }
    }

    /// [`Self::columns`], then [`Self::back`], in memory that grows with the root of the text's length.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted).
    pub fn walk(&self, text: &[u32], columns: &mut Vec<u64>, control: &Control, mut take: impl FnMut(usize, usize)) -> Result<()> {
        control.check()?;
        if text.len() * self.words <= TABLE {
            if self.columns(text, columns) {
                self.back(text, columns, take);
            }
            return Ok(());
        }
        let stride = text.len().isqrt();
        let (mut kept, mut last) = (Vec::with_capacity(text.len().div_ceil(stride) * self.words), vec![u64::MAX; self.words]);
        for part in text.chunks(stride) {
            control.check()?;
            kept.extend_from_slice(&last);
            part.iter().for_each(|&symbol| self.step(&mut last, symbol));
        }
        let mut end = self.length;
        for (part, before) in text.chunks(stride).enumerate().zip(kept.chunks_exact(self.words)).rev() {
            control.check()?;
            let (number, part) = part;
            last.copy_from_slice(before);
            self.columns_after(&mut last, part, columns);
            match self.back_from(end, part, columns, |i, j| take(i, number * stride + j)) {
                Some(rest) => end = rest,
                None => break,
            }
        }
        Ok(())
    }

    /// Walk back from the end of the table; `take(i, j)` gets each pair of one longest common subsequence, last first.
    ///
    /// Ties fall as in `rouge_score`: a match is taken; else the text shortens where `t[i][j-1] > t[i-1][j]`, which
    /// is where `t[i][j] > t[i-1][j]`, a zero bit; else the pattern shortens. So the next stop in a column is the
    /// highest bit, below the pattern's end, that matches or is zero.
    pub fn back(&self, text: &[u32], columns: &[u64], take: impl FnMut(usize, usize)) {
        self.back_from(self.length, text, columns, take);
    }

    /// The way back from `end` in the pattern; where it stands before `text`, None when nothing is left to match.
    fn back_from(&self, mut end: usize, text: &[u32], columns: &[u64], mut take: impl FnMut(usize, usize)) -> Option<usize> {
        for (j, &symbol) in text.iter().enumerate().rev() {
            let (column, matches) = (&columns[j * self.words..][..self.words], self.of(symbol));
            let at = highest_below(end, |word| matches[word] | !column[word])?;
            if matches[at / 64] >> (at % 64) & 1 == 1 {
                take(at, j);
                end = at;
            } else {
                end = at + 1;
            }
        }
        Some(end)
    }
}

fn highest_below(end: usize, bits: impl Fn(usize) -> u64) -> Option<usize> {
    let last = end.checked_sub(1)?;
    let mut word = last / 64;
    let mut left = bits(word) & (u64::MAX >> (63 - last % 64));
    loop {
        if left != 0 {
            return Some(word * 64 + 63 - left.leading_zeros() as usize);
        }
        word = word.checked_sub(1)?;
        left = bits(word);
    }
}

#[cfg(test)]
mod tests {
    use super::{Masks, TABLE};
    use crate::hash::mix;
    use crate::parallel::Control;
    use proptest::prelude::*;

    /// `rouge_score.rouge_scorer._backtrack_norec` over `_lcs_table`.
    fn plain(pattern: &[u32], text: &[u32]) -> Vec<(usize, usize)> {
        let mut t = vec![vec![0usize; text.len() + 1]; pattern.len() + 1];
        for i in 1..=pattern.len() {
            for j in 1..=text.len() {
                t[i][j] = if pattern[i - 1] == text[j - 1] { t[i - 1][j - 1] + 1 } else { t[i - 1][j].max(t[i][j - 1]) };
            }
        }
        let (mut i, mut j, mut pairs) = (pattern.len(), text.len(), Vec::new());
        while i > 0 && j > 0 {
            if pattern[i - 1] == text[j - 1] {
                pairs.push((i - 1, j - 1));
                i -= 1;
                j -= 1;
            } else if t[i][j - 1] > t[i - 1][j] {
                j -= 1;
            } else {
                i -= 1;
            }
        }
        pairs
    }

    proptest! {
        #[test]
        fn the_way_back_is_rouge_scores(pattern in prop::collection::vec(1u32..6, 0..150), text in prop::collection::vec(1u32..6, 0..150)) {
            let mut masks = Masks::default();
            masks.set(&[1, 2, 3], 7);
            masks.set(&pattern, 7);
            let (mut columns, mut pairs) = (Vec::new(), Vec::new());
            masks.columns(&text, &mut columns);
            masks.back(&text, &columns, |i, j| pairs.push((i, j)));
            prop_assert_eq!(&pairs, &plain(&pattern, &text));
            prop_assert_eq!(masks.length(&text, &mut columns, &Control::default()), Ok(pairs.len()));
        }
    }

    #[test]
    fn a_table_kept_in_part_leads_the_same_way() {
        let draw = |stream: u64, length: u64| (0..length).map(|k| 1 + (mix(stream ^ mix(k)) % 50) as u32).collect::<Vec<_>>();
        let (pattern, text, control) = (draw(1, 9_000), draw(2, 11_000), Control::default());
        assert!(text.len() * pattern.len() / 64 > TABLE);
        let (mut masks, mut columns, mut walked, mut whole) = (Masks::default(), Vec::new(), Vec::new(), Vec::new());
        masks.set(&pattern, 51);
        masks.walk(&text, &mut columns, &control, |i, j| walked.push((i, j))).unwrap();
        assert!(masks.columns(&text, &mut columns));
        masks.back(&text, &columns, |i, j| whole.push((i, j)));
        assert_eq!(walked, whole);
        assert_eq!(masks.length(&text, &mut columns, &control), Ok(whole.len()));
        // So many symbols that the pattern is taken in strips.
        let many = (TABLE / 9_000 * 64) * 2;
        assert_eq!(masks.longest(&pattern, &text, many, &mut columns, &control), Ok(whole.len()));
        assert_eq!(masks.longest(&pattern, &text, 51, &mut columns, &control), Ok(whole.len()));
        control.stop();
        assert!(masks.longest(&pattern, &text, many, &mut columns, &control).is_err());
        assert!(masks.length(&text, &mut columns, &control).is_err());
    }
}
