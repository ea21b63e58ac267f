//! JSON records: arrays of objects, JSON lines and concatenated objects, indexed in one pass.
//!
//! Reading validates every byte and keeps, for each record, where its top-level members stand ([`Index`]);
//! columns are then cut from that index without parsing again. A damaged record becomes a [`Reject`] and costs
//! nothing but itself: reading goes on at the next place that looks like the start of a record.

mod column;
mod cursor;
mod dumped;
mod nested;
mod part;
mod read;
mod resync;
mod scan;
mod stream;
mod value;

pub use column::{count_keys, texts, types};
pub use dumped::{calls, dumped};
pub use nested::{items, parse_each};
pub use read::read;
pub use scan::encode_into;
pub use stream::{Block, Stream, Windows};
pub use value::values;

use crate::error::Error;

/// Bytes that one worker takes at a time.
const STRETCH: usize = 1 << 20;

/// JSON's value types, in the order in which [`types`] counts them. A field that is absent is [`Kind::Missing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// `"text"`
    String,
    /// `null`
    Null,
    /// No such key in the record.
    Missing,
    /// `1`, `-2.5e3`, and Python's `NaN`, `Infinity`, `-Infinity`
    Number,
    /// `true`, `false`
    Bool,
    /// `[...]`
    Array,
    /// `{...}`
    Object,
}

impl Kind {
    /// Names, by discriminant.
    pub const NAMES: [&'static str; 7] = ["string", "null", "missing", "number", "bool", "array", "object"];

    /// The name that people and scripts see.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// One top-level member of a record: `start..end` are its value's bytes (inside the quotes for a string), counted from
/// the record's first.
#[derive(Debug, Clone, Copy)]
struct Member {
    key: u32,
    start: u32,
    end: u32,
    kind: Kind,
    escaped: bool,
}

/// One readable object.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// 0-based number among all elements of the file, rejects included; for items: the row of the parent.
    pub record: u64,
    /// Index in the parent's list; 0 unless read by [`items`].
    pub item: u64,
    /// 1-based line on which it starts.
    pub line: u64,
    /// Its bytes.
    pub start: usize,
    /// Past its last byte.
    pub end: usize,
    /// Its members: where they begin in which block of the index; they reach to the next record's, or the block's end.
    block: u32,
    members: u32,
}

/// One element that is no readable object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// As in [`Record`].
    pub record: u64,
    /// As in [`Record`].
    pub item: u64,
    /// 1-based line on which it starts.
    pub line: u64,
    /// Its bytes.
    pub start: usize,
    /// Past its last byte.
    pub end: usize,
    /// The top-level key under which the damage lies, where known.
    pub field: Option<String>,
    /// Stable, for scripts: `bad_json`, `not_object`, `bad_utf8`, `lone_surrogate`, `truncated`, `too_long`.
    pub code: &'static str,
    /// What stands there, and at which byte.
    pub found: String,
    /// What should.
    pub expected: &'static str,
}

/// Where every record and each of its top-level members stands.
#[derive(Debug, Default)]
pub struct Index {
    /// Readable objects in file order.
    pub records: Vec<Record>,
    /// Everything else, in file order.
    pub rejects: Vec<Reject>,
    /// Distinct top-level keys in order of first appearance.
    pub keys: Vec<String>,
    /// Whether some text or key may have a NUL.
    pub nul: bool,
    /// Members of the records, a block for each worker's stretch.
    members: Vec<Vec<Member>>,
}

impl Index {
    #[inline]
    fn members_of(&self, row: usize) -> &[Member] {
        let record = &self.records[row];
        let block = &self.members[record.block as usize];
        let end = match self.records.get(row + 1) {
            Some(next) if next.block == record.block => next.members as usize,
            _ => block.len(),
        };
        &block[record.members as usize..end]
    }

    fn key(&self, name: &str) -> Option<u32> {
        self.keys.iter().position(|key| key == name).and_then(|key| u32::try_from(key).ok())
    }
}

/// What columns of text may do with the bytes that they are cut from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Point into them, where strings without escapes make up a good part.
    Shared,
    /// Copy what is asked for, so that a few words do not hold a file.
    Copied,
    /// The same; and what was copied is checked once more: someone else may have written into them since they were read.
    Foreign,
}

/// What is said of a foreign source that is no longer what was read.
#[must_use]
pub fn changed() -> Error {
    Error::Input("what was read has changed since: something wrote into the file; read it again".into())
}

/// How the records lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[{...}, {...}]`
    Array,
    /// One object a line, or objects one after another.
    Lines,
    /// White space alone.
    Empty,
}
