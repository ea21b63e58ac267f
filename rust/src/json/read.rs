//! Files into an [`Index`]: stretches are read in parallel from places that look like starts of records, and a
//! stretch counts only if the one before it ends exactly where it starts; so the answer never depends on threads.

use memchr::memchr_iter;

use super::cursor::{Cursor, Fault};
use super::part::Part;
use super::resync::{Next, Signature, element_end, line_end, trim};
use super::{Index, Layout, STRETCH};
use crate::error::Result;
use crate::parallel::{Control, map, width};

/// How near to the end of a block damage may be a value that goes on behind it: the longest escape (a surrogate pair).
const MARGIN: usize = 16;

/// Stretches that each worker reads before they are joined: memory that held one wave's parts serves the next.
const WAVE: usize = 4;

/// A file so far: what stood before the bytes at hand.
#[derive(Default)]
pub(super) struct Before {
    /// Known once a first byte is.
    pub layout: Option<Layout>,
    signature: Option<Signature>,
    /// Whether an array is open.
    open: bool,
    /// Elements, line ends and bytes.
    elements: u64,
    lines: u64,
    pub bytes: u64,
    /// Bytes of the line at hand.
    column: usize,
}

struct Stretch {
    part: Part,
    /// Where the next element starts, or the end of the file.
    end: usize,
    lines: u64,
    /// Whether an array is open there.
    open: bool,
    /// Whether the element there does not end in the bytes at hand.
    unfinished: bool,
}

struct Document<'a> {
    bytes: &'a [u8],
    layout: Layout,
    next: Next<'a>,
    column: usize,
    /// Bytes of the file before these.
    before: u64,
    /// Whether the file ends with these bytes.
    last: bool,
}

/// Index every record of `bytes`, which are what is told as done.
///
/// # Errors
/// [`crate::error::Error::Interrupted`]; damage in the data is never an error but a reject.
pub fn read(bytes: &[u8], control: &Control) -> Result<(Index, Layout)> {
    read_in_stretches(bytes, STRETCH, control)
}

pub(super) fn read_in_stretches(bytes: &[u8], stretch: usize, control: &Control) -> Result<(Index, Layout)> {
    let mut before = Before::default();
    let (index, _) = read_block(bytes, &mut before, true, stretch, control)?;
    Ok((index, before.layout.unwrap_or(Layout::Empty)))
}

/// Index the records of the next bytes of a file, up to the first that does not end in them: its start is returned.
/// `last`: the file ends there. `before` is brought forward.
pub(super) fn read_block(bytes: &[u8], before: &mut Before, last: bool, stretch: usize, control: &Control) -> Result<(Index, usize)> {
    let Some((layout, start)) = begin(bytes, before, last) else { return Ok((Index::default(), 0)) };
    let signature = before.signature.as_ref();
    let mut starts = vec![start];
    while let Some(next) = next_start(bytes, layout, signature, starts[starts.len() - 1] + stretch) {
        starts.push(next);
    }
    let stop = |k: usize| starts.get(k + 1).copied().unwrap_or(bytes.len());
    let (column, passed) = (before.column, before.bytes);
    let document = || Document { bytes, layout, next: Next::new(signature), column, before: passed, last };
    let guess = |k: usize| if k == 0 { before.open } else { layout == Layout::Array };
    let mut index = Index::default();
    let (mut elements, mut at, mut open) = (before.elements, starts[0], before.open);
    let mut lines = before.lines + count_lines(&bytes[..at]);
    let size = WAVE * width();
    control.advance(start);
    'waves: for wave in (0..starts.len()).step_by(size) {
        let stretches = map(size.min(starts.len() - wave), |k| {
            let k = wave + k;
            let stretch = document().stretch(starts[k], stop(k), guess(k), control);
            control.advance(stop(k) - starts[k]);
            stretch
        })?;
        for (k, stretch) in (wave..).zip(stretches) {
            let stretch = if at == starts[k] {
                stretch // an object stands there, which opens what was closed
            } else if at >= stop(k) {
                continue; // swallowed by a record that began before it
            } else {
                document().stretch(at, stop(k), open, control)?
            };
            let added = stretch.part.elements();
            index.append(stretch.part, elements, lines);
            elements += added;
            lines += stretch.lines;
            (at, open) = (stretch.end, stretch.open);
            if stretch.unfinished {
                break 'waves;
            }
        }
    }
    before.column = memchr::memrchr(b'\n', &bytes[..at]).map_or(before.column + at, |line| at - line - 1);
    (before.elements, before.lines, before.open) = (elements, lines, open);
    before.bytes += at as u64;
    Ok((index, at))
}

