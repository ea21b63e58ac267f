//! MinHash signatures and the banding that makes likely twins share a key.

use crate::error::{Error, Result};
use crate::hash::mix;
use crate::parallel::Control;

/// The chance with which two texts of exactly the threshold's similarity must share a band. Above it the
/// chance only grows; below it, candidates are refused by exact verification.
const RECALL: f64 = 0.999;
/// Hash functions at most.
const MOST: usize = 65_536;
/// Pieces of an integral, an even number.
const STEPS: usize = 128;

/// How signatures are cut into bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    /// Number of bands: keys per text.
    pub bands: usize,
    /// Hash functions per band.
    pub rows: usize,
}

impl Bands {
    /// The longest bands (fewest false candidates) that still find a pair of similarity `threshold` with a
    /// probability of 0.999 within `permutations` hash functions; bands of one row where no budget is enough.
    ///
    /// A pair of similarity s shares a band of r rows with probability s^r, and any of b with 1 - (1 - s^r)^b.
    ///
    /// # Errors
    /// [`Error::Option`] unless 0 < threshold <= 1 and permutations >= 1.
    pub fn choose(threshold: f64, permutations: usize) -> Result<Self> {
        if !(threshold > 0.0 && threshold <= 1.0) {
            return Err(Error::Option(format!("threshold: found {threshold}, expected more than 0 and at most 1")));
        }
        if permutations == 0 {
            return Err(Error::Option("permutations: found 0, expected at least 1".into()));
        }
        let needed = |rows: usize| {
            let miss = 1.0 - threshold.powi(i32::try_from(rows).unwrap_or(i32::MAX));
            if miss <= 0.0 { 1.0 } else { ((1.0 - RECALL).ln() / miss.ln()).ceil().max(1.0) }
        };
        let rows = (1..=16.min(permutations)).rev().find(|&rows| needed(rows) * rows as f64 <= permutations as f64).unwrap_or(1);
        // One key a text would be as many as the texts; a threshold near 0 is capped where recall is all but lost anyway.
        Ok(Self { bands: needed(rows).min(MOST as f64) as usize, rows })
    }

    /// The bands within `permutations` hash functions whose chance to share one is nearest to a step at `threshold`:
    /// the smallest sum of the area of false candidates below it and of missed pairs above it, as in datasketch
    /// (`_optimal_param` with equal weights), text-dedup and data-juicer. Of equal ones, the fewest bands, then rows.
    ///
    /// # Errors
    /// As [`choose`](Self::choose).
    pub fn balanced(threshold: f64, permutations: usize) -> Result<Self> {
        let mut best = (f64::INFINITY, Self::choose(threshold, permutations)?);
        // Beyond this many rows or bands nothing is gained, and the search would be long.
        let permutations = permutations.min(4096);
        for bands in 1..=permutations {
            for rows in 1..=permutations / bands {
                let missed = |s: f64| (1.0 - s.powi(rows as i32)).powi(bands as i32);
                let error = integral(|s| 1.0 - missed(s), 0.0, threshold) + integral(missed, threshold, 1.0);
                if error < best.0 - 1e-12 {
                    best = (error, Self { bands, rows });
                }
            }
        }
        Ok(best.1)
    }

    /// Bands as they are named.
    ///
    /// # Errors
    /// [`Error::Option`] unless there are 1 to 65,536 hash functions in all.
    pub fn of(bands: usize, rows: usize) -> Result<Self> {
        match bands.checked_mul(rows) {
            Some(1..=MOST) => Ok(Self { bands, rows }),
            _ => Err(Error::Option(format!("bands: found {bands} of {rows} hash functions, expected 1 to {MOST} in all"))),
        }
    }
}

/// By Simpson's rule; the curves are smooth, and the areas compared differ by far more than its error.
fn integral(curve: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let step = (to - from) / STEPS as f64;
    let inner: f64 = (1..STEPS).map(|i| curve(from + step * i as f64) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
    (curve(from) + inner + curve(to)) * step / 3.0
}

/// The hash functions: x -> a * x + b modulo 2^32 over mixed shingles, a odd.
#[derive(Debug, Clone)]
pub struct Permutations {
    factors: Vec<u32>,
    offsets: Vec<u32>,
    bands: Bands,
}

/// Shingles between two looks at the control.
const PART: usize = 1 << 14;
/// Hash functions worked on at once: their running minima stay in vector registers.
const BLOCK: usize = 32;
/// What is left of them after whole blocks: one vector.
const REST: usize = 8;

impl Permutations {
    /// Hash functions for `bands`, drawn by `seed`.
    #[must_use]
    pub fn new(bands: Bands, seed: u64) -> Self {
        // Padded to whole vectors, so that the inner loops have a fixed length.
        let count = (bands.bands * bands.rows).next_multiple_of(REST);
        let draw = |stream: u64| (0..count as u64).map(move |i| (mix(mix(seed ^ stream).wrapping_add(i)) >> 32) as u32);
        Self { factors: draw(0x6d69_6e68).map(|factor| factor | 1).collect(), offsets: draw(0x6173_6831).collect(), bands }
    }

    /// Keys per text.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.bands.bands
    }

    /// Append one key per band of a text with these shingles (at least one; repeats do no harm).
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn keys(&self, shingles: &[u64], scratch: &mut Scratch, keys: &mut Vec<u64>, control: &Control) -> Result<()> {
        scratch.signature.clear();
        scratch.signature.resize(self.factors.len(), u32::MAX);
        for shingles in shingles.chunks(PART) {
            control.check()?;
            scratch.shingles.clear();
            scratch.shingles.extend(shingles.iter().map(|&shingle| (shingle >> 32) as u32));
            self.sign(&scratch.shingles, &mut scratch.signature);
        }
        for (band, rows) in scratch.signature.chunks_exact(self.bands.rows).take(self.bands.bands).enumerate() {
            let key = rows.iter().fold(band as u64 + 1, |key, &row| mix(key ^ u64::from(row)).wrapping_add(key.rotate_left(17)));
            keys.push(mix(key));
        }
        Ok(())
    }

    fn sign(&self, shingles: &[u32], signature: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, as was just asked.
            return unsafe { sign_avx2(&self.factors, &self.offsets, shingles, signature) };
        }
        sign_blocks(&self.factors, &self.offsets, shingles, signature);
    }
}

