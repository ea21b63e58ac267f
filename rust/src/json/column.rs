//! Texts cut from an [`Index`], and the types of its values.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use arrow_array::StringViewArray;
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer, ScalarBuffer};

use super::scan::{decode_into, short_view};
use super::{Index, Kind, Member, Source, changed};
use crate::error::Result;
use crate::parallel::{Control, map};

/// Bytes of records whose texts one worker makes at a time.
const STRETCH: usize = 1 << 20;

/// One in how many bytes of a source must be plain text that is asked for, for columns to hold it.
const SHARE: usize = 3;

/// Bytes of the source that views point into together.
const SLICE: usize = 1 << 30;

/// Bytes that an Arrow view holds itself.
const INLINE: usize = 12;

/// In place of a field's number: not asked for.
const UNASKED: u32 = u32::MAX;

/// Texts of distinct fields: strings decoded, other values as they stand.
///
/// # Errors
/// [`crate::error::Error::Interrupted`]; [`crate::error::Error::Input`] if a foreign source is no longer what was read.
pub fn texts(bytes: &Buffer, index: &Index, fields: &[&str], source: Source, control: &Control) -> Result<Vec<StringViewArray>> {
    let rows = index.records.len();
    let job = Job { bytes: bytes.as_slice(), index, asked: asked(index, fields), stretches: stretches(index), fields: fields.len() };
    let sizes = map(job.stretches.len(), |k| control.check().map(|()| job.sizes(k)))?;
    let plain: usize = sizes.iter().flatten().map(|size| size.plain).sum();
    let worth = source == Source::Shared && plain >= bytes.len() / SHARE;
    let borrowed = if worth { slices(bytes, index, &job.stretches) } else { Vec::new() };
    let mut views: Vec<Vec<u128>> = fields.iter().map(|_| vec![0; rows]).collect();
    let cut = Mutex::new(cut(&mut views, &job.stretches));
    let mut pieces = map(job.stretches.len(), |k| {
        control.check()?;
        let mut views = std::mem::take(&mut cut.lock().unwrap_or_else(PoisonError::into_inner)[k]);
        let pieces = job.pieces(k, &sizes[k], &mut views, &borrowed);
        if source == Source::Foreign && !pieces.iter().zip(&views).all(|(piece, views)| piece.is_text(views)) {
            return Err(changed());
        }
        Ok(pieces)
    })?;
    drop(cut);
    let columns = views.into_iter().enumerate().map(|(field, views)| {
        let decoded = pieces.iter_mut().map(|pieces| Buffer::from(std::mem::take(&mut pieces[field].bytes)));
        let buffers = borrowed.iter().map(|slice| slice.buffer.clone()).chain(decoded).collect();
        let nulls = nulls(pieces.iter().map(|pieces| &pieces[field]), rows);
        // SAFETY: a view holds its text itself, or names a span of a slice of the source, or of its stretch's buffer, which
        // stands behind the slices. The spans are UTF-8: the record was checked as text when it was read, its values begin
        // and end at ASCII characters, and escapes decode to whole characters; or, of a foreign source, what was copied
        // was checked.
        unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(views), buffers, nulls) }
    });
    Ok(columns.collect())
}

/// Stretches of rows: a megabyte each, or one record.
fn stretches(index: &Index) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (row, record) in index.records.iter().enumerate() {
        match stretches.last_mut() {
            Some(last) if record.end - index.records[last.start].start <= STRETCH => last.end = row + 1,
            _ => stretches.push(row..row + 1),
        }
    }
    stretches
}

/// Per key its number among the fields.
fn asked(index: &Index, fields: &[&str]) -> Vec<u32> {
    let mut asked = vec![UNASKED; index.keys.len()];
    for (number, field) in fields.iter().enumerate() {
        if let Some(key) = index.key(field) {
            asked[key as usize] = number as u32;
        }
    }
    asked
}

/// A part of the source that views can point into, from a stretch of rows on.
struct Slice {
    buffer: Buffer,
    start: usize,
    stretch: usize,
}

