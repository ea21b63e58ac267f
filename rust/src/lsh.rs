//! Near duplicates: rows that share a band are candidates, and every candidate is verified by the exact
//! Jaccard similarity of its shingles.
//!
//! Rows with the same tokens are collapsed into one *class* first, so that a thousand copies of a text cost a
//! thousand links and not half a million pairs. Band keys beyond the room allowed are spilled and read band by band;
//! what is found is the same.

use rayon::prelude::*;

use crate::classes::{Classes, classes, signed};
use crate::components::Forest;
use crate::error::Result;
use crate::fields::{NONE, Rows};
use crate::parallel::Control;
use crate::search::{Pair, Search};
use crate::verify::Finder;

/// What is known of each row; [`NONE`] where there is nothing.
#[derive(Debug, Default, PartialEq)]
pub struct Matches {
    /// The smallest row of the row's group; in two-sided search the smallest similar row of the other side.
    pub roots: Vec<u32>,
    /// The most similar other row, the smallest where several are.
    pub twins: Vec<u32>,
    /// Its similarity, 0 where there is none.
    pub similarities: Vec<f64>,
}

/// One key per band and row, and the rows they belong to: rows that share a key are candidates. Rows without a text
/// have none.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn band_keys(rows: &Rows<'_>, search: &Search, control: &Control) -> Result<(Vec<u32>, Vec<u64>)> {
    let (mut of, mut all) = (Vec::new(), Vec::new());
    signed(rows, &rows.order(control)?, search, control, |row, _, keys| {
        of.extend(std::iter::repeat_n(row, keys.len()));
        all.extend_from_slice(keys);
        Ok(())
    })?;
    Ok((of, all))
}

/// All pairs of similar rows, sorted. Rows of one class are linked to its first row, and classes by their first
/// rows; with `every`, each pair of rows is listed by itself (as many as there are: quadratic in copies).
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted); [`Error::Option`](crate::error::Error::Option) when keys cannot be spilled.
pub fn near_pairs(rows: &Rows<'_>, search: &Search, every: bool, control: &Control) -> Result<Vec<Pair>> {
    let order = rows.order(control)?;
    let (classes, keys) = classes(rows, &order, search, control)?;
    let mut pairs = Vec::new();
    for class in 0..classes.count() {
        let members = classes.members(class);
        for (i, &a) in members.iter().enumerate().take(if every { members.len() } else { 1 }) {
            pairs.extend(members[i + 1..].iter().map(|&b| Pair { a, b, similarity: 1.0 }));
        }
    }
    let count = if every { usize::MAX } else { 1 };
    let finder = Finder { rows, order: &order, classes: &classes, search, wanted: |_, _| true, control };
    finder.pairs(&keys, |pair| {
        for &a in classes.members(pair.a).iter().take(count) {
            let others = classes.members(pair.b).iter().take(count);
            pairs.extend(others.map(|&b| Pair { a: a.min(b), b: a.max(b), similarity: pair.similarity }));
        }
    })?;
    Ok(sorted(pairs))
}

/// All pairs of a row of `texts` and a similar row of `against`, sorted; of equal rows of `against` only the
/// first is named unless `every`. `rows` are two-sided.
///
/// # Errors
/// As [`near_pairs`].
pub fn near_pairs_against(rows: &Rows<'_>, search: &Search, every: bool, control: &Control) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let count = if every { usize::MAX } else { 1 };
    across(rows, search, control, |texts, against, similarity| {
        for &a in texts {
            pairs.extend(against.iter().take(count).map(|&b| Pair { a: a - rows.border(), b, similarity }));
        }
    })?;
    Ok(sorted(pairs))
}

/// Hand on which rows of `texts` are similar to which of `against`: all rows of one class at a time, some more than once.
fn across(rows: &Rows<'_>, search: &Search, control: &Control, mut found: impl FnMut(&[u32], &[u32], f64)) -> Result<()> {
    let order = rows.order(control)?;
    // The rows of `against` keep their numbers and come first in a class.
    let (classes, keys) = classes(rows, &order, search, control)?;
    let sides = |class: u32| {
        let members = classes.members(class);
        members.split_at(members.partition_point(|&row| row < rows.border()))
    };
    let wanted = |one: u32, other: u32| {
        let ((against, texts), (other_against, other_texts)) = (sides(one), sides(other));
        !against.is_empty() && !other_texts.is_empty() || !texts.is_empty() && !other_against.is_empty()
    };
    for class in 0..classes.count() {
        let (against, texts) = sides(class);
        found(texts, against, 1.0);
    }
    let finder = Finder { rows, order: &order, classes: &classes, search, wanted, control };
    finder.pairs(&keys, |pair| {
        let ((against, texts), (other_against, other_texts)) = (sides(pair.a), sides(pair.b));
        found(texts, other_against, pair.similarity);
        found(other_texts, against, pair.similarity);
    })
}

