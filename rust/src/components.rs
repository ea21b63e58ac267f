//! Connected components of rows: the groups that edges between near duplicates make.

use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::fields::check_rows;
use crate::long;
use crate::parallel::Control;

/// Rows, or edges, between two looks at the control.
const GRAIN: usize = 1 << 18;

/// Union-find in which the smallest member is the root.
pub struct Forest(Vec<u32>);

impl Forest {
    /// Every member on its own.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self((0..size as u32).collect())
    }

    /// The smallest member connected with `at`.
    pub fn root(&mut self, mut at: u32) -> u32 {
        while self.0[at as usize] != at {
            let above = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = above;
            at = above;
        }
        at
    }

    /// Connect two members.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

/// Every row that an edge names, ascending, and the smallest row of its connected component.
///
/// # Errors
/// [`Error::Input`](crate::error::Error::Input) for 2^32 - 1 distinct rows or more;
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn components(a: &[u64], b: &[u64], control: &Control) -> Result<(Vec<u64>, Vec<u64>)> {
    let rows = long::distinct_of(&[a, b], control)?;
    check_rows(rows.len())?;
    let mut places: FxHashMap<u64, u32> = FxHashMap::with_capacity_and_hasher(rows.len(), Default::default());
    for (rows, place) in rows.chunks(GRAIN).zip((0..).step_by(GRAIN)) {
        control.check()?;
        places.extend(rows.iter().copied().zip(place..));
    }
    let mut forest = Forest::new(rows.len());
    for (a, b) in a.chunks(GRAIN).zip(b.chunks(GRAIN)) {
        control.check()?;
        a.iter().zip(b).for_each(|(a, b)| forest.join(places[a], places[b]));
        control.advance(a.len());
    }
    drop(places);
    let mut roots = Vec::with_capacity(rows.len());
    for start in (0..rows.len()).step_by(GRAIN) {
        control.check()?;
        roots.extend((start..rows.len().min(start + GRAIN)).map(|place| rows[forest.root(place as u32) as usize]));
    }
    Ok((rows, roots))
}

#[cfg(test)]
mod tests {
    use super::{GRAIN, components};
    use crate::parallel::Control;

    #[test]
    fn components_keep_sparse_names() {
        let (rows, roots) = components(&[9, 1 << 40, 7], &[7, 3, 8], &Control::default()).unwrap();
        assert_eq!((rows, roots), (vec![3, 7, 8, 9, 1 << 40], vec![3, 7, 7, 7, 3]));
        assert_eq!(components(&[], &[], &Control::default()).unwrap(), (vec![], vec![]));
    }

    #[test]
    fn edges_are_told_and_can_be_stopped() {
        let (a, b): (Vec<u64>, Vec<u64>) = (0..GRAIN as u64 + 7).map(|k| (k, k / 3 * 3)).unzip();
        let control = Control::default();
        let (rows, roots) = components(&a, &b, &control).unwrap();
        assert!(rows == a && roots == b);
        assert_eq!(control.done(), a.len());
        control.stop();
        assert!(components(&a, &b, &control).is_err());
    }
}
