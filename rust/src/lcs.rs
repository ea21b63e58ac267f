//! Bit-parallel longest common subsequences of symbol sequences, and the way back through their tables.
//!
//! H. Hyyrö, "Bit-parallel LCS-length computation revisited" (AWOCA 2004): bit i of column j is **zero** where
//! `t[i+1][j] = t[i][j] + 1`, t being the table of LCS lengths of the prefixes of pattern and text.

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
        let mut carry = false;
        for (v, m) in column.iter_mut().zip(self.of(symbol)) {
            let u = *v & m;
            let (sum, over) = v.overflowing_add(u);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            carry = over || again;
            *v = sum | (*v - u);
        }
    }

    /// The length of the longest common subsequence of the pattern and `text`.
    pub fn length(&self, text: &[u32], column: &mut Vec<u64>) -> usize {
        if self.words == 1 {
            let last = text.iter().fold(u64::MAX, |v, &symbol| {
                let u = v & self.bits[symbol as usize];
                v.wrapping_add(u) | (v - u)
            });
            return last.count_zeros() as usize;
        }
        column.clear();
        column.resize(self.words, u64::MAX);
        for &symbol in text {
            self.step(column, symbol);
        }
        column.iter().map(|v| v.count_zeros() as usize).sum()
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
        columns.resize(text.len() * self.words, u64::MAX);
        let mut before = vec![u64::MAX; self.words];
        for (column, &symbol) in columns.chunks_exact_mut(self.words).zip(text) {
            self.step(&mut before, symbol);
            column.copy_from_slice(&before);
        }
        before.iter().any(|&v| v != u64::MAX)
    }

    /// Walk back from the end of the table; `take(i, j)` gets each pair of one longest common subsequence, last first.
    ///
    /// Ties fall as in `rouge_score`: a match is taken; else the text shortens where `t[i][j-1] > t[i-1][j]`, which
    /// is where `t[i][j] > t[i-1][j]`, a zero bit; else the pattern shortens. So the next stop in a column is the
    /// highest bit, below the pattern's end, that matches or is zero.
    pub fn back(&self, text: &[u32], columns: &[u64], mut take: impl FnMut(usize, usize)) {
        let mut end = self.length;
        for (j, &symbol) in text.iter().enumerate().rev() {
            let (column, matches) = (&columns[j * self.words..][..self.words], self.of(symbol));
            let Some(at) = highest_below(end, |word| matches[word] | !column[word]) else { return };
            if matches[at / 64] >> (at % 64) & 1 == 1 {
                take(at, j);
                end = at;
            } else {
                end = at + 1;
            }
        }
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
    use super::Masks;
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
            prop_assert_eq!(masks.length(&text, &mut columns), pairs.len());
        }
    }
}
