//! Connected components of rows: the groups that edges between near duplicates make.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::fields::check_rows;

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
/// [`Error::Input`](crate::error::Error::Input) for 2^32 - 1 distinct rows or more.
pub fn components(a: &[u64], b: &[u64]) -> Result<(Vec<u64>, Vec<u64>)> {
    let mut rows: Vec<u64> = a.iter().chain(b).copied().collect();
    rows.par_sort_unstable();
    rows.dedup();
    check_rows(rows.len())?;
    let places: FxHashMap<u64, u32> = rows.iter().copied().zip(0..).collect();
    let mut forest = Forest::new(rows.len());
    for (a, b) in a.iter().zip(b) {
        forest.join(places[a], places[b]);
    }
    let roots = (0..rows.len() as u32).map(|place| rows[forest.root(place) as usize]).collect();
    Ok((rows, roots))
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn components_keep_sparse_names() {
        let (rows, roots) = components(&[9, 1 << 40, 7], &[7, 3, 8]).unwrap();
        assert_eq!((rows, roots), (vec![3, 7, 8, 9, 1 << 40], vec![3, 7, 7, 7, 3]));
    }
}
