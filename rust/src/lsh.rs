//! Near duplicates: texts that share a band are candidates, and every candidate is verified by the exact
//! Jaccard similarity of its shingles.
//!
//! Texts with the same tokens are collapsed into one *class* first, so that a thousand copies of a text cost a
//! thousand links and not half a million pairs.

use rayon::prelude::*;

use crate::classes::{Classes, GRAIN, NONE, check_rows, classes, sign};
use crate::components::Forest;
use crate::error::Result;
use crate::minhash::Permutations;
use crate::parallel::Control;
use crate::shingle::{Shape, Shingler, jaccard};

/// How near duplicates are looked for.
#[derive(Debug)]
pub struct Search {
    /// What is compared.
    pub shape: Shape,
    /// How candidates are found.
    pub permutations: Permutations,
    /// The smallest similarity that counts.
    pub threshold: f64,
}

/// Two rows and the exact Jaccard similarity of their shingles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// A row of the texts.
    pub a: u32,
    /// A later row of the texts; in two-sided search a row of the other side.
    pub b: u32,
    /// At least the threshold.
    pub similarity: f64,
}

/// What is known of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// The smallest row of the row's group; in two-sided search the smallest similar row of the other side.
    pub root: Option<u32>,
    /// The most similar other row (the smallest where several are) and its similarity.
    pub twin: Option<(u32, f64)>,
}

/// One key per band and text: texts that share a key are candidates. Null texts have none.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted); [`Error::Input`](crate::error::Error::Input) for 2^32 - 1 texts or more.
pub fn band_keys(texts: &[Option<&str>], search: &Search, control: &Control) -> Result<(Vec<u32>, Vec<u64>)> {
    check_rows(texts.len())?;
    let (_, keys) = sign(texts, search.shape, &search.permutations, control)?;
    let bands = search.permutations.bands();
    let rows = texts.iter().zip(0_u32..).filter(|(text, _)| text.is_some()).flat_map(|(_, row)| std::iter::repeat_n(row, bands));
    Ok((rows.collect(), keys))
}

/// The exact Jaccard similarity of each pair of texts; null where one is.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn verify(a: &[Option<&str>], b: &[Option<&str>], shape: Shape, control: &Control) -> Result<Vec<Option<f64>>> {
    let pieces: Vec<Vec<Option<f64>>> = a
        .par_chunks(GRAIN)
        .zip(b.par_chunks(GRAIN))
        .map_init(
            || Shingler::new(shape),
            |shingler, (a, b)| {
                control.check()?;
                control.advance(a.len());
                Ok(a.iter().zip(b).map(|(a, b)| Some(jaccard(&shingler.set((*a)?), &shingler.set((*b)?)))).collect())
            },
        )
        .collect::<Result<_>>()?;
    Ok(pieces.concat())
}

/// The classes that share a key in one band: runs of `(key, class)` of two or more, sorted.
fn meetings(keys: &[u64], bands: usize, band: usize) -> Vec<(u64, u32)> {
    // Nearly all keys occur once. Two small bitmaps find out which cannot meet before anything is sorted.
    let classes = keys.len() / bands;
    let bits = (classes * 8).next_power_of_two().max(64);
    let (mut once, mut again) = (vec![0_u64; bits / 64], vec![0_u64; bits / 64]);
    let of_band = || keys[band..].iter().step_by(bands).copied();
    let place = |key: u64| ((key as usize & (bits - 1)) / 64, 1_u64 << (key % 64));
    for key in of_band() {
        let (word, bit) = place(key);
        again[word] |= once[word] & bit;
        once[word] |= bit;
    }
    let mut met: Vec<(u64, u32)> = of_band()
        .zip(0..)
        .filter(|&(key, _)| {
            let (word, bit) = place(key);
            again[word] & bit != 0
        })
        .collect();
    met.sort_unstable();
    let alone: Vec<bool> =
        (0..met.len()).map(|i| (i == 0 || met[i - 1].0 != met[i].0) && (i + 1 == met.len() || met[i + 1].0 != met[i].0)).collect();
    let mut alone = alone.into_iter();
    met.retain(|_| alone.next() == Some(false));
    met
}

