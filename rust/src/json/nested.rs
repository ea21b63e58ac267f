//! Records inside records: the objects of a field's arrays, and one JSON text per row.

use super::cursor::{Cursor, Fault};
use super::part::Part;
use super::{Index, Kind};
use crate::error::Result;
use crate::parallel::{Control, map};

/// Rows that one worker takes at a time.
const ROWS: usize = 4096;

/// The objects in the arrays under `field`: `record` is the parent's row, `item` the place in its list.
/// An object in place of an array counts as a list of one; rows with another value there give nothing.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn items(bytes: &[u8], parent: &Index, field: &str, control: &Control) -> Result<Index> {
    let Some(key) = parent.key(field) else { return Ok(Index::default()) };
    in_parts(parent.records.len(), control, |part, row| {
        if let Some(member) = parent.members_of(row).iter().find(|member| member.key == key) {
            let record = &parent.records[row];
            items_of(part, bytes, (member.kind, record.start + member.start as usize), row as u64, record.line);
        }
    })
}

fn items_of(part: &mut Part, bytes: &[u8], (kind, start): (Kind, usize), row: u64, line: u64) {
    part.utf8_until = bytes.len(); // the parent was checked
    let mut cursor = Cursor::new(bytes, start);
    let mut item = 0;
    let mut element = |cursor: &mut Cursor<'_>| {
        let place = (row, item, line + newlines(&bytes[start..cursor.at]));
        item += 1;
        if cursor.peek() == Some(b'{') {
            return part.object(cursor, place.0, place.1, place.2);
        }
        cursor.value().map(|value| part.not_object(bytes, place, &value))
    };
    let read = match kind {
        Kind::Object => element(&mut cursor),
        Kind::Array => cursor.elements(element),
        _ => Ok(()),
    };
    debug_assert!(read.is_ok(), "the parent was read without a fault");
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// One JSON object per row: `texts[row]` are its bytes in `bytes` (`None`: no row). `record` is the row; lines are
/// counted within the text.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn parse_each(bytes: &[u8], texts: &[Option<(usize, usize)>], control: &Control) -> Result<Index> {
    in_parts(texts.len(), control, |part, row| {
        if let Some((start, end)) = texts[row] {
            parse_one(part, &bytes[..end], start, row as u64);
        }
    })
}

fn parse_one(part: &mut Part, bytes: &[u8], start: usize, row: u64) {
    part.base = start as i64;
    let mut cursor = Cursor::new(bytes, start);
    cursor.skip_space();
    let place = (row, 0, 1 + newlines(&bytes[start..cursor.at]));
    let members = part.records.len();
    let read = if cursor.peek() == Some(b'{') {
        part.object(&mut cursor, row, 0, place.2)
    } else {
        cursor.value().map(|value| part.not_object(bytes, place, &value))
    };
    let trailing = |cursor: &mut Cursor<'_>| {
        cursor.skip_space();
        match cursor.peek() {
            None => Ok(()),
            Some(_) => Err(Box::new(Fault { at: cursor.at, code: "bad_json", expected: "the end after the object", field: None })),
        }
    };
    match read {
        Ok(()) if part.records.len() == members => {}
        Ok(()) => {
            if let Err(fault) = trailing(&mut cursor) {
                part.drop_last();
                part.reject(bytes, place, (start, bytes.len()), *fault);
            }
        }
        Err(fault) => part.reject(bytes, place, (start, bytes.len()), *fault),
    }
}

fn in_parts(rows: usize, control: &Control, fill: impl Fn(&mut Part, usize) + Sync) -> Result<Index> {
    let parts = map(rows.div_ceil(ROWS), |chunk| {
        control.check()?;
        let mut part = Part::default();
        let within = chunk * ROWS..rows.min((chunk + 1) * ROWS);
        within.clone().for_each(|row| fill(&mut part, row));
        control.advance(within.len());
        Ok(part)
    })?;
    let mut index = Index::default();
    parts.into_iter().for_each(|part| index.append(part, 0, 0));
    Ok(index)
}
