//! Candidates, and their verification by exact Jaccard similarity: nothing is merged on sketches alone.

use rayon::prelude::*;

use crate::classes::{Classes, GRAIN, Sets, Signer};
use crate::error::Result;
use crate::fields::Rows;
use crate::meetings::{Runs, runs};
use crate::parallel::Control;
use crate::search::{Pair, Search};
use crate::shingle::{Shape, Shingler, jaccard};
use crate::spill::Keys;

/// From this size on a group of classes with one key is verified on the spot: its pairs are too many to gather.
const LARGE: usize = 256;
/// Pairs that are measured before what was found is handed on.
const BLOCK: usize = 1 << 18;

/// The exact Jaccard similarity of each pair of rows, the smallest over the fields; null where a row has no text.
/// Two absent fields are alike, an absent and a present one have nothing in common.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn verify(a: &Rows<'_>, b: &Rows<'_>, shape: Shape, control: &Control) -> Result<Vec<Option<f64>>> {
    let pieces: Vec<Vec<Option<f64>>> = (0..a.count())
        .into_par_iter()
        .step_by(GRAIN)
        .map_init(
            || Shingler::new(shape, control),
            |shingler, start| {
                let end = a.count().min(start.saturating_add(GRAIN as u32));
                control.advance((end - start) as usize);
                (start..end)
                    .map(|row| {
                        control.check()?;
                        let absent = |rows: &Rows<'_>| rows.texts(row).all(|text| text.is_none());
                        if absent(a) || absent(b) {
                            return Ok(None);
                        }
                        similarity(&sets(shingler, a, row)?, &sets(shingler, b, row)?, 0.0, control).map(Some)
                    })
                    .collect()
            },
        )
        .collect::<Result<_>>()?;
    Ok(pieces.concat())
}

fn sets(shingler: &mut Shingler<'_>, rows: &Rows<'_>, row: u32) -> Result<Sets> {
    rows.texts(row).map(|text| text.map(|text| shingler.set(text)).transpose()).collect()
}

/// The smallest similarity of a field, or anything below `least` once it is known to be.
fn similarity(a: &[Option<Vec<u64>>], b: &[Option<Vec<u64>>], least: f64, control: &Control) -> Result<f64> {
    let mut lowest = 1.0_f64;
    for (a, b) in a.iter().zip(b) {
        lowest = lowest.min(match (a, b) {
            // Similarity cannot exceed the ratio of the sizes.
            (Some(a), Some(b)) if (a.len().min(b.len()) as f64) < least * a.len().max(b.len()) as f64 => -1.0,
            (Some(a), Some(b)) => jaccard(a, b, control)?,
            (None, None) => 1.0,
            _ => 0.0,
        });
        if lowest < least {
            break;
        }
    }
    Ok(lowest)
}

/// Everything that finding pairs of similar classes needs to know.
pub struct Finder<'a, W> {
    /// The texts.
    pub rows: &'a Rows<'a>,
    /// Their fields, in the order in which a row's keys are taken from them.
    pub order: &'a [usize],
    /// Rows with the same tokens.
    pub classes: &'a Classes,
    /// What is looked for.
    pub search: &'a Search,
    /// Which pairs of classes count.
    pub wanted: W,
    /// Ctrl-C.
    pub control: &'a Control,
}