/// Verified pairs of classes `(earlier, later, similarity)`, in order of `later`; only pairs for which `wanted` holds.
fn class_pairs(
    texts: &[Option<&str>],
    classes: &Classes,
    search: &Search,
    wanted: impl Fn(u32, u32) -> bool + Sync,
    control: &Control,
) -> Result<Vec<Pair>> {
    let bands = search.permutations.bands();
    let met: Vec<Vec<(u64, u32)>> = (0..if classes.count() < 2 { 0 } else { bands })
        .into_par_iter()
        .map(|band| {
            control.check()?;
            Ok(meetings(&classes.keys, bands, band))
        })
        .collect::<Result<_>>()?;
    // For each class, its places (band, index) in the runs.
    let mut starts = vec![0_usize; classes.count() + 1];
    met.iter().flatten().for_each(|&(_, class)| starts[class as usize + 1] += 1);
    for class in 0..classes.count() {
        starts[class + 1] += starts[class];
    }
    let mut next = starts.clone();
    let mut places = vec![(0_u32, 0_u32); starts[classes.count()]];
    for (met, band) in met.iter().zip(0..) {
        for (&(_, class), index) in met.iter().zip(0..) {
            places[next[class as usize]] = (band, index);
            next[class as usize] += 1;
        }
    }
    let active: Vec<u32> = (0..classes.count() as u32).filter(|&class| starts[class as usize + 1] > starts[class as usize]).collect();
    let mut sets: Vec<Vec<u64>> = vec![Vec::new(); classes.count()];
    let made: Vec<Vec<u64>> = active
        .par_iter()
        .with_min_len(GRAIN)
        .map_init(
            || Shingler::new(search.shape),
            |shingler, &class| {
                control.check()?;
                Ok(texts[classes.members(class)[0] as usize].map_or_else(Vec::new, |text| shingler.set(text)))
            },
        )
        .collect::<Result<_>>()?;
    active.iter().zip(made).for_each(|(&class, set)| sets[class as usize] = set);

    let found: Vec<Vec<Pair>> = active
        .par_iter()
        .with_min_len(GRAIN)
        .map_init(
            || vec![NONE; classes.count()],
            |seen, &later| {
                control.check()?;
                let mut pairs = Vec::new();
                let mine = &sets[later as usize];
                for &(band, index) in &places[starts[later as usize]..starts[later as usize + 1]] {
                    let met = &met[band as usize][..=index as usize];
                    let key = met[index as usize].0;
                    for &(_, earlier) in met[..index as usize].iter().rev().take_while(|(other, _)| *other == key) {
                        if seen[earlier as usize] == later {
                            continue;
                        }
                        seen[earlier as usize] = later;
                        let theirs = &sets[earlier as usize];
                        // Similarity cannot exceed the ratio of the sizes.
                        let bound = mine.len().min(theirs.len()) as f64 / mine.len().max(theirs.len()) as f64;
                        if bound >= search.threshold && wanted(earlier, later) {
                            let similarity = jaccard(mine, theirs);
                            if similarity >= search.threshold {
                                pairs.push(Pair { a: earlier, b: later, similarity });
                            }
                        }
                    }
                }
                pairs.sort_unstable_by_key(|pair| pair.a);
                Ok(pairs)
            },
        )
        .collect::<Result<_>>()?;
    Ok(found.concat())
}