/// Where elements start, and how they lie; at the start of a file, `None` unless that can be told from these bytes.
fn begin(bytes: &[u8], before: &mut Before, last: bool) -> Option<(Layout, usize)> {
    if let Some(layout) = before.layout {
        return Some((layout, 0));
    }
    let mut cursor = Cursor::new(bytes, if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 });
    cursor.skip_space();
    let array = cursor.peek()? == b'[';
    let start = cursor.at + usize::from(array);
    if array {
        before.signature = Signature::new(bytes, start);
        if before.signature.is_none() && !last && bytes.len() < STRETCH {
            return None; // its first key may not have come yet
        }
    } else if !last && bytes.len() < 3 {
        return None; // the first bytes of a byte order mark
    }
    let layout = if array { Layout::Array } else { Layout::Lines };
    (before.layout, before.open) = (Some(layout), array);
    Some((layout, start))
}

fn next_start(bytes: &[u8], layout: Layout, signature: Option<&Signature>, from: usize) -> Option<usize> {
    if from >= bytes.len() {
        return None;
    }
    match layout {
        Layout::Array => signature?.find(bytes, from),
        _ => {
            let mut cursor = Cursor::new(bytes, from + memchr::memchr(b'\n', &bytes[from..])?);
            cursor.skip_space();
            (cursor.at < bytes.len()).then_some(cursor.at)
        }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

impl Document<'_> {
    /// Read elements from `start` until the first one that starts at `stop` or behind it; `open`: inside an array.
    fn stretch(&self, start: usize, stop: usize, mut open: bool, control: &Control) -> Result<Stretch> {
        let mut part = Part::default();
        part.base = -(self.before as i64);
        part.utf8_until = start + std::str::from_utf8(&self.bytes[start..stop]).map_or_else(|error| error.valid_up_to(), str::len);
        let mut cursor = Cursor::new(self.bytes, start);
        let (mut counted, mut line) = (start, 1);
        loop {
            skip_between(&mut cursor);
            line += count_lines(&self.bytes[counted..cursor.at]);
            counted = cursor.at;
            match cursor.peek() {
                None => {
                    if self.last && open && part.rejects.last().is_none_or(|last| last.code != "truncated") {
                        let fault = Fault { at: cursor.at, code: "truncated", expected: "']' at the end of the array", field: None };
                        part.reject(self.bytes, (part.elements(), 0, line), (cursor.at, cursor.at), fault);
                    }
                    break;
                }
                Some(_) if cursor.at >= stop => break,
                Some(b']') if open => {
                    cursor.at += 1;
                    open = false;
                }
                // Several arrays one after another, as `cat a.json b.json` makes them.
                Some(b'[') if self.layout == Layout::Array && !open => {
                    cursor.at += 1;
                    open = true;
                }
                Some(_) => {
                    if part.elements().is_multiple_of(1024) {
                        control.check()?;
                    }
                    // A bracket too many, of a damaged record: what follows it are records still.
                    open |= self.layout == Layout::Array && cursor.peek() == Some(b'{');
                    if self.layout == Layout::Array && !open {
                        if !self.last {
                            return Ok(Stretch { part, end: cursor.at, lines: line - 1, open, unfinished: true });
                        }
                        let fault = Fault { at: cursor.at, code: "bad_json", expected: "the end of the file after ']'", field: None };
                        part.reject(self.bytes, (part.elements(), 0, line), (cursor.at, self.bytes.len()), fault);
                        cursor.at = self.bytes.len();
                    } else if !self.element(&mut part, &mut cursor, line) {
                        return Ok(Stretch { part, end: cursor.at, lines: line - 1, open, unfinished: true });
                    }
                }
            }
        }
        Ok(Stretch { part, end: cursor.at, lines: line - 1, open, unfinished: false })
    }

    /// Read the element at the cursor, or leave it there and answer false: what it is depends on bytes still to come.
    fn element(&self, part: &mut Part, cursor: &mut Cursor<'_>, line: u64) -> bool {
        let (start, number) = (cursor.at, part.elements());
        let fault = if cursor.peek() == Some(b'{') {
            match part.object(cursor, number, 0, line) {
                Ok(()) => match self.trailing(cursor) {
                    Trailing::Fine => return true,
                    Trailing::Unknown => {
                        part.drop_last();
                        cursor.at = start;
                        return false;
                    }
                    Trailing::Damage(at) => {
                        part.drop_last();
                        Box::new(Fault { at, code: "bad_json", expected: "the end of the line after an object", field: None })
                    }
                },
                Err(fault) => fault,
            }
        } else {
            match cursor.value() {
                Ok(_) if !self.last && cursor.at == self.bytes.len() => {
                    cursor.at = start;
                    return false;
                }
                Ok(value) if matches!(cursor.peek(), None | Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b']')) => {
                    part.not_object(self.bytes, (number, 0, line), &value);
                    return true;
                }
                Ok(_) => Box::new(Fault { at: cursor.at, code: "bad_json", expected: "the end of the value", field: None }),
                Err(fault) => fault,
            }
        };
        let mut fault = *fault;
        let end = match (fault.code, self.layout) {
            // Readable to its end, but not as text.
            ("bad_utf8" | "too_long", _) => cursor.at,
            (_, Layout::Array) => element_end(self.bytes, start, &self.next),
            _ => line_end(self.bytes, start, fault.at, self.column),
        };
        let read = matches!(fault.code, "bad_utf8" | "too_long");
        if !self.last && !read && (end == self.bytes.len() || fault.at + MARGIN > self.bytes.len()) {
            cursor.at = start;
            return false;
        }
        if fault.at > end && self.layout == Layout::Lines {
            // Met in the record below, which is not this one's: this one ends too early.
            fault = cut_short(&self.bytes[..end], start);
        }
        let end = trim(self.bytes, start, end);
        if fault.at >= self.bytes.len() && self.bytes[end..].iter().all(u8::is_ascii_whitespace) {
            fault.code = "truncated";
        }
        part.reject(self.bytes, (number, 0, line), (start, end), fault);
        cursor.at = end;
        true
    }
}