/// The source in as many slices as views need, which count to 2^31: whole stretches, a GB or one stretch each.
fn slices(bytes: &Buffer, index: &Index, stretches: &[Range<usize>]) -> Vec<Slice> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    for (k, rows) in stretches.iter().enumerate() {
        let start = index.records[rows.start].start;
        if starts.last().is_none_or(|last| index.records[rows.end - 1].end - last.0 > SLICE) {
            starts.push((start, k));
        }
    }
    let end = |k: usize| starts.get(k + 1).map_or(bytes.len(), |next| next.0);
    let slice = |(k, &(start, stretch))| Slice { buffer: bytes.slice_with_length(start, end(k) - start), start, stretch };
    starts.iter().enumerate().map(slice).collect()
}

/// Per stretch, of every column the views that are its own.
fn cut<'a>(columns: &'a mut [Vec<u128>], stretches: &[Range<usize>]) -> Vec<Vec<&'a mut [u128]>> {
    let mut parts: Vec<Vec<&mut [u128]>> = stretches.iter().map(|_| Vec::with_capacity(columns.len())).collect();
    for column in columns {
        let mut rest = column.as_mut_slice();
        for (part, rows) in parts.iter_mut().zip(stretches) {
            let (head, tail) = rest.split_at_mut(rows.len());
            part.push(head);
            rest = tail;
        }
    }
    parts
}

struct Job<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    asked: Vec<u32>,
    stretches: Vec<Range<usize>>,
    fields: usize,
}

/// Bytes of one field in one stretch, those that views hold themselves left out.
#[derive(Clone, Copy, Default)]
struct Size {
    plain: usize,
    escaped: usize,
}

impl Job<'_> {
    /// The values in a row that are asked for, each with the number of its field.
    #[inline]
    fn values(&self, row: usize) -> impl Iterator<Item = (usize, &Member)> {
        let members = self.index.members_of(row).iter().map(|member| (self.asked[member.key as usize], member));
        let wanted = members.filter(|(field, member)| *field != UNASKED && member.kind != Kind::Null);
        wanted.map(|(field, member)| (field as usize, member))
    }

    fn sizes(&self, k: usize) -> Vec<Size> {
        let mut sizes = vec![Size::default(); self.fields];
        for (field, member) in self.stretches[k].clone().flat_map(|row| self.values(row)) {
            match (member.escaped, (member.end - member.start) as usize) {
                (true, length) => sizes[field].escaped += length,
                (false, length) if length > INLINE => sizes[field].plain += length,
                _ => {}
            }
        }
        sizes
    }

    /// Make the texts of stretch `k`, every field's; `views` are the stretch's own.
    fn pieces(&self, k: usize, sizes: &[Size], views: &mut [&mut [u128]], borrowed: &[Slice]) -> Vec<Piece> {
        let rows = self.stretches[k].clone();
        let slice = borrowed.iter().rposition(|slice| slice.stretch <= k);
        let base = slice.map(|slice| (slice, borrowed[slice].start));
        let capacity = |size: &Size| if base.is_some() { size.escaped } else { size.plain + size.escaped };
        let mut pieces: Vec<Piece> = sizes.iter().map(|size| Piece::new(capacity(size), rows.len(), borrowed.len() + k)).collect();
        for (place, row) in rows.enumerate() {
            let start = self.index.records[row].start;
            for (field, member) in self.values(row) {
                let span = start + member.start as usize..start + member.end as usize;
                views[field][place] = pieces[field].take(self.bytes, span, member.escaped, base);
                pieces[field].valid.set_bit(place, true);
            }
        }
        pieces
    }
}

/// One field in one stretch.
struct Piece {
    /// Texts that no view holds or borrows, one after another; and which of the column's buffers that is.
    bytes: Vec<u8>,
    number: usize,
    /// Which rows have a text.
    valid: BooleanBufferBuilder,
    filled: usize,
}