/// Buffers reused from text to text.
#[derive(Debug, Default)]
pub struct Scratch {
    shingles: Vec<u32>,
    signature: Vec<u32>,
}

// Wheels are built for the oldest x86-64, which has no 32-bit vector product or minimum: the same loop is compiled twice.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sign_avx2(factors: &[u32], offsets: &[u32], shingles: &[u32], signature: &mut [u32]) {
    sign_blocks(factors, offsets, shingles, signature);
}

#[inline(always)]
fn sign_blocks(factors: &[u32], offsets: &[u32], shingles: &[u32], signature: &mut [u32]) {
    let whole = factors.len() / BLOCK * BLOCK;
    sign_by::<BLOCK>(&factors[..whole], &offsets[..whole], shingles, &mut signature[..whole]);
    sign_by::<REST>(&factors[whole..], &offsets[whole..], shingles, &mut signature[whole..]);
}

#[inline(always)]
fn sign_by<const N: usize>(factors: &[u32], offsets: &[u32], shingles: &[u32], signature: &mut [u32]) {
    for ((factors, offsets), signature) in
        factors.as_chunks::<N>().0.iter().zip(offsets.as_chunks::<N>().0).zip(signature.as_chunks_mut::<N>().0)
    {
        let mut lowest = *signature;
        for &shingle in shingles {
            for i in 0..N {
                lowest[i] = lowest[i].min(factors[i].wrapping_mul(shingle).wrapping_add(offsets[i]));
            }
        }
        *signature = lowest;
    }
}

#[cfg(test)]
mod tests {
    use super::{Bands, Permutations, Scratch, sign_blocks};
    use crate::hash::mix;
    use crate::parallel::Control;

    #[test]
    fn bands_keep_recall_and_budget() {
        for threshold in [0.2, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1.0] {
            let Bands { bands, rows } = Bands::choose(threshold, 128).unwrap();
            let found = 1.0 - (1.0 - threshold.powi(rows as i32)).powi(bands as i32);
            assert!(found >= 0.999 && (bands * rows <= 128 || rows == 1), "{threshold}: {bands} x {rows} finds {found}");
        }
        assert_eq!(Bands::choose(0.7, 128).unwrap(), Bands { bands: 26, rows: 4 });
        assert!(Bands::choose(0.0, 128).is_err() && Bands::choose(f64::NAN, 128).is_err() && Bands::choose(0.5, 0).is_err());
    }

    #[test]
    fn balanced_bands_are_those_of_datasketch() {
        // From text_dedup.utils.optimal_param, which integrates by QUADPACK.
        for (threshold, permutations, bands, rows) in [
            (0.3, 16, 8, 2),
            (0.3, 250, 62, 4),
            (0.5, 128, 25, 5),
            (0.5, 256, 42, 6),
            (0.7, 16, 3, 5),
            (0.7, 128, 14, 9),
            (0.7, 250, 25, 10),
            (0.7, 256, 25, 10),
            (0.72, 256, 23, 11),
            (0.75, 250, 20, 12),
            (0.75, 256, 21, 12),
            (0.8, 64, 5, 11),
            (0.9, 128, 5, 25),
            (0.9, 256, 9, 28),
        ] {
            assert_eq!(Bands::balanced(threshold, permutations).unwrap(), Bands { bands, rows }, "{threshold} {permutations}");
        }
        assert!(Bands::balanced(0.0, 128).is_err() && Bands::of(0, 3).is_err() && Bands::of(usize::MAX, 2).is_err());
        assert_eq!(Bands::of(14, 8).unwrap(), Bands { bands: 14, rows: 8 });
    }

    #[test]
    fn dispatch_equals_the_plain_loop() {
        let permutations = Permutations::new(Bands { bands: 13, rows: 5 }, 7);
        let shingles: Vec<u32> = (0..999_u64).map(|i| mix(i) as u32).collect();
        let (mut fast, mut plain) = (vec![u32::MAX; permutations.factors.len()], vec![u32::MAX; permutations.factors.len()]);
        permutations.sign(&shingles, &mut fast);
        sign_blocks(&permutations.factors, &permutations.offsets, &shingles, &mut plain);
        assert_eq!(fast, plain);
    }

    #[test]
    fn agreement_estimates_similarity() {
        // Sets of 300 that share 200: Jaccard 0.5. A band of one row agrees that often.
        let permutations = Permutations::new(Bands { bands: 4096, rows: 1 }, 0);
        let keys = |range: std::ops::Range<u64>| {
            let (shingles, mut keys): (Vec<u64>, Vec<u64>) = (range.map(mix).collect(), Vec::new());
            permutations.keys(&shingles, &mut Scratch::default(), &mut keys, &Control::default()).unwrap();
            keys
        };
        let (a, b) = (keys(0..300), keys(100..400));
        let share = a.iter().zip(&b).filter(|(x, y)| x == y).count() as f64 / a.len() as f64;
        assert!((share - 0.5).abs() < 0.04, "{share}");
    }
}
