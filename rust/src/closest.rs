//! The most similar text of another column, found without a search that could miss it: every pair that shares a shingle is counted.
//!
//! The texts are indexed by their shingles; the other column streams past. Work grows with the number of shared
//! shingles, memory with the texts alone, so the smaller column is the one to index.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::parallel::{Control, map};
use crate::shingle::{Shape, Shingler};

/// Texts that one task reads.
const GRAIN: usize = 256;
/// Shingles between two looks at the control.
const PART: usize = 1 << 16;

/// The most similar text of the other column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closest {
    /// Its row; the smallest where several are as similar.
    pub twin: u32,
    /// The exact Jaccard similarity, above 0.
    pub similarity: f64,
}

impl Closest {
    /// The more similar of two, then the one with the smaller row: whatever the order of comparison.
    fn best(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(a), Some(b)) if (b.similarity, a.twin) > (a.similarity, b.twin) => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        }
    }
}

/// Shingles are hashes already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("shingles are written as u64")
    }

    fn write_u64(&mut self, shingle: u64) {
        self.0 = shingle;
    }
}

/// Which texts hold a shingle, and how many shingles each text has.
struct Index {
    /// Distinct shingles, numbered as they come.
    numbers: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    /// Texts by shingle: `rows[starts[number]..starts[number + 1]]`.
    rows: Vec<u32>,
    starts: Vec<usize>,
    sizes: Vec<usize>,
}

impl Index {
    fn new(texts: &[Option<&str>], shape: Shape, control: &Control) -> Result<Self> {
        let sets = map(texts.len().div_ceil(GRAIN), |chunk| {
            let mut shingler = Shingler::new(shape, control);
            let texts = &texts[chunk * GRAIN..texts.len().min((chunk + 1) * GRAIN)];
            let sets = texts.iter().map(|text| text.map_or(Ok(Vec::new()), |text| shingler.set(text))).collect::<Result<Vec<_>>>()?;
            control.advance(texts.len());
            Ok(sets)
        })?;
        let sets: Vec<Vec<u64>> = sets.into_iter().flatten().collect();
        let mut numbers: HashMap<u64, u32, BuildHasherDefault<AsIs>> = HashMap::default();
        let (mut starts, mut numbered) = (vec![0], Vec::with_capacity(sets.iter().map(Vec::len).sum()));
        for shingles in sets.iter().flat_map(|set| set.chunks(PART)) {
            control.check()?;
            for &shingle in shingles {
                let next = starts.len() as u32;
                let number = *numbers.entry(shingle).or_insert(next);
                if number == next {
                    starts.push(0);
                }
                starts[number as usize] += 1;
                numbered.push(number);
            }
        }
        if starts.len() > u32::MAX as usize {
            return Err(Error::Input("texts: found 2^32 distinct shingles or more, expected fewer; work on parts".into()));
        }
        // Numbers count from 1, so that each entry becomes the end of a shingle's rows and then, filled from there, their start.
        for number in 1..starts.len() {
            starts[number] += starts[number - 1];
        }
        let (mut rows, mut rest) = (vec![0; numbered.len()], numbered.as_slice());
        for (set, row) in sets.iter().zip(0_u32..) {
            let (mine, others) = rest.split_at(set.len());
            rest = others;
            for numbers in mine.chunks(PART) {
                control.check()?;
                for &number in numbers {
                    starts[number as usize] -= 1;
                    rows[starts[number as usize]] = row;
                }
            }
        }
        starts.push(rows.len());
        Ok(Self { numbers, rows, starts, sizes: sets.iter().map(Vec::len).collect() })
    }

    /// The texts that hold a shingle.
    fn rows(&self, shingle: u64) -> &[u32] {
        self.numbers.get(&shingle).map_or(&[], |&number| &self.rows[self.starts[number as usize]..self.starts[number as usize + 1]])
    }
}

/// For each text the most similar one of `against`; none where it shares no shingle with any, or is null.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Input`] for 2^32 distinct shingles or more.
pub fn closest(texts: &[Option<&str>], against: &[Option<&str>], shape: Shape, control: &Control) -> Result<Vec<Option<Closest>>> {
    let index = Index::new(texts, shape, control)?;
    let none = || vec![None; texts.len()];
    against
        .par_chunks(GRAIN)
        .enumerate()
        .try_fold(none, |mut found, (chunk, others)| {
            control.check()?;
            let mut shingler = Shingler::new(shape, control);
            let (mut shared, mut touched) = (vec![0_u32; texts.len()], Vec::new());
            for (place, text) in others.iter().enumerate() {
                let Some(text) = text else { continue };
                let set = shingler.set(text)?;
                for shingles in set.chunks(PART) {
                    control.check()?;
                    for &row in shingles.iter().flat_map(|&shingle| index.rows(shingle)) {
                        if shared[row as usize] == 0 {
                            touched.push(row);
                        }
                        shared[row as usize] += 1;
                    }
                }
                let twin = (chunk * GRAIN + place) as u32;
                for row in touched.drain(..) {
                    let row = row as usize;
                    let both = std::mem::take(&mut shared[row]) as usize;
                    let similarity = both as f64 / (index.sizes[row] + set.len() - both) as f64;
                    found[row] = Closest::best(found[row], Some(Closest { twin, similarity }));
                }
            }
            control.advance(others.len());
            Ok(found)
        })
        .try_reduce(none, |one, other| Ok(one.into_iter().zip(other).map(|(a, b)| Closest::best(a, b)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[Option<&str>], against: &[Option<&str>]) -> Vec<Option<Closest>> {
        closest(texts, against, Shape::new(1, "word").unwrap(), &Control::default()).unwrap()
    }

    #[test]
    fn the_most_similar_and_of_equals_the_first() {
        let twins = found(&[Some("a b c d"), Some("z"), None], &[Some("a x"), Some("A b c!"), None, Some("c b a")]);
        assert_eq!(twins, [Some(Closest { twin: 1, similarity: 0.75 }), None, None]);
    }

    #[test]
    fn nothing_is_closest_to_nothing() {
        assert_eq!(found(&[Some("a")], &[]), [None]);
        assert_eq!(found(&[], &[Some("a")]), []);
    }

    #[test]
    fn short_texts_are_compared_whole_and_wordless_ones_as_they_are() {
        let shape = Shape::new(5, "word").unwrap();
        let twins = closest(&[Some("a b"), Some("?!")], &[Some("a b c"), Some("?!"), Some("A, b")], shape, &Control::default()).unwrap();
        assert_eq!(twins.iter().map(|twin| twin.map(|t| t.twin)).collect::<Vec<_>>(), [Some(2), Some(1)]);
    }
}