fn sorted(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.par_sort_unstable_by_key(|pair| (pair.a, pair.b));
    pairs.dedup();
    pairs
}

/// Group and twin of every row.
///
/// # Errors
/// As [`near_pairs`].
pub fn near_duplicates(rows: &Rows<'_>, search: &Search, control: &Control) -> Result<Matches> {
    let order = rows.order(control)?;
    let (classes, keys) = classes(rows, &order, search, control)?;
    let mut forest = Forest::new(classes.count() as usize);
    let (mut twins, mut similarities) = nothing(classes.count() as usize);
    let finder = Finder { rows, order: &order, classes: &classes, search, wanted: |_, _| true, control };
    finder.pairs(&keys, |Pair { a, b, similarity }| {
        forest.join(a, b);
        for (one, other) in [(a as usize, b), (b as usize, a)] {
            prefer(&mut twins[one], &mut similarities[one], classes.first(other), similarity);
        }
    })?;
    drop(keys);
    Ok(spread(&classes, &mut forest, &twins, &similarities))
}

/// From classes to their rows.
fn spread(classes: &Classes, forest: &mut Forest, twins: &[u32], similarities: &[f64]) -> Matches {
    let mut all = Matches::default();
    all.roots.reserve_exact(classes.of.len());
    all.twins.reserve_exact(classes.of.len());
    all.similarities.reserve_exact(classes.of.len());
    for (&class, row) in classes.of.iter().zip(0..) {
        let (mut root, mut twin, mut similarity) = (row, NONE, 0.0);
        if class != NONE {
            root = classes.first(forest.root(class));
            (twin, similarity) = (twins[class as usize], similarities[class as usize]);
            if let Some(&copy) = classes.members(class).iter().find(|&&member| member != row) {
                prefer(&mut twin, &mut similarity, copy, 1.0);
            }
        }
        all.roots.push(root);
        all.twins.push(twin);
        all.similarities.push(similarity);
    }
    all
}

/// The most similar and the smallest similar row of `against` for every row of `texts`. `rows` are two-sided.
///
/// # Errors
/// As [`near_pairs`].
pub fn near_duplicates_against(rows: &Rows<'_>, search: &Search, control: &Control) -> Result<Matches> {
    let (twins, similarities) = nothing((rows.count() - rows.border()) as usize);
    let mut all = Matches { roots: twins.clone(), twins, similarities };
    across(rows, search, control, |texts, against, similarity| {
        if let Some(&first) = against.first() {
            for row in texts.iter().map(|&row| (row - rows.border()) as usize) {
                all.roots[row] = all.roots[row].min(first);
                prefer(&mut all.twins[row], &mut all.similarities[row], first, similarity);
            }
        }
    })?;
    Ok(all)
}

/// No twin yet.
fn nothing(count: usize) -> (Vec<u32>, Vec<f64>) {
    (vec![NONE; count], vec![0.0; count])
}

/// Keep the more similar candidate, of equal ones the smaller row ([`NONE`] is the largest).
fn prefer(twin: &mut u32, known: &mut f64, row: u32, similarity: f64) {
    if similarity > *known || (similarity == *known && row < *twin) {
        (*twin, *known) = (row, similarity);
    }
}

#[cfg(test)]
mod tests {
    use super::{Matches, near_duplicates, near_duplicates_against, near_pairs, near_pairs_against};
    use crate::fields::{Column, NONE, Rows};
    use crate::hash::mix;
    use crate::minhash::{Bands, Permutations};
    use crate::parallel::Control;
    use crate::search::{Pair, Room, Search};
    use crate::shingle::Shape;

    fn search(threshold: f64, memory: usize) -> Search {
        let permutations = Permutations::new(Bands::choose(threshold, 128).unwrap(), 0);
        let room = Room { memory, ..Room::default() };
        Search { shape: Shape::new(1, "word").unwrap(), permutations, threshold, room }
    }

