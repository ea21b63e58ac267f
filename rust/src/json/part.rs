//! A stretch of records on its way into an [`Index`]: what one worker makes, and how stretches are joined.

use rustc_hash::FxHashMap;

use super::cursor::{Cursor, Fault, Read, Value, decode};
use super::scan::repeats;
use super::{Index, Kind, Member, Record, Reject};

/// Records, rejects and keys of one stretch of bytes; numbers and lines are relative to its start.
#[derive(Default)]
pub struct Part {
    pub records: Vec<Record>,
    pub rejects: Vec<Reject>,
    nul: bool,
    keys: Vec<String>,
    members: Vec<Member>,
    ids: FxHashMap<String, u32>,
    /// Per key: the last record and member that had it, where that is kept (see `Members`).
    seen: Vec<(usize, usize)>,
    /// What stood before each value of the records so far: see `Step`.
    steps: Vec<Step>,
    /// Everything before this byte is known to be UTF-8.
    pub utf8_until: usize,
    /// Messages count bytes from here; negative where bytes came before.
    pub base: i64,
}

/// The bytes from one value's end to the next one's start (`, "key": `), where they stood last. Records of one file mostly
/// have the same keys in the same order, with the same spaces between: bytes that are equal to those need no reading.
#[derive(Clone, Copy)]
struct Step {
    start: usize,
    end: usize,
    key: u32,
}

/// Steps that are looked at before a key is read: some records lack keys that others have.
const AHEAD: usize = 4;
/// Steps that are remembered.
const STEPS: usize = 256;

impl Part {
    /// Elements so far, readable or not.
    pub fn elements(&self) -> u64 {
        (self.records.len() + self.rejects.len()) as u64
    }

    /// Read the object at the cursor into the index, or say what is wrong with it.
    pub fn object(&mut self, cursor: &mut Cursor<'_>, record: u64, item: u64, line: u64) -> Read<()> {
        let (start, first) = (cursor.at, self.members.len());
        let bytes = cursor.bytes;
        let read = self.read_members(cursor, first);
        self.nul |= cursor.nul;
        let length = cursor.at - start;
        let fits = || match i32::try_from(length) {
            Ok(_) => Ok(()),
            Err(_) => Err(Box::new(Fault { at: start, code: "too_long", expected: "a record of at most 2 GB", field: None })),
        };
        if let Err(fault) = read.and_then(|()| fits()).and_then(|()| self.utf8(bytes, start, start + length, first)) {
            self.members.truncate(first);
            return Err(fault);
        }
        let members = u32::try_from(first).expect("a worker's stretch has fewer than 2^32 members");
        self.records.push(Record { record, item, line, start, end: cursor.at, block: 0, members });
        Ok(())
    }

    /// Take the last record back.
    pub fn drop_last(&mut self) {
        if let Some(record) = self.records.pop() {
            self.members.truncate(record.members as usize);
        }
    }

    fn read_members(&mut self, cursor: &mut Cursor<'_>, first: usize) -> Read<()> {
        let (bytes, start) = (cursor.bytes, cursor.at);
        // `known`: all members so far came by steps, each key once, so that none needs to be looked for.
        let (mut at, mut known) = (0, true);
        loop {
            // A step with the opening brace is of use there alone.
            let ahead = if cursor.at > start && cursor.peek() == Some(b'{') { 0 } else { AHEAD };
            let ahead = self.steps[at..].iter().take(ahead);
            let step = ahead.enumerate().find(|(_, step)| repeats(bytes, cursor.at, step.start, step.end));
            let key = if let Some((skipped, step)) = step {
                cursor.at += step.end - step.start;
                at += skipped + 1;
                step.key
            } else {
                let from = cursor.at;
                let Some(key) = cursor.next_key(from == start)? else { return Ok(()) };
                if known {
                    (first..self.members.len()).for_each(|at| self.seen[self.members[at].key as usize] = (first, at));
                    known = false;
                }
                let key = self.intern(bytes, key);
                at = self.insert(at, Step { start: from, end: cursor.at, key });
                key
            };
            let value = cursor.member().map_err(|mut fault| {
                fault.field = Some(self.keys[key as usize].clone());
                fault
            })?;
            let place = |at| at as u32; // a record of more than 2 GB is refused
            let (kind, escaped) = (value.kind, value.escaped);
            let member = Member { key, start: place(value.start - start), end: place(value.end - start), kind, escaped };
            if known {
                self.members.push(member)
            } else {
                self.put(member, first)
            }
            if cursor.peek() == Some(b'}') {
                cursor.at += 1;
                return Ok(());
            }
        }
    }

