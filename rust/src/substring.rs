//! Passages that occur again, word for word: found by the hashes of the shortest windows that are long enough.
//!
//! What a suffix array and its LCP give for one least length, in linear time and without the array: a run of pieces is a
//! repeat exactly where its windows are, and a window is looked for by its hash. The texts are read twice: first to
//! find out which hashes occur twice (two bits a hash), then to collect the windows that have them; so memory is
//! known before it is used.

mod borders;
mod spans;
mod windows;

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::fields::check_rows;
use crate::parallel::Control;
use borders::Piece;
pub use borders::{Border, Measure};
pub use spans::Span;
use windows::Windows;

/// Rows per piece of parallel work.
const GRAIN: usize = 64;
/// Windows that are looked up at a time.
const BATCH: usize = 512;
/// Parts that are sorted one by one.
const PARTS: usize = 256;

/// What is searched.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// Texts, cut at borders; spans count code points.
    Texts(&'a [Option<&'a str>], Border, Measure),
    /// Token ids, cut anywhere; spans and the least length count ids.
    Ids(&'a [Option<&'a [u32]>]),
}

impl<'a> Rows<'a> {
    fn len(self) -> usize {
        match self {
            Self::Texts(rows, ..) => rows.len(),
            Self::Ids(rows) => rows.len(),
        }
    }

    fn bytes(self, row: usize) -> &'a [u8] {
        match self {
            Self::Texts(rows, ..) => rows[row].unwrap_or("").as_bytes(),
            Self::Ids(rows) => {
                let ids = rows[row].unwrap_or(&[]);
                // SAFETY: the same memory, seen as bytes; any bytes are valid, and one aligns anywhere.
                unsafe { std::slice::from_raw_parts(ids.as_ptr().cast(), size_of_val(ids)) }
            }
        }
    }

    fn cut(self, row: usize, pieces: &mut Vec<Piece>, control: &Control) -> Result<()> {
        pieces.clear();
        match self {
            Self::Texts(rows, border, measure) => borders::pieces(rows[row].unwrap_or(""), border, measure, pieces, control)?,
            Self::Ids(rows) => {
                let count = rows[row].map_or(0, <[u32]>::len) as u32;
                pieces.extend((0..count).map(|at| Piece { start: at * 4, end: at * 4 + 4, from: at, to: at + 1 }));
            }
        }
        Ok(())
    }

    /// Whether a piece may end there.
    fn ends(self, row: usize, at: usize) -> bool {
        match self {
            Self::Texts(rows, border, _) => rows[row].is_some_and(|text| borders::ends(text, at, border)),
            Self::Ids(_) => at.is_multiple_of(4),
        }
    }

    /// Bytes of all rows.
    ///
    /// # Errors
    /// [`Error::Input`] for too many rows, or one of 4 GiB or more.
    fn checked(self) -> Result<usize> {
        check_rows(self.len())?;
        let mut total = 0;
        for row in 0..self.len() {
            let bytes = self.bytes(row).len();
            if bytes >= u32::MAX as usize {
                return Err(Error::Input(format!("row {row}: found {bytes} bytes, expected fewer than 2^32 in one row; split it")));
            }
            total += bytes;
        }
        Ok(total)
    }
}

/// A window that may have a twin, in bytes of its row.
#[derive(Debug, Clone, Copy)]
struct Window {
    key: u64,
    row: u32,
    start: u32,
    end: u32,
}

/// A window that occurred before, and where it did first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    row: u32,
    start: u32,
    end: u32,
    root: u32,
    root_start: u32,
}

/// Which hashes occur, and which occur twice: two bits a place.
struct Seen(Vec<AtomicU64>);

impl Seen {
    /// Bytes for so many bytes of text: about 16 places a window.
    fn bytes(total: usize, ids: bool) -> usize {
        let places = if ids { total.saturating_mul(4) } else { total.saturating_mul(5) };
        (places.next_power_of_two() / 4).max(64)
    }

    fn place(&self, key: u64) -> (&AtomicU64, u32) {
        (&self.0[(key >> 5) as usize & (self.0.len() - 1)], (key % 32) as u32 * 2)
    }

    /// Bring the places of a batch into the cache, all at a time: one by one, each would be waited for.
    fn fetch(&self, batch: &[Window]) {
        std::hint::black_box(batch.iter().fold(0, |all, window| all ^ self.place(window.key).0.load(Ordering::Relaxed)));
    }

    /// Note a hash; whether its place was taken, and whether it is the first to find it so.
    fn put(&self, key: u64) -> (bool, bool) {
        let (cell, shift) = self.place(key);
        let set = |bit: u64| {
            let mask = bit << shift;
            cell.load(Ordering::Relaxed) & mask == 0 && cell.fetch_or(mask, Ordering::Relaxed) & mask == 0
        };
        if set(1) { (false, false) } else { (true, set(2)) }
    }