/// What stands behind an object on its line.
enum Trailing {
    Fine,
    Unknown,
    Damage(usize),
}

impl Document<'_> {
    /// Where objects stand on lines, one with something else behind it is damaged: two lines in one, a line cut at its start.
    fn trailing(&self, cursor: &Cursor<'_>) -> Trailing {
        if self.layout == Layout::Array {
            return Trailing::Fine;
        }
        let blank = self.bytes[cursor.at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match self.bytes.get(cursor.at + blank) {
            Some(b'\n' | b'\r' | b',' | b'{' | b'[') => Trailing::Fine,
            Some(_) => Trailing::Damage(cursor.at + blank),
            None if self.last => Trailing::Fine,
            None => Trailing::Unknown,
        }
    }
}

/// What is wrong with the element at `start` of which nothing but `bytes` is its own.
fn cut_short(bytes: &[u8], start: usize) -> Fault {
    let mut cursor = Cursor::new(bytes, start);
    let whole = Fault { at: bytes.len(), code: "truncated", expected: "the rest of the record", field: None };
    let mut part = Part::default();
    part.utf8_until = bytes.len();
    let read = if cursor.peek() == Some(b'{') { part.object(&mut cursor, 0, 0, 0) } else { cursor.value().map(|_| ()) };
    read.err().map_or(whole, |fault| Fault { code: "truncated", ..*fault })
}

