//! Wrapped: sequences one after another, cut where a bin is full.

use super::{GRAIN, NONE, check};
use crate::error::{Error, Result};
use crate::parallel::Control;

/// What of one sequence lies in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The sequence.
    pub row: u32,
    /// The bin.
    pub bin: u32,
    /// Where in the bin it begins, in tokens.
    pub start: u32,
    /// Its tokens.
    pub length: u32,
}

/// The bin of each sequence's first token. An empty sequence lies where the token before it does.
pub fn bins(lengths: &[u32], capacity: u32, control: &Control) -> Result<Vec<u32>> {
    check_bins(lengths, capacity)?;
    let (mut bins, mut at) = (Vec::with_capacity(lengths.len()), 0);
    for part in lengths.chunks(GRAIN) {
        control.check()?;
        bins.extend(part.iter().map(|&length| {
            let bin = bin_at(at, length, capacity);
            at += u64::from(length);
            bin
        }));
        control.advance(part.len());
    }
    Ok(bins)
}

/// Every piece, in the order of rows and within a row of bins; an empty sequence has one piece of no tokens.
///
/// # Errors
/// As [`super::pack`].
pub fn pieces(lengths: &[u32], capacity: u32, control: &Control) -> Result<Vec<Piece>> {
    check(lengths, capacity)?;
    check_bins(lengths, capacity)?;
    let (mut pieces, mut at, wide) = (Vec::with_capacity(lengths.len()), 0_u64, u64::from(capacity));
    for (part, rows) in lengths.chunks(GRAIN).zip((0_u32..).step_by(GRAIN)) {
        control.check()?;
        for (&length, row) in part.iter().zip(rows..) {
            let (mut left, mut bin) = (length, bin_at(at, length, capacity));
            loop {
                let start = (at - u64::from(bin) * wide) as u32;
                let length = left.min(capacity - start);
                pieces.push(Piece { row, bin, start, length });
                at += u64::from(length);
                left -= length;
                if left == 0 {
                    break;
                }
                bin += 1;
            }
        }
        control.advance(part.len());
    }
    Ok(pieces)
}

fn bin_at(at: u64, length: u32, capacity: u32) -> u32 {
    let token = if length == 0 { at.saturating_sub(1) } else { at };
    (token / u64::from(capacity)) as u32
}

fn check_bins(lengths: &[u32], capacity: u32) -> Result<()> {
    let tokens: u64 = lengths.iter().map(|&length| u64::from(length)).sum();
    if tokens.div_ceil(u64::from(capacity)) >= u64::from(NONE) {
        return Err(Error::Input(format!(
            "found {tokens} tokens in bins of {capacity}, expected fewer than {NONE} bins; raise the capacity or pack parts"
        )));
    }
    Ok(())
}
