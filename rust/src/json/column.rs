//! Columns cut from an [`Index`].

use std::ops::Range;

use super::cursor::decode_into;
use super::{Index, Kind, Member};

/// Bytes of records whose texts one worker makes at a time.
const STRETCH: usize = 1 << 21;

/// Texts of some rows, one after another in one buffer.
#[derive(Debug, Default)]
pub struct Texts {
    /// UTF-8, every span of it on its own.
    pub bytes: Vec<u8>,
    /// Per row: where its text starts, and its length; `None` for null and missing.
    pub spans: Vec<Option<(u32, u32)>>,
}

/// A field's texts for `rows`: strings decoded, other values as they stand.
#[must_use]
pub fn texts(bytes: &[u8], index: &Index, field: &str, rows: Range<usize>) -> Texts {
    let mut texts = Texts::default();
    let Some(key) = index.key(field) else {
        texts.spans.resize(rows.len(), None);
        return texts;
    };
    let members: Vec<Option<&Member>> = rows.map(|row| index.find(row, key).filter(|member| member.kind != Kind::Null)).collect();
    texts.bytes.reserve_exact(members.iter().flatten().map(|member| member.end - member.start).sum());
    let short = |length: usize| u32::try_from(length).expect("stretches are far below 4 GB");
    texts.spans.extend(members.into_iter().map(|member| {
        let member = member?;
        let start = texts.bytes.len();
        let inner = &bytes[member.start..member.end];
        if member.escaped {
            decode_into(inner, &mut texts.bytes)
        } else {
            texts.bytes.extend_from_slice(inner)
        }
        Some((short(start), short(texts.bytes.len() - start)))
    }));
    texts
}

/// Stretches of rows for [`texts`]: a megabyte or two each, or one record.
#[must_use]
pub fn stretches(index: &Index) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (row, record) in index.records.iter().enumerate() {
        match stretches.last_mut() {
            Some(last) if record.end - index.records[last.start].start <= STRETCH => last.end = row + 1,
            _ => stretches.push(row..row + 1),
        }
    }
    stretches
}

/// A field's type per row.
#[must_use]
pub fn types(index: &Index, field: &str) -> Vec<u8> {
    let key = index.key(field);
    let kind = |row| key.and_then(|key| index.find(row, key)).map_or(Kind::Missing, |member| member.kind);
    (0..index.records.len()).map(|row| kind(row) as u8).collect()
}

/// How often each key holds each type: (key, type, records), keys in order of first appearance.
#[must_use]
pub fn count_keys(index: &Index) -> Vec<(&str, Kind, u64)> {
    const ALL: [Kind; 6] = [Kind::String, Kind::Null, Kind::Number, Kind::Bool, Kind::Array, Kind::Object];
    let mut counts = vec![[0_u64; Kind::NAMES.len()]; index.keys.len()];
    for member in &index.members {
        counts[member.key as usize][member.kind as usize] += 1;
    }
    let per_key = index.keys.iter().zip(counts);
    per_key
        .flat_map(|(key, counts)| ALL.map(|kind| (key.as_str(), kind, counts[kind as usize])))
        .filter(|(_, _, count)| *count > 0)
        .collect()
}

/// A column in the type that its values have.
pub enum Values {
    /// Nothing but null and missing.
    Null,
    /// All `true` or `false`.
    Bool(Vec<Option<bool>>),
    /// All integers within 64 bits.
    Integer(Vec<Option<i64>>),
    /// All numbers, none of them an integer that a float would change.
    Float(Vec<Option<f64>>),
    /// Strings, nested values, mixtures, integers of more than 64 bits: take [`texts`].
    Text,
}

/// The largest integer up to which every one is a float.
const EXACT: u64 = 1 << 53;

/// A field as numbers or truth values where all its values are such.
#[must_use]
pub fn values(bytes: &[u8], index: &Index, field: &str) -> Values {
    let Some(key) = index.key(field) else { return Values::Null };
    let members: Vec<Option<&Member>> =
        (0..index.records.len()).map(|row| index.find(row, key).filter(|member| member.kind != Kind::Null)).collect();
    let word = |member: &Member| std::str::from_utf8(&bytes[member.start..member.end]).unwrap_or_default();
    let mut kinds = members.iter().flatten().map(|member| member.kind);
    let Some(first) = kinds.next() else { return Values::Null };
    if kinds.any(|kind| kind != first) {
        return Values::Text;
    }
    match first {
        Kind::Bool => Values::Bool(members.iter().map(|member| member.map(|member| word(member) == "true")).collect()),
        Kind::Number => numbers(members.into_iter().map(|member| member.map(word)).collect()),
        _ => Values::Text,
    }
}

fn numbers(words: Vec<Option<&str>>) -> Values {
    let is_integer = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if words.iter().flatten().all(is_integer) {
        let parsed: Result<Vec<Option<i64>>, _> = words.iter().map(|word| word.map(str::parse).transpose()).collect();
        return parsed.map_or(Values::Text, Values::Integer);
    }
    let exact = |word: &&str| !is_integer(word) || word.parse::<i64>().is_ok_and(|value| value.unsigned_abs() <= EXACT);
    if !words.iter().flatten().all(exact) {
        return Values::Text;
    }
    Values::Float(words.iter().map(|word| word.and_then(|word| word.parse().ok())).collect())
}
