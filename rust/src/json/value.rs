//! Columns of the types that an [`Index`]'s values have.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray};
use arrow_buffer::Buffer;

use super::column::{counts, texts};
use super::{Index, Kind, Source};
use crate::error::Result;
use crate::parallel::Control;

/// Distinct fields in the types that their values have: nothing but null and missing is null; truth values, integers of 64
/// bits and numbers that are the same as floats are such; all else is as in [`texts`].
///
/// # Errors
/// As [`texts`].
pub fn values(bytes: &Buffer, index: &Index, fields: &[&str], source: Source, control: &Control) -> Result<Vec<ArrayRef>> {
    let counts = counts(index);
    let typed: Vec<Option<ArrayRef>> = fields.iter().map(|field| typed(bytes.as_slice(), index, field, &counts)).collect();
    let others: Vec<&str> = fields.iter().zip(&typed).filter(|(_, typed)| typed.is_none()).map(|(field, _)| *field).collect();
    let mut others = texts(bytes, index, &others, source, control)?.into_iter();
    Ok(typed.into_iter().filter_map(|typed| typed.or_else(|| Some(Arc::new(others.next()?)))).collect())
}

fn typed(bytes: &[u8], index: &Index, field: &str, counts: &[[u64; Kind::NAMES.len()]]) -> Option<ArrayRef> {
    let none = || -> ArrayRef { Arc::new(NullArray::new(index.records.len())) };
    let Some(key) = index.key(field) else { return Some(none()) };
    let mut present = counts[key as usize];
    present[Kind::Null as usize] = 0;
    let mut kinds = (0..present.len()).filter(|&kind| present[kind] > 0);
    let words = || Words { bytes, index, key };
    match (kinds.next(), kinds.next()) {
        (None, _) => Some(none()),
        (Some(kind), None) if kind == Kind::Bool as usize => {
            Some(Arc::new(words().iter().map(|word| word.map(|word| word == b"true")).collect::<BooleanArray>()))
        }
        (Some(kind), None) if kind == Kind::Number as usize => numbers(&words()),
        _ => None,
    }
}

/// The values of one key as they stand.
struct Words<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    key: u32,
}

impl<'a> Words<'a> {
    /// One per record, `None` for null and missing.
    fn iter(&self) -> impl Iterator<Item = Option<&'a [u8]>> {
        let (bytes, index, key) = (self.bytes, self.index, self.key);
        let mut place = 0; // mostly that of the record before
        (0..index.records.len()).map(move |row| {
            let members = index.members_of(row);
            if members.get(place).is_none_or(|member| member.key != key) {
                place = members.iter().position(|member| member.key == key)?;
            }
            let (member, start) = (&members[place], index.records[row].start);
            (member.kind != Kind::Null).then(|| &bytes[start + member.start as usize..start + member.end as usize])
        })
    }
}

/// The largest integer up to which every one is a float.
const EXACT: u64 = 1 << 53;

fn numbers(words: &Words<'_>) -> Option<ArrayRef> {
    let mut beyond = false; // whether some integer has more than 64 bits
    let mut floats = false;
    let integers: Int64Array = words
        .iter()
        .map_while(|word| {
            let value = word.map(integer);
            if value == Some(None) {
                (beyond, floats) = (word.is_some_and(is_integer), word.is_some_and(|word| !is_integer(word)));
                return None;
            }
            Some(value.flatten())
        })
        .collect();
    if !beyond && !floats {
        return Some(Arc::new(integers));
    }
    let exact = |word: &[u8]| integer(word).is_some_and(|value| value.unsigned_abs() <= EXACT);
    if words.iter().flatten().all(is_integer) || !words.iter().flatten().all(|word| !is_integer(word) || exact(word)) {
        return None;
    }
    let float = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<f64>().ok();
    Some(Arc::new(words.iter().map(|word| word.and_then(float)).collect::<Float64Array>()))
}

fn is_integer(word: &[u8]) -> bool {
    word.iter().all(|&byte| byte.is_ascii_digit() || byte == b'-')
}

/// An integer within 64 bits.
fn integer(word: &[u8]) -> Option<i64> {
    let (negative, digits) = word.strip_prefix(b"-").map_or((false, word), |digits| (true, digits));
    if digits.len() > 18 || !is_integer(digits) {
        return if is_integer(word) { std::str::from_utf8(word).ok()?.parse().ok() } else { None };
    }
    let value = digits.iter().fold(0, |value, &digit| 10 * value + i64::from(digit - b'0'));
    Some(if negative { -value } else { value })
}