    fn twice(&self, key: u64) -> bool {
        let (cell, shift) = self.place(key);
        cell.load(Ordering::Relaxed) >> shift & 2 != 0
    }
}

/// Bytes that the search needs besides the texts: for the hashes seen, and for the windows that share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Known from the size of the texts alone.
    pub hashes: usize,
    /// Known after the first reading.
    pub windows: usize,
}

/// Read all rows and call `take` with their windows, in batches; half of a row is told as done each time.
fn read<T: Send>(
    rows: Rows<'_>,
    least: u32,
    control: &Control,
    second: bool,
    take: impl Fn(&mut T, &[Window]) + Sync,
    new: impl Fn() -> T + Sync,
) -> Result<Vec<T>> {
    let starts: Vec<usize> = (0..rows.len()).step_by(GRAIN).collect();
    starts
        .into_par_iter()
        .map_init(
            || (Windows::default(), Vec::new(), Vec::with_capacity(BATCH)),
            |(windows, pieces, batch), first| {
                let mut made = new();
                let end = rows.len().min(first + GRAIN);
                for row in first..end {
                    control.check()?;
                    rows.cut(row, pieces, control)?;
                    windows.each(rows.bytes(row), pieces, least, |a, b, key| {
                        batch.push(Window { key, row: row as u32, start: pieces[a].start, end: pieces[b].end });
                        if batch.len() == BATCH {
                            // Of a row within which it was stopped, the rest is passed over.
                            if control.check().is_ok() {
                                take(&mut made, batch);
                            }
                            batch.clear();
                        }
                    });
                }
                control.check()?;
                take(&mut made, batch);
                batch.clear();
                let half = (end - first) / 2;
                control.advance(if second { end - first - half } else { half });
                Ok(made)
            },
        )
        .collect()
}

fn first_reading(rows: Rows<'_>, least: u32, limit: usize, control: &Control) -> Result<(Seen, Memory)> {
    let total = rows.checked()?;
    let hashes = Seen::bytes(total, matches!(rows, Rows::Ids(_)));
    fits(hashes, limit, "the hashes of the windows of these texts")?;
    let mut cells = Vec::new();
    cells.resize_with(hashes / 8, || AtomicU64::new(0));
    let seen = Seen(cells);
    let note = |twice: &mut usize, batch: &[Window]| {
        seen.fetch(batch);
        for window in batch {
            let (again, first) = seen.put(window.key);
            *twice += usize::from(again) + usize::from(first);
        }
    };
    // Windows whose place was taken, and one for each such place: all that the second reading will find.
    let twice: usize = read(rows, least, control, false, note, || 0)?.into_iter().sum();
    // Windows while they are handed to the parts, or hits beside them.
    Ok((seen, Memory { hashes, windows: twice * 2 * size_of::<Window>() }))
}

fn fits(needed: usize, limit: usize, what: &str) -> Result<()> {
    if needed <= limit {
        return Ok(());
    }
    let mb = |bytes: usize| bytes.div_ceil(1_000_000);
    Err(Error::Option(format!(
        "memory_limit: {what} need {} MB, found a limit of {} MB; raise memory_limit, drop exact duplicates first, take a larger \
         min_length, or work on parts",
        mb(needed),
        mb(limit)
    )))
}

/// The memory that [`duplicates`] needs besides the texts: one reading.
///
/// # Errors
/// As [`duplicates`].
pub fn memory(rows: Rows<'_>, least: u32, limit: usize, control: &Control) -> Result<Memory> {
    Ok(first_reading(rows, least, limit, control)?.1)
}