/// All pairs of similar rows, sorted. Rows of one class are linked to its first row, and classes by their first
/// rows; with `every`, each pair of rows is listed by itself (as many as there are: quadratic in copies).
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted); [`Error::Input`](crate::error::Error::Input) for 2^32 - 1 texts or more.
pub fn near_pairs(texts: &[Option<&str>], search: &Search, every: bool, control: &Control) -> Result<Vec<Pair>> {
    check_rows(texts.len())?;
    let classes = classes(texts, search.shape, &search.permutations, control)?;
    let mut pairs = Vec::new();
    for class in 0..classes.count() as u32 {
        let members = classes.members(class);
        for (i, &a) in members.iter().enumerate().take(if every { members.len() } else { 1 }) {
            pairs.extend(members[i + 1..].iter().map(|&b| Pair { a, b, similarity: 1.0 }));
        }
    }
    for pair in class_pairs(texts, &classes, search, |_, _| true, control)? {
        control.check()?;
        let (mine, theirs) = (classes.members(pair.a), classes.members(pair.b));
        let count = if every { usize::MAX } else { 1 };
        for &a in mine.iter().take(count) {
            pairs.extend(theirs.iter().take(count).map(|&b| Pair { a: a.min(b), b: a.max(b), similarity: pair.similarity }));
        }
    }
    pairs.par_sort_unstable_by_key(|pair| (pair.a, pair.b));
    Ok(pairs)
}

/// All pairs of a row of `texts` and a similar row of `against`, sorted; of equal rows of `against` only the
/// first is named unless `every`.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted); [`Error::Input`](crate::error::Error::Input) for 2^32 - 1 texts or more.
pub fn near_pairs_against(
    texts: &[Option<&str>],
    against: &[Option<&str>],
    search: &Search,
    every: bool,
    control: &Control,
) -> Result<Vec<Pair>> {
    check_rows(texts.len() + against.len())?;
    // One list: `against` first, so that its rows keep their numbers and come first in a class.
    let all: Vec<Option<&str>> = against.iter().chain(texts).copied().collect();
    let border = against.len() as u32;
    let classes = classes(&all, search.shape, &search.permutations, control)?;
    let sides = |class: u32| {
        let members = classes.members(class);
        members.split_at(members.partition_point(|&row| row < border))
    };
    let wanted = |one: u32, other: u32| {
        let ((against, texts), (other_against, other_texts)) = (sides(one), sides(other));
        !against.is_empty() && !other_texts.is_empty() || !texts.is_empty() && !other_against.is_empty()
    };
    let mut pairs = Vec::new();
    let mut cross = |texts: &[u32], against: &[u32], similarity: f64| {
        for &a in texts {
            pairs.extend(against.iter().take(if every { usize::MAX } else { 1 }).map(|&b| Pair { a: a - border, b, similarity }));
        }
    };
    for class in 0..classes.count() as u32 {
        let (against, texts) = sides(class);
        cross(texts, against, 1.0);
    }
    for pair in class_pairs(&all, &classes, search, wanted, control)? {
        control.check()?;
        let ((against, texts), (other_against, other_texts)) = (sides(pair.a), sides(pair.b));
        cross(texts, other_against, pair.similarity);
        cross(other_texts, against, pair.similarity);
    }
    pairs.par_sort_unstable_by_key(|pair| (pair.a, pair.b));
    Ok(pairs)
}

/// Group and twin of every row.
///
/// # Errors
/// As [`near_pairs`].
pub fn near_duplicates(texts: &[Option<&str>], search: &Search, control: &Control) -> Result<Vec<Match>> {
    check_rows(texts.len())?;
    let classes = classes(texts, search.shape, &search.permutations, control)?;
    let pairs = class_pairs(texts, &classes, search, |_, _| true, control)?;
    let mut forest = Forest::new(classes.count());
    let mut best: Vec<Option<(u32, f64)>> = vec![None; classes.count()];
    for &Pair { a, b, similarity } in &pairs {
        forest.join(a, b);
        for (one, other) in [(a, b), (b, a)] {
            prefer(&mut best[one as usize], (classes.members(other)[0], similarity));
        }
    }
    Ok(classes
        .of
        .iter()
        .zip(0..)
        .map(|(&class, row)| {
            if class == NONE {
                return Match { root: Some(row), twin: None };
            }
            let mut twin = best[class as usize];
            if let Some(&copy) = classes.members(class).iter().find(|&&member| member != row) {
                prefer(&mut twin, (copy, 1.0));
            }
            Match { root: Some(classes.members(forest.root(class))[0]), twin }
        })
        .collect())
}