impl Piece {
    fn new(size: usize, rows: usize, number: usize) -> Self {
        let mut valid = BooleanBufferBuilder::new(rows);
        valid.advance(rows);
        Self { bytes: Vec::with_capacity(size), number, valid, filled: 0 }
    }

    /// Take a text in and give its view; `base`: the slice of the source to borrow from, and where it starts.
    #[inline]
    fn take(&mut self, bytes: &[u8], span: Range<usize>, escaped: bool, base: Option<(usize, usize)>) -> u128 {
        self.filled += 1;
        if !escaped && span.len() <= INLINE {
            return short_view(bytes, span.start, span.len());
        }
        if let (false, Some((slice, start))) = (escaped, base) {
            return long_view(&bytes[span.clone()], slice, span.start - start);
        }
        let start = self.bytes.len();
        if escaped {
            decode_into(&bytes[span], &mut self.bytes)
        } else {
            self.bytes.extend_from_slice(&bytes[span])
        }
        let length = self.bytes.len() - start;
        if length <= INLINE {
            let view = short_view(&self.bytes, start, length);
            self.bytes.truncate(start);
            return view;
        }
        long_view(&self.bytes[start..], self.number, start)
    }

    /// Whether every text that was copied is UTF-8: those in the views, and those in the buffer, which they fill without gaps.
    fn is_text(&self, views: &[u128]) -> bool {
        let within = |view: &u128| {
            let (length, bytes) = (*view as u32 as usize, view.to_le_bytes());
            if length <= INLINE {
                return std::str::from_utf8(&bytes[4..4 + length]).is_ok();
            }
            self.bytes[(view >> 96) as usize] & 0xC0 != 0x80 // begins no character in its midst
        };
        views.iter().all(within) && std::str::from_utf8(&self.bytes).is_ok()
    }
}

/// A text as an Arrow view: its length, its first four bytes, its buffer's number and its place there.
#[inline]
fn long_view(text: &[u8], buffer: usize, start: usize) -> u128 {
    let head = text.first_chunk().map_or(0, |head| u32::from_le_bytes(*head));
    (start as u128) << 96 | (buffer as u128) << 64 | u128::from(head) << 32 | text.len() as u128
}

fn nulls<'a>(pieces: impl Iterator<Item = &'a Piece> + Clone, rows: usize) -> Option<NullBuffer> {
    if pieces.clone().map(|piece| piece.filled).sum::<usize>() == rows {
        return None;
    }
    let mut valid = BooleanBufferBuilder::new(rows);
    pieces.for_each(|piece| valid.append_buffer(&piece.valid.finish_cloned()));
    Some(NullBuffer::new(valid.finish()))
}

/// Distinct fields' types per row.
#[must_use]
pub fn types(index: &Index, fields: &[&str]) -> Vec<Vec<u8>> {
    let asked = asked(index, fields);
    let mut types = vec![vec![Kind::Missing as u8; index.records.len()]; fields.len()];
    for row in 0..index.records.len() {
        for member in index.members_of(row) {
            if let Some(types) = types.get_mut(asked[member.key as usize] as usize) {
                types[row] = member.kind as u8;
            }
        }
    }
    types
}

/// Per key the number of records with each kind.
pub(super) fn counts(index: &Index) -> Vec<[u64; Kind::NAMES.len()]> {
    let mut counts = vec![[0_u64; Kind::NAMES.len()]; index.keys.len()];
    for member in index.members.iter().flatten() {
        counts[member.key as usize][member.kind as usize] += 1;
    }
    counts
}

/// How often each key holds each type: (key, type, records), keys in order of first appearance.
#[must_use]
pub fn count_keys(index: &Index) -> Vec<(&str, Kind, u64)> {
    const ALL: [Kind; 6] = [Kind::String, Kind::Null, Kind::Number, Kind::Bool, Kind::Array, Kind::Object];
    let per_key = index.keys.iter().zip(counts(index));
    per_key
        .flat_map(|(key, counts)| ALL.map(|kind| (key.as_str(), kind, counts[kind as usize])))
        .filter(|(_, _, count)| *count > 0)
        .collect()
}
