//! From windows that occurred before to spans: joined, without overlap, counted in code points.

use super::{Hit, Rows};
use crate::error::Result;
use crate::parallel::Control;
use crate::text::count_characters;

/// A passage that occurred before, half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The row it stands in.
    pub row: u32,
    /// Its start.
    pub start: u32,
    /// Its end.
    pub end: u32,
    /// The row of an earlier copy.
    pub root: u32,
    /// The start of that copy.
    pub root_start: u32,
}

/// Join the hits of one row, sorted. A span goes on as long as its copy does; where another copy must be named, a new
/// span begins behind it.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn joined(rows: Rows<'_>, hits: &[Hit], control: &Control) -> Result<Vec<Span>> {
    let mut spans: Vec<Span> = Vec::new();
    for (count, hit) in hits.iter().enumerate() {
        if count.is_multiple_of(1024) {
            control.check()?;
        }
        let mut start = hit.start;
        if let Some(last) = spans.last_mut() {
            if hit.end <= last.end {
                continue;
            }
            // Where the next piece begins: at the hit itself when nothing but white space lies between.
            let next = match rows {
                Rows::Texts(texts, ..) => {
                    let rest = texts[hit.row as usize].map_or("", |text| &text[last.end as usize..]);
                    last.end + (rest.len() - rest.trim_start().len()) as u32
                }
                Rows::Ids(_) => last.end,
            };
            if hit.start <= next && goes_on(rows, last, hit) {
                last.end = hit.end;
                continue;
            }
            start = start.max(next);
        }
        spans.push(Span { row: hit.row, start, end: hit.end, root: hit.root, root_start: hit.root_start + (start - hit.start) });
    }
    Ok(spans)
}

/// Whether the copy of a span holds on to the end of a hit, and may end there.
fn goes_on(rows: Rows<'_>, span: &Span, hit: &Hit) -> bool {
    let (here, there) = (rows.bytes(span.row as usize), rows.bytes(span.root as usize));
    let more = &here[span.end as usize..hit.end as usize];
    let end = (span.root_start + (span.end - span.start)) as usize;
    there[end..].starts_with(more) && rows.ends(span.root as usize, end + more.len())
}

/// Turn offsets in bytes into offsets in code points.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn in_characters(texts: &[Option<&str>], spans: &mut [Span], control: &Control) -> Result<()> {
    // A row's offsets are asked in order, so that its text is counted once.
    let mut counter = (u32::MAX, 0, 0);
    let mut count = |row: u32, at: u32| {
        let (last, upto, characters) = &mut counter;
        if *last != row || *upto > at {
            (*last, *upto, *characters) = (row, 0, 0);
        }
        *characters += count_characters(&texts[row as usize].unwrap_or("").as_bytes()[*upto as usize..at as usize]);
        *upto = at;
        *characters
    };
    let mut roots: Vec<(u32, u32, usize)> = spans.iter().enumerate().map(|(at, span)| (span.root, span.root_start, at)).collect();
    roots.sort_unstable();
    for (done, (row, at, span)) in roots.into_iter().enumerate() {
        if done.is_multiple_of(1024) {
            control.check()?;
        }
        spans[span].root_start = count(row, at);
    }
    for span in spans {
        (span.start, span.end) = (count(span.row, span.start), count(span.row, span.end));
    }
    Ok(())
}