/// To the next element: white space, and commas (one too many, or one after each line, costs no row).
fn skip_between(cursor: &mut Cursor<'_>) {
    while matches!(cursor.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | b',')) {
        cursor.at += 1;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = String> {
        let value = prop_oneof![
            Just("1".to_owned()),
            Just("null".to_owned()),
            "[a-zé {}\\[\\],:]{0,8}".prop_map(|text| format!("\"{text}\"")),
            Just("\"\\\"}, {\\n\"".to_owned()),
            Just("[{\"a\": 1}, {\"a\": 2}]".to_owned()),
            Just("{\"a\": {}}".to_owned()),
        ];
        proptest::collection::vec(("[ab]", value), 0..4).prop_map(|members| {
            format!("{{{}}}", members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect::<Vec<_>>().join(", "))
        })
    }

    pub fn document() -> impl Strategy<Value = Vec<u8>> {
        let damage = proptest::collection::vec(
            (any::<prop::sample::Index>(), prop_oneof![Just(b'"'), Just(b'}'), Just(b'{'), Just(b'\n'), any::<u8>()]),
            0..4,
        );
        (proptest::collection::vec(record(), 0..12), 0..3_usize, damage).prop_map(|(records, shape, damage)| {
            let mut bytes = match shape {
                0 => records.join("\n"),
                1 => format!("[{}]", records.join(", ")),
                _ => format!("[\n  {}\n]", records.join(",\n  ")),
            }
            .into_bytes();
            for (at, byte) in damage {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            bytes
        })
    }

    #[test]
    fn a_bracket_too_many_costs_no_row() {
        let bytes = br#"[{"a": 1}, {"a": [{"a": 1}, {"a": 2}]
, {"a": 3}, {"a": 4}]"#;
        for stretch in 1..bytes.len() {
            let (index, _) = read_in_stretches(bytes, stretch, &Control::default()).unwrap();
            let last = index.records.last().unwrap();
            assert_eq!(&bytes[last.start..last.end], br#"{"a": 4}"#, "{stretch}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn stretches_never_show(bytes in document(), stretch in 1..40_usize) {
            let control = Control::default();
            let (whole, _) = read_in_stretches(&bytes, usize::MAX / 2, &control).unwrap();
            let (parts, _) = read_in_stretches(&bytes, stretch, &control).unwrap();
            let places = |index: &Index| -> Vec<_> { index.records.iter().map(|it| (it.record, it.item, it.line, it.start, it.end)).collect() };
            prop_assert_eq!(places(&whole), places(&parts));
            prop_assert_eq!(&whole.rejects, &parts.rejects);
            let members = |index: &Index| -> Vec<_> {
                let members = (0..index.records.len()).flat_map(|row| index.members_of(row));
                members.map(|member| (index.keys[member.key as usize].clone(), member.kind, member.start, member.end)).collect()
            };
            prop_assert_eq!(members(&whole), members(&parts));
        }

        #[test]
        fn every_byte_but_separators_is_accounted_for(bytes in document()) {
            let (index, layout) = read(&bytes, &Control::default()).unwrap();
            let mut spans: Vec<(usize, usize)> = index.records.iter().map(|record| (record.start, record.end)).collect();
            spans.extend(index.rejects.iter().map(|reject| (reject.start, reject.end)));
            spans.sort_unstable();
            prop_assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
            let mut rest = bytes.clone();
            spans.iter().rev().for_each(|&(start, end)| drop(rest.drain(start..end)));
            let brackets = if layout == Layout::Array { &b"[]"[..] } else { b"" };
            prop_assert!(rest.iter().all(|byte| b" \t\r\n,".contains(byte) || brackets.contains(byte)), "{:?}", rest);
        }
    }
}