/// Every passage of at least `least` that occurred before, in an earlier row or earlier in the same row without
/// overlap; sorted, without overlap. Null and empty rows have none.
///
/// # Errors
/// [`Error::Option`] when more than `limit` bytes are needed; [`Error::Interrupted`]; [`Error::Input`] for 2^32 - 1 rows or
/// a row of 4 GiB.
pub fn duplicates(rows: Rows<'_>, least: u32, limit: usize, control: &Control) -> Result<Vec<Span>> {
    let (seen, memory) = first_reading(rows, least, limit, control)?;
    fits(memory.hashes + memory.windows, limit, "the windows that occur twice")?;
    let keep = |kept: &mut Vec<Window>, batch: &[Window]| {
        seen.fetch(batch);
        kept.extend(batch.iter().filter(|window| seen.twice(window.key)));
    };
    let kept = read(rows, least, control, true, keep, Vec::new)?;
    drop(seen);
    let parts = parted(kept, |window| (window.key >> 56) as usize);
    let hits: Vec<Vec<Hit>> = parts
        .into_par_iter()
        .map(|mut windows| {
            control.check()?;
            windows.sort_unstable_by_key(|window| (window.key, window.row, window.start));
            Ok(hits(rows, &windows))
        })
        .collect::<Result<_>>()?;
    let share = rows.len().div_ceil(PARTS).max(1);
    let made: Vec<Vec<Span>> = parted(hits, |hit| hit.row as usize / share)
        .into_par_iter()
        .map(|mut hits| {
            control.check()?;
            hits.sort_unstable();
            let mut made = Vec::new();
            for hits in hits.chunk_by(|a, b| a.row == b.row) {
                made.extend(spans::joined(rows, hits, control)?);
            }
            Ok(made)
        })
        .collect::<Result<_>>()?;
    let mut spans = made.concat();
    if let Rows::Texts(texts, ..) = rows {
        spans::in_characters(texts, &mut spans, control)?;
    } else {
        spans.iter_mut().for_each(|span| (span.start, span.end, span.root_start) = (span.start / 4, span.end / 4, span.root_start / 4));
    }
    Ok(spans)
}

/// Hand out the items of pieces to [`PARTS`] parts, in order, freeing the pieces as they are read.
fn parted<T: Copy>(pieces: Vec<Vec<T>>, part: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut counts = [0; PARTS];
    pieces.iter().flatten().for_each(|item| counts[part(item)] += 1);
    let mut parts: Vec<Vec<T>> = counts.iter().map(|&count| Vec::with_capacity(count)).collect();
    for item in pieces.into_iter().flatten() {
        parts[part(&item)].push(item);
    }
    parts
}

/// Compare the windows that share a key with the first of their text.
fn hits(rows: Rows<'_>, windows: &[Window]) -> Vec<Hit> {
    let text = |window: &Window| &rows.bytes(window.row as usize)[window.start as usize..window.end as usize];
    let mut found = Vec::new();
    let mut firsts: Vec<Window> = Vec::new();
    for run in windows.chunk_by(|a, b| a.key == b.key).filter(|run| run.len() > 1) {
        firsts.clear();
        for window in run {
            match firsts.iter().find(|first| text(first) == text(window)) {
                None => firsts.push(*window),
                Some(first) => {
                    if first.row < window.row || first.end <= window.start {
                        found.push(Hit { row: window.row, start: window.start, end: window.end, root: first.row, root_start: first.start });
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Border, Measure, Rows, duplicates, memory};
    use crate::error::Error;
    use crate::parallel::Control;

    fn found(texts: &[&str], least: u32) -> Vec<(u32, u32, u32, u32, u32)> {
        let texts: Vec<_> = texts.iter().copied().map(Some).collect();
        let rows = Rows::Texts(&texts, Border::Word, Measure::Character);
        let spans = duplicates(rows, least, usize::MAX, &Control::default()).unwrap();
        spans.iter().map(|span| (span.row, span.start, span.end, span.root, span.root_start)).collect()
    }

    #[test]
    fn the_first_copy_stays() {
        assert_eq!(found(&["é one two three x", "y one two three", "one two three"], 10), [(1, 2, 15, 0, 2), (2, 0, 13, 0, 2)]);
        assert_eq!(found(&["bones two", "one two"], 6), []);
        assert_eq!(found(&["one two - one two"], 7), [(0, 10, 17, 0, 0)]);
    }

    #[test]
    fn periods_are_one_span() {
        let la = "la ".repeat(50);
        assert_eq!(found(&[la.trim()], 5), [(0, 6, 149, 0, 0)]);
        assert_eq!(found(&[la.trim(), la.trim()], 5), [(0, 6, 149, 0, 0), (1, 0, 149, 0, 0)]);
    }

    #[test]
    fn ids_and_memory() {
        let rows: [Option<&[u32]>; 4] = [Some(&[1, 2, 3, 4, 5]), None, Some(&[]), Some(&[9, 2, 3, 4])];
        let spans = duplicates(Rows::Ids(&rows), 3, usize::MAX, &Control::default()).unwrap();
        assert_eq!(
            spans.iter().map(|span| (span.row, span.start, span.end, span.root, span.root_start)).collect::<Vec<_>>(),
            [(3, 1, 4, 0, 1)]
        );
        let needed = memory(Rows::Ids(&rows), 3, usize::MAX, &Control::default()).unwrap();
        assert!(needed.windows > 0);
        let refused = duplicates(Rows::Ids(&rows), 3, needed.hashes, &Control::default());
        assert!(matches!(refused, Err(Error::Option(message)) if message.contains("memory_limit")));
        assert!(duplicates(Rows::Ids(&rows), 3, needed.hashes + needed.windows, &Control::default()).is_ok());
    }
}
