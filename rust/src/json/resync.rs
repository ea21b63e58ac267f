//! Where reading goes on after a damaged element, and where workers may start.

use std::cell::Cell;

use memchr::{memchr, memmem};

use super::cursor::Cursor;

/// How the first element of an array begins: the white space before it, and `{` up to its first key's closing quote.
///
/// Inside a proper string its quotes would be escaped, so a match is the start of some object; the same indentation
/// and the same first key make it the start of an element. Should it be a nested object after all, a worker's start
/// is found wrong when its neighbour arrives elsewhere (see `read`).
pub struct Signature {
    indent: Vec<u8>,
    finder: memmem::Finder<'static>,
}

/// A worker's view of the signature, with its last answer: (asked from, found).
pub struct Next<'a> {
    signature: Option<&'a Signature>,
    last: Cell<Option<(usize, Option<usize>)>>,
}

impl Signature {
    /// From the first element of the array whose `[` stands before `at`; `None` unless it is an object with a key.
    pub fn new(bytes: &[u8], at: usize) -> Option<Self> {
        let mut cursor = Cursor::new(bytes, at);
        cursor.skip_space();
        let start = cursor.at;
        if cursor.peek() != Some(b'{') {
            return None;
        }
        cursor.at += 1;
        cursor.skip_space();
        if cursor.peek() != Some(b'"') {
            return None;
        }
        let quote = memchr(b'"', &bytes[cursor.at + 1..])?;
        let needle = &bytes[start..cursor.at + quote + 2];
        let line = bytes[at..start].iter().rposition(|&byte| byte == b'\n').map_or(start, |line| at + line);
        Some(Self { indent: bytes[line..start].to_vec(), finder: memmem::Finder::new(needle).into_owned() })
    }

    /// The first place from `from` on that looks like the start of an element: indented as the first one, and behind
    /// a comma or a closing brace (a nested object stands behind a colon or a bracket).
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let behind = |at: usize| bytes[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace());
        let starts = self.finder.find_iter(&bytes[from..]).map(|at| from + at);
        starts.into_iter().find(|&at| bytes[..at].ends_with(&self.indent) && matches!(behind(at), Some(b',' | b'}')))
    }
}

impl<'a> Next<'a> {
    pub fn new(signature: Option<&'a Signature>) -> Self {
        Self { signature, last: Cell::new(None) }
    }

    fn after(&self, bytes: &[u8], from: usize) -> Option<usize> {
        if let Some((asked, found)) = self.last.get()
            && asked <= from
            && found.is_none_or(|found| found >= from)
        {
            return found;
        }
        let found = self.signature.and_then(|signature| signature.find(bytes, from));
        self.last.set(Some((from, found)));
        found
    }
}

/// End of the damaged array element that starts at `start`: past its closing bracket when its brackets balance, or
/// before the next thing that looks like an element, whichever is nearer; else the end of the file.
pub fn element_end(bytes: &[u8], start: usize, next: &Next<'_>) -> usize {
    let next = next.after(bytes, start + 1);
    let limit = next.unwrap_or(bytes.len());
    let (mut depth, mut at) = (0_usize, start);
    while at < limit {
        match bytes[at] {
            b'"' => at = closing_quote(bytes, at + 1, limit),
            b'{' if depth == 0 && at > start => break,
            b'{' | b'[' => depth += 1,
            b',' | b']' if depth == 0 => break,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    at += 1;
                    break;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at.min(limit)
}

fn closing_quote(bytes: &[u8], mut at: usize, limit: usize) -> usize {
    while at < limit {
        match memchr::memchr2(b'"', b'\\', &bytes[at..limit]) {
            Some(offset) if bytes[at + offset] == b'"' => return at + offset,
            Some(offset) => at += offset + 2,
            None => return limit,
        }
    }
    limit
}

/// End of the damaged element that starts at `start` in a file of lines: the end of its line, or, where the damage
/// was met on a later line, of the last line before one that starts an object at the same depth of indentation.
/// `column`: how far into its line the first byte is.
pub fn line_end(bytes: &[u8], start: usize, fault: usize, column: usize) -> usize {
    let end = |from: usize| memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |offset| from + offset);
    let first = end(start);
    if fault <= first {
        return first;
    }
    let indent = memchr::memrchr(b'\n', &bytes[..start]).map_or(start + column, |line| start - line - 1);
    let mut line = first;
    while line < bytes.len() {
        let text = line + 1 + bytes[line + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if bytes.get(text) == Some(&b'{') && text - line - 1 <= indent {
            break;
        }
        line = end(line + 1);
    }
    line
}

/// `end` without the white space and commas before it; at least one byte is left.
pub fn trim(bytes: &[u8], start: usize, end: usize) -> usize {
    let kept = bytes[start..end].iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b','));
    start + kept.map_or(1, |last| last + 1)
}
