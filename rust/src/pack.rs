//! Packing of sequences into bins of fixed capacity: best-fit decreasing, first-fit decreasing, and wrapped.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::parallel::Control;

mod best;
mod first;
mod wrapped;

pub use wrapped::{Piece, pieces};

/// The largest capacity: bins are found through a table of this many entries.
const MOST: u32 = 1 << 28;
/// No bin.
const NONE: u32 = u32::MAX;
/// Sequences between two looks at the control.
const GRAIN: usize = 1 << 16;

/// How sequences are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Longest first, each into the fullest open bin that still holds it (the one filled last where several are equally
    /// full), else into a new one.
    BestFit,
    /// Longest first, each into the first open bin that still holds it, else into a new one.
    FirstFit,
    /// One after another in input order, cut where a bin is full.
    Wrapped,
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "best-fit" => Ok(Self::BestFit),
            "first-fit" => Ok(Self::FirstFit),
            "wrapped" => Ok(Self::Wrapped),
            other => Err(Error::Option(format!("method: found \"{other}\", expected best-fit, first-fit or wrapped"))),
        }
    }
}

/// The bin of every sequence, in input order; wrapped: of its first token. Of equally long sequences the first in the
/// input comes first; bins are numbered as they are opened.
///
/// # Errors
/// [`Error::Option`] for a capacity of 0 or above 2^28; [`Error::Input`] when a sequence is longer than the
/// capacity (names the first; wrapped ones may be), or for too many sequences or bins; [`Error::Interrupted`].
pub fn pack(lengths: &[u32], capacity: u32, method: Method, control: &Control) -> Result<Vec<u32>> {
    check(lengths, capacity)?;
    if method == Method::Wrapped {
        return wrapped::bins(lengths, capacity, control);
    }
    if let Some(row) = lengths.iter().position(|&length| length > capacity) {
        return Err(Error::Input(format!(
            "row {row}: found {} tokens, expected at most the capacity of {capacity}; shorten or drop the row, or raise the capacity",
            lengths[row]
        )));
    }
    let order = longest_first(lengths, control)?;
    if method == Method::BestFit {
        let mut open = best::Open::new(capacity);
        each(lengths, &order, control, |length| open.place(length))
    } else {
        let mut open = first::Open::new(capacity);
        each(lengths, &order, control, |length| open.place(length))
    }
}

fn check(lengths: &[u32], capacity: u32) -> Result<()> {
    if capacity == 0 || capacity > MOST {
        return Err(Error::Option(format!("capacity: found {capacity}, expected 1 to {MOST} tokens")));
    }
    if lengths.len() >= NONE as usize {
        return Err(Error::Input(format!("found {} sequences, expected fewer than {NONE}; pack parts", lengths.len())));
    }
    Ok(())
}

fn each(lengths: &[u32], order: &[u32], control: &Control, mut place: impl FnMut(u32) -> u32) -> Result<Vec<u32>> {
    let mut bins = vec![0; lengths.len()];
    for rows in order.chunks(GRAIN) {
        control.check()?;
        for &row in rows {
            bins[row as usize] = place(lengths[row as usize]);
        }
        control.advance(rows.len());
    }
    Ok(bins)
}

/// Rows sorted by falling length, stable: one counting pass.
fn longest_first(lengths: &[u32], control: &Control) -> Result<Vec<u32>> {
    let longest = lengths.iter().copied().max().unwrap_or(0) as usize;
    let mut starts = vec![0_u32; longest + 2];
    for &length in lengths {
        starts[longest - length as usize + 1] += 1;
    }
    for place in 1..starts.len() {
        starts[place] += starts[place - 1];
    }
    let mut order = vec![0; lengths.len()];
    for (part, rows) in lengths.chunks(GRAIN).zip((0..).step_by(GRAIN)) {
        control.check()?;
        for (&length, row) in part.iter().zip(rows..) {
            let start = &mut starts[longest - length as usize];
            order[*start as usize] = row;
            *start += 1;
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Method, pack, pieces};
    use crate::error::Error;
    use crate::parallel::Control;

    #[test]
    fn small() {
        let packed = |lengths: &[u32], capacity, method| pack(lengths, capacity, method, &Control::default()).unwrap();
        assert_eq!(packed(&[6, 4, 3], 8, Method::BestFit), [0, 1, 1]);
        assert_eq!(packed(&[2, 5, 3, 5, 0], 5, Method::BestFit), [2, 0, 2, 1, 2]);
        assert_eq!(packed(&[2, 5, 3, 5, 0], 5, Method::FirstFit), [2, 0, 2, 1, 0]);
        assert_eq!(packed(&[6, 5, 2, 1], 8, Method::FirstFit), [0, 1, 0, 1]);
        assert_eq!(packed(&[5, 6, 1, 20, 0], 8, Method::Wrapped), [0, 0, 1, 1, 3]);
        for method in [Method::BestFit, Method::FirstFit, Method::Wrapped] {
            assert!(packed(&[], 5, method).is_empty());
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for method in [Method::BestFit, Method::FirstFit] {
            let Err(Error::Input(message)) = pack(&[1, 9, 99], 8, method, &Control::default()) else { panic!("nine tokens do not fit") };
            assert!(message.starts_with("row 1: found 9 tokens"));
        }
        assert!(pack(&[1], 0, Method::BestFit, &Control::default()).is_err());
        let stopped = Control::default();
        stopped.stop();
        assert_eq!(pack(&[1], 1, Method::FirstFit, &stopped), Err(Error::Interrupted));
    }

    proptest! {
        #[test]
        fn no_bin_overflows_and_none_could_be_spared_alone(lengths in proptest::collection::vec(0_u32..=50, 0..200)) {
            for method in [Method::BestFit, Method::FirstFit] {
                let bins = pack(&lengths, 50, method, &Control::default()).unwrap();
                let mut filled = vec![0; bins.iter().max().map_or(0, |&last| last as usize + 1)];
                lengths.iter().zip(&bins).for_each(|(length, &bin)| filled[bin as usize] += length);
                prop_assert!(filled.iter().all(|&tokens| tokens <= 50));
                // Two bins at most half full would have been one.
                prop_assert!(filled.iter().filter(|&&tokens| tokens <= 25).count() <= 1);
            }
        }

        #[test]
        fn pieces_fill_bins_in_turn(lengths in proptest::collection::vec(0_u32..40, 0..60), capacity in 1_u32..30) {
            let control = Control::default();
            let (bins, found) = (pack(&lengths, capacity, Method::Wrapped, &control).unwrap(), pieces(&lengths, capacity, &control).unwrap());
            let mut at = 0;
            for (row, &length) in (0..).zip(&lengths) {
                let own: Vec<_> = found.iter().filter(|piece| piece.row == row).collect();
                prop_assert_eq!(own[0].bin, bins[row as usize]);
                prop_assert_eq!(own.iter().map(|piece| piece.length).sum::<u32>(), length);
                for piece in own {
                    prop_assert_eq!(u64::from(piece.bin) * u64::from(capacity) + u64::from(piece.start), at);
                    at += u64::from(piece.length);
                }
            }
        }
    }
}