/// The most similar and the smallest similar row of `against` for every row of `texts`.
///
/// # Errors
/// As [`near_pairs_against`].
pub fn near_duplicates_against(texts: &[Option<&str>], against: &[Option<&str>], search: &Search, control: &Control) -> Result<Vec<Match>> {
    let mut matches = vec![Match { root: None, twin: None }; texts.len()];
    for Pair { a, b, similarity } in near_pairs_against(texts, against, search, false, control)? {
        let found = &mut matches[a as usize];
        found.root = Some(found.root.map_or(b, |root| root.min(b)));
        prefer(&mut found.twin, (b, similarity));
    }
    Ok(matches)
}

/// Keep the more similar candidate, of equal ones the smaller row.
fn prefer(best: &mut Option<(u32, f64)>, (row, similarity): (u32, f64)) {
    if best.is_none_or(|(held, known)| similarity > known || (similarity == known && row < held)) {
        *best = Some((row, similarity));
    }
}

#[cfg(test)]
mod tests {
    use super::{Match, Pair, Search, near_duplicates, near_duplicates_against, near_pairs};
    use crate::minhash::{Bands, Permutations};
    use crate::parallel::Control;
    use crate::shingle::Shape;

    fn search(threshold: f64) -> Search {
        let permutations = Permutations::new(Bands::choose(threshold, 128).unwrap(), 0);
        Search { shape: Shape::new(1, "word").unwrap(), permutations, threshold }
    }

    #[test]
    fn groups_twins_and_nulls() {
        let texts = [Some("a b c d"), None, Some("x y"), Some("A, b c d!"), Some("a b c"), None, Some("q")];
        let found = near_duplicates(&texts, &search(0.7), &Control::default()).unwrap();
        let roots: Vec<_> = found.iter().map(|found| found.root.unwrap()).collect();
        assert_eq!(roots, [0, 1, 2, 0, 0, 5, 6]);
        assert_eq!(found[0], Match { root: Some(0), twin: Some((3, 1.0)) });
        assert_eq!(found[4].twin, Some((0, 0.75)));
        assert_eq!(found[1].twin, None);
        let pairs = near_pairs(&texts, &search(0.7), true, &Control::default()).unwrap();
        let rows: Vec<_> = pairs.iter().map(|&Pair { a, b, similarity }| (a, b, similarity)).collect();
        assert_eq!(rows, [(0, 3, 1.0), (0, 4, 0.75), (3, 4, 0.75)]);
        assert_eq!(near_pairs(&texts, &search(0.7), false, &Control::default()).unwrap().len(), 2);
    }

    #[test]
    fn copies_stay_linear() {
        let texts = vec![Some("one and the same text"); 20_000];
        assert_eq!(near_pairs(&texts, &search(0.7), false, &Control::default()).unwrap().len(), 19_999);
    }

    #[test]
    fn the_other_side() {
        let against = [Some("u v w"), Some("a b c d e"), Some("a b c d"), Some("a b c d")];
        let texts = [Some("a b c d"), Some("z"), None, Some("a b c d e")];
        let found = near_duplicates_against(&texts, &against, &search(0.7), &Control::default()).unwrap();
        assert_eq!(found[0], Match { root: Some(1), twin: Some((2, 1.0)) });
        assert_eq!(found[1], Match { root: None, twin: None });
        assert_eq!(found[2], Match { root: None, twin: None });
        assert_eq!(found[3], Match { root: Some(1), twin: Some((1, 1.0)) });
    }
}