    fn listed(pairs: &[Pair]) -> Vec<(u32, u32, f64)> {
        pairs.iter().map(|&Pair { a, b, similarity }| (a, b, similarity)).collect()
    }

    #[test]
    fn groups_twins_and_nulls() {
        let texts = [vec![Some("a b c d"), None, Some("x y"), Some("A, b c d!"), Some("a b c"), None, Some("q")]];
        let rows = Rows::new(&texts).unwrap();
        for memory in [1 << 20, 0] {
            let (search, control) = (search(0.7, memory), Control::default());
            let found = near_duplicates(&rows, &search, &control).unwrap();
            assert_eq!(found.roots, [0, 1, 2, 0, 0, 5, 6]);
            assert_eq!(found.twins, [3, NONE, NONE, 0, 0, NONE, NONE]);
            assert_eq!(found.similarities, [1.0, 0.0, 0.0, 1.0, 0.75, 0.0, 0.0]);
            let every = near_pairs(&rows, &search, true, &control).unwrap();
            assert_eq!(listed(&every), [(0, 3, 1.0), (0, 4, 0.75), (3, 4, 0.75)]);
            assert_eq!(near_pairs(&rows, &search, false, &control).unwrap().len(), 2);
        }
    }

    #[test]
    fn every_field_must_be_similar() {
        let (prompt, other) = (Some("say it in a b c d"), Some("x y z"));
        let texts: [Column<'_>; 2] =
            [vec![prompt, prompt, prompt, None, None, other], vec![other, Some("x y z w"), None, other, Some("x y z!"), None]];
        let rows = Rows::new(&texts).unwrap();
        let pairs = near_pairs(&rows, &search(0.7, 0), true, &Control::default()).unwrap();
        assert_eq!(listed(&pairs), [(0, 1, 0.75), (3, 4, 1.0)]);
    }

    #[test]
    fn copies_stay_linear() {
        let texts = [vec![Some("one and the same text"); 20_000]];
        assert_eq!(near_pairs(&Rows::new(&texts).unwrap(), &search(0.7, 0), false, &Control::default()).unwrap().len(), 19_999);
    }

    /// Families larger than what is gathered, and more candidates than room: all ways lead to the same pairs.
    #[test]
    fn the_room_changes_nothing() {
        let texts: Vec<String> = (0..900_u64)
            .map(|row| {
                let word =
                    |place: u64| if mix(row * 64 + place).is_multiple_of(40) { mix(row + place) % 500 } else { place + row % 3 * 100 };
                (0..30).map(|place| word(place).to_string()).collect::<Vec<_>>().join(" ")
            })
            .collect();
        let columns = [texts.iter().map(|text| Some(text.as_str())).collect::<Vec<_>>()];
        let rows = Rows::new(&columns).unwrap();
        let control = Control::default();
        let found = [64 << 20, 300_000, 0].map(|memory| near_pairs(&rows, &search(0.8, memory), true, &control).unwrap());
        assert!(found[0].len() > 40_000, "{}", found[0].len());
        assert!(found[0] == found[1] && found[0] == found[2]);
        let groups = [64 << 20, 0].map(|memory| near_duplicates(&rows, &search(0.8, memory), &control).unwrap());
        assert!(groups[0] == groups[1]);
        assert!(groups[0].roots.iter().filter(|&&root| root < 10).count() > 800);
    }

    #[test]
    fn the_other_side() {
        let against = [vec![Some("u v w"), Some("a b c d e"), Some("a b c d"), Some("a b c d")]];
        let texts = [vec![Some("a b c d"), Some("z"), None, Some("a b c d e")]];
        let rows = Rows::two_sided(&against, &texts).unwrap();
        let found = near_duplicates_against(&rows, &search(0.7, 0), &Control::default()).unwrap();
        let similarities = vec![1.0, 0.0, 0.0, 1.0];
        assert_eq!(found, Matches { roots: vec![1, NONE, NONE, 1], twins: vec![2, NONE, NONE, 1], similarities });
        let pairs = near_pairs_against(&rows, &search(0.7, 0), true, &Control::default()).unwrap();
        assert_eq!(listed(&pairs), [(0, 1, 0.8), (0, 2, 1.0), (0, 3, 1.0), (3, 1, 1.0), (3, 2, 0.8), (3, 3, 0.8)]);
    }
}
