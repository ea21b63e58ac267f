//! The shortest runs of pieces that are long enough, each with a hash of its text.

use super::borders::Piece;
use crate::hash::{mix, short};

/// An odd number: multiplying by it loses no bit of a piece's hash.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// The windows of one row after the other, without allocating for each.
#[derive(Default)]
pub struct Windows {
    /// Powers of [`BASE`].
    powers: Vec<u64>,
    /// Hash of all before a piece, and of what lies between it and the piece before.
    before: Vec<(u64, u64)>,
}

impl Windows {
    /// Call `take(first, last, key)` with the windows of a row whose bytes and pieces are given: from each piece the shortest
    /// run of at least `least`, and to each piece the shortest that ends there. Every run that is long enough is covered
    /// by windows inside it, so that two rows share a long run exactly where they share windows.
    pub fn each(&mut self, bytes: &[u8], pieces: &[Piece], least: u32, mut take: impl FnMut(usize, usize, u64)) {
        let Some(last) = pieces.last() else { return };
        if last.to - pieces[0].from < least {
            return;
        }
        self.hash(bytes, pieces);
        // `end` is the last piece of the shortest run from `start`, and `after` that of the run from the piece after.
        let mut end = reach(pieces, 0, 0, least);
        for start in 0..pieces.len() {
            let Some(first) = end else { return };
            let after = if start + 1 < pieces.len() { reach(pieces, start + 1, first.max(start + 1), least) } else { None };
            let stop = after.unwrap_or(pieces.len()).max(first + 1);
            for last in first..stop {
                take(start, last, self.key(start, last));
            }
            end = after;
        }
    }

    fn hash(&mut self, bytes: &[u8], pieces: &[Piece]) {
        self.before.clear();
        let (mut all, mut at) = (0_u64, pieces[0].start);
        for piece in pieces {
            let gap = match &bytes[at as usize..piece.start as usize] {
                b"" => 1,
                b" " => 2,
                other => short(other),
            };
            let gap = gap.wrapping_mul(0xff51_afd7_ed55_8ccd);
            self.before.push((all, gap));
            let text = short(&bytes[piece.start as usize..piece.end as usize]);
            all = all.wrapping_mul(BASE).wrapping_add(text).wrapping_add(gap);
            at = piece.end;
        }
        self.before.push((all, 0));
    }

    fn key(&mut self, first: usize, last: usize) -> u64 {
        let count = last + 1 - first;
        while self.powers.len() <= count {
            let next = self.powers.last().map_or(1, |power: &u64| power.wrapping_mul(BASE));
            self.powers.push(next);
        }
        let (start, gap) = self.before[first];
        let all = self.before[last + 1].0.wrapping_sub(start.wrapping_mul(self.powers[count]));
        mix(all.wrapping_sub(gap.wrapping_mul(self.powers[count - 1])))
    }
}

/// The last piece, from `at` on, of the shortest run from `start` that is long enough.
fn reach(pieces: &[Piece], start: usize, at: usize, least: u32) -> Option<usize> {
    (at..pieces.len()).find(|&last| pieces[last].to - pieces[start].from >= least)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::Windows;
    use crate::substring::borders::{Border, Measure, pieces};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_texts_and_long_runs_are_covered(text in "[ab é.\n日]{0,40}", least in 1_u32..9, words: bool) {
            let measure = if words { Measure::Word } else { Measure::Character };
            let mut cut = Vec::new();
            pieces(&text, Border::Word, measure, &mut cut, &crate::parallel::Control::default()).unwrap();
            let (mut windows, mut texts, mut found) = (Windows::default(), HashMap::new(), HashSet::new());
            windows.each(text.as_bytes(), &cut, least, |first, last, key| {
                let run = &text[cut[first].start as usize..cut[last].end as usize];
                assert_eq!(*texts.entry(key).or_insert(run), run);
                assert!(cut[last].to - cut[first].from >= least);
                assert!(found.insert((first, last)));
            });
            let distinct: HashSet<&str> = texts.values().copied().collect();
            prop_assert_eq!(distinct.len(), texts.len());
            for first in 0..cut.len() {
                for last in first..cut.len() {
                    if cut[last].to - cut[first].from >= least {
                        let inside = found.iter().filter(|(a, b)| first <= *a && *b <= last);
                        let covered: HashSet<usize> = inside.flat_map(|&(a, b)| a..=b).collect();
                        prop_assert_eq!(covered.len(), last + 1 - first);
                    }
                }
            }
        }
    }
}