    /// Add a member, or, where the record has its key already, put it in that one's place: the last wins, as in Python.
    fn put(&mut self, member: Member, first: usize) {
        let (record, at) = &mut self.seen[member.key as usize];
        if *record == first && *at >= first && self.members.get(*at).is_some_and(|known| known.key == member.key) {
            self.members[*at] = member;
        } else {
            (*record, *at) = (first, self.members.len());
            self.members.push(member);
        }
    }

    /// Remember a step as number `at`, its key's only one; gives the number of the step behind it.
    fn insert(&mut self, mut at: usize, step: Step) -> usize {
        if let Some(known) = self.steps.iter().position(|known| known.key == step.key) {
            self.steps.remove(known);
            at -= usize::from(known < at);
        }
        self.steps.insert(at, step);
        self.steps.truncate(STEPS);
        (at + 1).min(STEPS)
    }

    fn intern(&mut self, bytes: &[u8], key: Value) -> u32 {
        let name = decode(bytes, &key);
        if let Some(&id) = self.ids.get(&name) {
            return id;
        }
        let id = u32::try_from(self.keys.len()).expect("fewer than 2^32 distinct keys");
        self.ids.insert(name.clone(), id);
        self.keys.push(name);
        self.seen.push((usize::MAX, usize::MAX));
        id
    }

    fn utf8(&self, bytes: &[u8], start: usize, end: usize, first: usize) -> Read<()> {
        if end <= self.utf8_until {
            return Ok(());
        }
        let Err(error) = std::str::from_utf8(&bytes[start..end]) else { return Ok(()) };
        let at = start + error.valid_up_to();
        let offset = (at - start) as u32;
        let member = self.members[first..].iter().find(|member| (member.start..member.end).contains(&offset));
        let field = member.map(|member| self.keys[member.key as usize].clone());
        Err(Box::new(Fault { at, code: "bad_utf8", expected: "UTF-8 text", field }))
    }

    /// Record the element `start..end` as unreadable.
    pub fn reject(&mut self, bytes: &[u8], place: (u64, u64, u64), span: (usize, usize), fault: Fault) {
        let (record, item, line) = place;
        let found = describe(bytes, fault.at, self.base);
        let (start, end) = span;
        self.rejects.push(Reject { record, item, line, start, end, field: fault.field, code: fault.code, found, expected: fault.expected });
    }

    /// Record a readable value that is no object.
    pub fn not_object(&mut self, bytes: &[u8], place: (u64, u64, u64), value: &Value) {
        let quotes = usize::from(value.kind == Kind::String);
        let span = (value.start - quotes, value.end + quotes);
        self.reject(bytes, place, span, Fault { at: span.0, code: "not_object", expected: "an object", field: None });
        if let Some(reject) = self.rejects.last_mut() {
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
        let mut ids: FxHashMap<&str, u32> = FxHashMap::default();
        self.nul |= part.nul;
        let known = std::mem::take(&mut self.keys);
        ids.extend(known.iter().enumerate().map(|(id, key)| (key.as_str(), id as u32)));
        let mut fresh = Vec::new();
        let map: Vec<u32> = part
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
        let mut members = part.members;
        if map.iter().enumerate().any(|(k, &key)| k != key as usize) {
            members.iter_mut().for_each(|member| member.key = map[member.key as usize]);
        }
        let block = u32::try_from(self.members.len()).expect("fewer than 2^32 stretches");
        self.members.push(members);
        self.records.extend(part.records.into_iter().map(|record| Record {
            record: record.record + elements,
            line: record.line + lines,
            block,
            ..record
        }));
        self.rejects.extend(part.rejects.into_iter().map(|reject| Reject {
            record: reject.record + elements,
            line: reject.line + lines,
            ..reject
        }));
    }
}
