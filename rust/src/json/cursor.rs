//! One strict pass over one JSON value. As Python's `json` reads it: `NaN` and `Infinity` are numbers, raw control
//! characters in strings are damage, and so is an escaped surrogate without its pair (no text can hold it).

use super::Kind;
use super::scan::{decode_into, hex4, plain_until};

/// Deeper nesting is refused; Python's own limit is near a thousand.
const DEPTH: u32 = 500;

/// A damaged place.
#[derive(Debug, Clone)]
pub struct Fault {
    pub at: usize,
    pub code: &'static str,
    pub expected: &'static str,
    pub field: Option<String>,
}

/// One value: its type and its bytes (inside the quotes for a string).
#[derive(Debug, Clone, Copy)]
pub struct Value {
    pub kind: Kind,
    pub escaped: bool,
    pub start: usize,
    pub end: usize,
}

/// A position in `bytes`; nothing is read past their end.
pub struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    /// Whether some string that was read has a NUL (which it can have as an escape alone).
    pub nul: bool,
}

pub type Read<T> = Result<T, Box<Fault>>;

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, nul: false }
    }

    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    #[cold]
    pub fn fault<T>(&self, expected: &'static str) -> Read<T> {
        Err(Box::new(Fault { at: self.at, code: "bad_json", expected, field: None }))
    }

    /// Read the value at the cursor, validating everything below it.
    pub fn value(&mut self) -> Read<Value> {
        self.nested(0)
    }

    /// Read the value of a member of an object at the top, before which there may be spaces.
    #[inline]
    pub fn member(&mut self) -> Read<Value> {
        self.skip_space();
        if self.peek() == Some(b'"') { self.string() } else { self.nested(1) }
    }

    fn nested(&mut self, depth: u32) -> Read<Value> {
        if depth > DEPTH {
            return self.fault("nesting of at most 500 levels");
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => return self.string(),
            Some(b'{') => {
                self.members(depth + 1)?;
                Kind::Object
            }
            Some(b'[') => {
                self.elements(|cursor| cursor.nested(depth + 1).map(|_| ()))?;
                Kind::Array
            }
            Some(b't') => self.literal(b"true", Kind::Bool)?,
            Some(b'f') => self.literal(b"false", Kind::Bool)?,
            Some(b'n') => self.literal(b"null", Kind::Null)?,
            Some(b'N') => self.literal(b"NaN", Kind::Number)?,
            Some(b'I') => self.literal(b"Infinity", Kind::Number)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return self.fault("a JSON value"),
        };
        Ok(Value { kind, escaped: false, start, end: self.at })
    }

    fn members(&mut self, depth: u32) -> Read<()> {
        if depth > DEPTH {
            return self.fault("nesting of at most 500 levels");
        }
        let mut first = true;
        while self.next_key(first)?.is_some() {
            self.nested(depth)?;
            first = false;
        }
        Ok(())
    }

    /// Go on to the next value of an object, at whose brace the cursor is (`first`) or behind one of whose values, and give
    /// its key; `None` behind the closing brace.
    #[inline]
    pub fn next_key(&mut self, first: bool) -> Read<Option<Value>> {
        if first {
            self.at += 1;
            self.skip_space();
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(None);
            }
        } else {
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(None);
                }
                _ => return self.fault("',' or '}' after a value"),
            }
            self.skip_space();
        }
        if self.peek() != Some(b'"') {
            return self.fault("a key in double quotes");
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return self.fault("':' after a key");
        }
        self.at += 1;
        self.skip_space();
        Ok(Some(key))
    }

    /// Walk the array at the cursor, calling `element` with the cursor on each one's first byte.
    pub fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fault("',' or ']' after an element"),
            }
            self.skip_space();
        }
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Read<Kind> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(kind);
        }
        self.fault("a JSON value")
    }

    fn number(&mut self) -> Read<Kind> {
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.peek() == Some(b'I') {
                return self.literal(b"Infinity", Kind::Number);
            }
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.fault("a digit"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Read<()> {
        let start = self.at;
        self.digits();
        if self.at == start { self.fault("a digit") } else { Ok(()) }
    }

    /// Read the string whose opening quote is at the cursor.
    #[inline]
    pub fn string(&mut self) -> Read<Value> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = plain_until(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(Value { kind: Kind::String, escaped, start, end });
                }
                Some(b'\\') => {
                    escaped = true;
                    while self.peek() == Some(b'\\') {
                        self.escape()?;
                    }
                }
                Some(_) => return self.fault("an escaped control character (\\n, \\t, \\u00XX)"),
                None => return self.fault("'\"' at the end of a string"),
            }
        }
    }

    #[inline]
    fn escape(&mut self) -> Read<()> {
        let start = self.at;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let Some(unit) = hex4(self.bytes, start + 2) else { return self.fault("four hexadecimal digits after \\u") };
                self.at += 6;
                self.nul |= unit == 0;
                if !(0xD800..=0xDFFF).contains(&unit) {
                    return Ok(());
                }
                let low = (self.bytes.get(self.at..self.at + 2) == Some(b"\\u")).then(|| hex4(self.bytes, self.at + 2)).flatten();
                match (unit, low) {
                    (0xD800..=0xDBFF, Some(0xDC00..=0xDFFF)) => self.at += 6,
                    _ => {
                        let expected = "a surrogate pair (\\uD800-\\uDBFF, then \\uDC00-\\uDFFF)";
                        return Err(Box::new(Fault { at: start, code: "lone_surrogate", expected, field: None }));
                    }
                }
            }
            _ => return self.fault("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u"),
        }
        Ok(())
    }
}

/// The text of a string value that was read without a fault; invalid UTF-8 as U+FFFD.
pub fn decode(bytes: &[u8], value: &Value) -> String {
    let mut out = Vec::with_capacity(value.end - value.start);
    decode_into(&bytes[value.start..value.end], &mut out);
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