impl<W: Fn(u32, u32) -> bool + Sync> Finder<'_, W> {
    /// Hand every pair of classes that share a key and are similar to `found`, as classes, the earlier one first. The
    /// order is no particular one, and a pair may come twice.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted); [`Error::Option`](crate::error::Error::Option) when spilled keys
    /// cannot be read.
    pub fn pairs(&self, keys: &Keys, mut found: impl FnMut(Pair)) -> Result<()> {
        let bands = if self.classes.count() < 2 { 0 } else { self.search.permutations.bands() };
        // As many bands at once as there are threads, if their keys and bitmaps are small.
        let at_once = (self.search.room.candidates() / (4 * self.classes.count().max(1) as usize)).clamp(1, rayon::current_num_threads());
        let capacity = self.search.room.candidates();
        let mut candidates: Vec<u64> = Vec::new();
        for start in (0..bands).step_by(at_once) {
            let met: Vec<Runs> = (start..bands.min(start + at_once))
                .into_par_iter()
                .map(|band| runs(&keys.band(band, self.control)?, self.control))
                .collect::<Result<_>>()?;
            for (runs, band) in met.iter().zip(start..) {
                for group in runs.iter() {
                    if group.len() >= LARGE {
                        self.large(group, band, &mut found)?;
                        continue;
                    }
                    for (i, &later) in group.iter().enumerate() {
                        let pairs = group[..i].iter().filter(|&&earlier| (self.wanted)(earlier, later));
                        candidates.extend(pairs.map(|&earlier| u64::from(later) << 32 | u64::from(earlier)));
                    }
                    if candidates.len() >= capacity {
                        self.control.check()?;
                        // What met in several bands is verified once; what is left is verified when it is worth it.
                        candidates.par_sort_unstable();
                        candidates.dedup();
                        if candidates.len() > capacity / 2 {
                            self.gathered(&candidates, &mut found)?;
                            candidates.clear();
                        }
                    }
                }
            }
        }
        candidates.par_sort_unstable();
        candidates.dedup();
        self.gathered(&candidates, &mut found)
    }

    /// Verify candidates, sorted, in blocks whose texts fit the room.
    fn gathered(&self, mut candidates: &[u64], found: &mut impl FnMut(Pair)) -> Result<()> {
        while !candidates.is_empty() {
            let (mut bytes, mut last) = (0, None);
            let fits = candidates.iter().take(BLOCK).take_while(|&&pair| {
                let (later, earlier) = ((pair >> 32) as u32, pair as u32);
                let before = bytes;
                bytes += self.bytes(earlier) + if last == Some(later) { 0 } else { self.bytes(later) };
                last = Some(later);
                before == 0 || bytes <= self.search.room.text()
            });
            let (block, rest) = candidates.split_at(fits.count());
            self.block(block, found)?;
            candidates = rest;
        }
        Ok(())
    }

    fn block(&self, pairs: &[u64], found: &mut impl FnMut(Pair)) -> Result<()> {
        let mut members: Vec<u32> = pairs.iter().flat_map(|&pair| [(pair >> 32) as u32, pair as u32]).collect();
        members.par_sort_unstable();
        members.dedup();
        let sets: Vec<Sets> = self.each(&members, |signer, class| signer.sets(self.rows, self.classes.first(class)))?;
        let set = |class: u32| &sets[members.binary_search(&class).unwrap_or_default()];
        let pairs: Vec<Option<Pair>> = pairs
            .par_iter()
            .with_min_len(64)
            .map(|&pair| {
                self.control.check()?;
                let (later, earlier) = ((pair >> 32) as u32, pair as u32);
                let similarity = similarity(set(earlier), set(later), self.search.threshold, self.control)?;
                Ok((similarity >= self.search.threshold).then_some(Pair { a: earlier, b: later, similarity }))
            })
            .collect::<Result<_>>()?;
        pairs.into_iter().flatten().for_each(found);
        Ok(())
    }

    /// Verify all pairs of a large group that shares the key of `band`, tile by tile. A pair that shares an earlier
    /// key as well was verified there.
    fn large(&self, group: &[u32], band: usize, found: &mut impl FnMut(Pair)) -> Result<()> {
        let mut tiles: Vec<&[u32]> = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (place, &class) in group.iter().enumerate() {
            bytes += self.bytes(class);
            if bytes > self.search.room.text() / 2 && place > start {
                tiles.push(&group[start..place]);
                (start, bytes) = (place, self.bytes(class));
            }
        }
        tiles.push(&group[start..]);
        for (place, laters) in tiles.iter().enumerate() {
            let later_sets = self.signed(laters)?;
            for earliers in &tiles[..place] {
                self.tile(laters, &later_sets, earliers, &self.signed(earliers)?, band, found)?;
            }
            self.tile(laters, &later_sets, laters, &later_sets, band, found)?;
        }
        Ok(())
    }

    fn tile(
        &self,
        laters: &[u32],
        later_sets: &[(Sets, Vec<u64>)],
        earliers: &[u32],
        earlier_sets: &[(Sets, Vec<u64>)],
        band: usize,
        found: &mut impl FnMut(Pair),
    ) -> Result<()> {
        let step = (BLOCK / earliers.len()).max(1);
        for (laters, later_sets) in laters.chunks(step).zip(later_sets.chunks(step)) {
            let pairs: Vec<Vec<Pair>> = laters
                .par_iter()
                .zip(later_sets)
                .map(|(&later, (mine, my_keys))| {
                    let mut pairs = Vec::new();
                    let before = earliers.iter().zip(earlier_sets).take_while(|&(&earlier, _)| earlier < later);
                    for (place, (&earlier, (theirs, their_keys))) in before.enumerate() {
                        if place % 1024 == 0 {
                            self.control.check()?;
                        }
                        let verified = my_keys[..band].iter().zip(their_keys).any(|(mine, theirs)| mine == theirs);
                        if !verified && (self.wanted)(earlier, later) {
                            let similarity = similarity(mine, theirs, self.search.threshold, self.control)?;
                            if similarity >= self.search.threshold {
                                pairs.push(Pair { a: earlier, b: later, similarity });
                            }
                        }
                    }
                    Ok(pairs)
                })
                .collect::<Result<_>>()?;
            pairs.into_iter().flatten().for_each(&mut *found);
        }
        Ok(())
    }

    /// Shingles and keys of classes.
    fn signed(&self, members: &[u32]) -> Result<Vec<(Sets, Vec<u64>)>> {
        self.each(members, |signer, class| {
            let row = self.classes.first(class);
            let mut keys = Vec::with_capacity(self.search.permutations.bands());
            signer.sign(self.rows, row, &mut keys)?;
            Ok((signer.sets(self.rows, row)?, keys))
        })
    }

    fn each<T: Send>(&self, members: &[u32], make: impl Fn(&mut Signer<'_>, u32) -> Result<T> + Sync) -> Result<Vec<T>> {
        members
            .par_iter()
            .with_min_len(16)
            .map_init(
                || Signer::new(self.search, self.order, self.control),
                |signer, &class| {
                    self.control.check()?;
                    make(signer, class)
                },
            )
            .collect()
    }

    fn bytes(&self, class: u32) -> usize {
        self.rows.bytes(self.classes.first(class))
    }
}
