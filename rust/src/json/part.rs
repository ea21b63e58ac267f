//! A stretch of records on its way into an [`Index`]: what one worker makes, and how stretches are joined.

use rustc_hash::FxHashMap;

use super::cursor::{Cursor, Fault, Value, decode};
use super::{Index, Kind, Member, Record, Reject};

/// Records, rejects and keys of one stretch of bytes; numbers and lines are relative to its start.
#[derive(Default)]
pub struct Part {
    pub index: Index,
    ids: FxHashMap<String, u32>,
    /// Per key: the raw bytes of its first appearance, and the last record and member that had it.
    seen: Vec<(Value, usize, usize)>,
    /// Everything before this byte is known to be UTF-8.
    pub utf8_until: usize,
    /// Messages count bytes from here; negative where bytes came before.
    pub base: i64,
}

impl Part {
    /// Elements so far, readable or not.
    pub fn elements(&self) -> u64 {
        (self.index.records.len() + self.index.rejects.len()) as u64
    }

    /// Read the object at the cursor into the index, or say what is wrong with it.
    pub fn object(&mut self, cursor: &mut Cursor<'_>, record: u64, item: u64, line: u64) -> Result<(), Box<Fault>> {
        let (start, first) = (cursor.at, self.index.members.len());
        let before = self.index.records.last().map(|last| last.members);
        let bytes = cursor.bytes;
        let read = cursor.object(|key, value| self.member(bytes, first, before, key, value));
        let length = cursor.at - start;
        let fits = || match i32::try_from(length) {
            Ok(_) => Ok(()),
            Err(_) => Err(Box::new(Fault { at: start, code: "too_long", expected: "a record of at most 2 GB", field: None })),
        };
        if let Err(fault) = read.and_then(|()| fits()).and_then(|()| self.utf8(bytes, start, start + length, first)) {
            self.index.members.truncate(first);
            return Err(fault);
        }
        self.index.records.push(Record { record, item, line, start, end: cursor.at, members: first });
        Ok(())
    }

    /// Take the last record back.
    pub fn drop_last(&mut self) {
        if let Some(record) = self.index.records.pop() {
            self.index.members.truncate(record.members);
        }
    }

    fn member(&mut self, bytes: &[u8], first: usize, before: Option<usize>, key: Value, value: Value) {
        // Records of one file mostly have the same keys in the same order: ask the record before, then the table.
        let guess = before.map(|before| before + self.index.members.len() - first).filter(|&at| at < first);
        let guess = guess.map(|at| self.index.members[at].key).filter(|&id| {
            let known = &self.seen[id as usize].0;
            bytes[known.start..known.end] == bytes[key.start..key.end]
        });
        let id = guess.unwrap_or_else(|| self.intern(bytes, key));
        let member = Member { key: id, kind: value.kind, escaped: value.escaped, start: value.start, end: value.end };
        let (_, record, at) = &mut self.seen[id as usize];
        if *record == first && self.index.members.get(*at).is_some_and(|known| known.key == id) && *at >= first {
            self.index.members[*at] = member; // a key twice: the last wins, as in Python
        } else {
            (*record, *at) = (first, self.index.members.len());
            self.index.members.push(member);
        }
    }

    fn intern(&mut self, bytes: &[u8], key: Value) -> u32 {
        let name = decode(bytes, &key);
        if let Some(&id) = self.ids.get(&name) {
            return id;
        }
        let id = u32::try_from(self.index.keys.len()).expect("fewer than 2^32 distinct keys");
        self.ids.insert(name.clone(), id);
        self.index.keys.push(name);
        self.seen.push((key, usize::MAX, usize::MAX));
        id
    }

    fn utf8(&self, bytes: &[u8], start: usize, end: usize, first: usize) -> Result<(), Box<Fault>> {
        if end <= self.utf8_until {
            return Ok(());
        }
        let Err(error) = std::str::from_utf8(&bytes[start..end]) else { return Ok(()) };
        let at = start + error.valid_up_to();
        let member = self.index.members[first..].iter().find(|member| (member.start..member.end).contains(&at));
        let field = member.map(|member| self.index.keys[member.key as usize].clone());
        Err(Box::new(Fault { at, code: "bad_utf8", expected: "UTF-8 text", field }))
    }

    /// Record the element `start..end` as unreadable.
    pub fn reject(&mut self, bytes: &[u8], place: (u64, u64, u64), span: (usize, usize), fault: Fault) {
        let (record, item, line) = place;
        let found = describe(bytes, fault.at, self.base);
        let (start, end) = span;
        self.index.rejects.push(Reject {
            record,
            item,
            line,
            start,
            end,
            field: fault.field,
            code: fault.code,
            found,
            expected: fault.expected,
        });
    }

    /// Record a readable value that is no object.
    pub fn not_object(&mut self, bytes: &[u8], place: (u64, u64, u64), value: &Value) {
        let quotes = usize::from(value.kind == Kind::String);
        let span = (value.start - quotes, value.end + quotes);
        self.reject(bytes, place, span, Fault { at: span.0, code: "not_object", expected: "an object", field: None });
        if let Some(reject) = self.index.rejects.last_mut() {
            reject.found = value.kind.name().to_owned();
        }
    }
}

/// What stands at `at`, in words.
fn describe(bytes: &[u8], at: usize, base: i64) -> String {
    let place = at as i64 - base;
    let Some(&byte) = bytes.get(at) else { return format!("the end at byte {place}") };
    if byte == b'\n' || byte == b'\r' {
        return format!("a line end at byte {place}");
    }
    let text = String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 24)]);
    if byte < 0x20 || text.starts_with('\u{FFFD}') {
        return format!("byte 0x{byte:02X} at byte {place}");
    }
    let is_word = |c: &char| c.is_alphanumeric() || matches!(c, '\\' | '_' | '-' | '+' | '.');
    let word: String = text.chars().take_while(is_word).take(12).collect();
    let shown = if word.is_empty() { text.chars().take(1).collect() } else { word };
    format!("{shown} at byte {place}")
}

impl Index {
    /// Append a part whose first element is number `elements` and whose first line follows `lines` others.
    pub fn append(&mut self, part: Part, elements: u64, lines: u64) {
        let index = part.index;
        let mut ids: FxHashMap<&str, u32> = FxHashMap::default();
        let known = std::mem::take(&mut self.keys);
        ids.extend(known.iter().enumerate().map(|(id, key)| (key.as_str(), id as u32)));
        let mut fresh = Vec::new();
        let map: Vec<u32> = index
            .keys
            .iter()
            .map(|key| {
                ids.get(key.as_str()).copied().unwrap_or_else(|| {
                    fresh.push(key.clone());
                    (known.len() + fresh.len() - 1) as u32
                })
            })
            .collect();
        self.keys = known;
        self.keys.extend(fresh);
        let base = self.members.len();
        self.members.extend(index.members.into_iter().map(|member| Member { key: map[member.key as usize], ..member }));
        self.records.extend(index.records.into_iter().map(|record| Record {
            record: record.record + elements,
            line: record.line + lines,
            members: record.members + base,
            ..record
        }));
        self.rejects.extend(index.rejects.into_iter().map(|reject| Reject {
            record: reject.record + elements,
            line: reject.line + lines,
            ..reject
        }));
    }
}
