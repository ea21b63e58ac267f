//! One strict pass over one JSON value. As Python's `json` reads it: `NaN` and `Infinity` are numbers, raw control
//! characters in strings are damage, and so is an escaped surrogate without its pair (no text can hold it).

use super::Kind;

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
}

type Read<T> = Result<T, Box<Fault>>;

impl Cursor<'_> {
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn fault<T>(&self, expected: &'static str) -> Read<T> {
        Err(Box::new(Fault { at: self.at, code: "bad_json", expected, field: None }))
    }

    /// Read the value at the cursor, validating everything below it.
    pub fn value(&mut self) -> Read<Value> {
        self.nested(0)
    }

    /// Read the object at the cursor and hand each member to `member(key, value)`.
    /// A fault below a key carries the key as its field.
    pub fn object(&mut self, mut member: impl FnMut(Value, Value)) -> Read<()> {
        let bytes = self.bytes;
        self.members(1, |cursor, key| {
            let name = |mut fault: Box<Fault>| {
                fault.field = Some(decode(bytes, &key));
                fault
            };
            let value = cursor.nested(1).map_err(name)?;
            member(key, value);
            Ok(())
        })
    }

    fn nested(&mut self, depth: u32) -> Read<Value> {
        if depth > DEPTH {
            return self.fault("nesting of at most 500 levels");
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => return self.string(),
            Some(b'{') => {
                self.members(depth + 1, |cursor, _| cursor.nested(depth + 1).map(|_| ()))?;
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

    fn members(&mut self, depth: u32, mut value: impl FnMut(&mut Self, Value) -> Read<()>) -> Read<()> {
        if depth > DEPTH {
            return self.fault("nesting of at most 500 levels");
        }
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
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
            value(self, key)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fault("',' or '}' after a value"),
            }
            self.skip_space();
        }
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
    fn string(&mut self) -> Read<Value> {
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
                    self.escape()?;
                }
                Some(_) => return self.fault("an escaped control character (\\n, \\t, \\u00XX)"),
                None => return self.fault("'\"' at the end of a string"),
            }
        }
    }

    fn escape(&mut self) -> Read<()> {
        let start = self.at;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let Some(unit) = hex4(self.bytes, start + 2) else { return self.fault("four hexadecimal digits after \\u") };
                self.at += 6;
                let low = (self.bytes.get(self.at..self.at + 2) == Some(b"\\u")).then(|| hex4(self.bytes, self.at + 2)).flatten();
                match (unit, low) {
                    (0xD800..=0xDBFF, Some(0xDC00..=0xDFFF)) => self.at += 6,
                    (0xD800..=0xDFFF, _) => {
                        let expected = "a surrogate pair (\\uD800-\\uDBFF, then \\uDC00-\\uDFFF)";
                        return Err(Box::new(Fault { at: start, code: "lone_surrogate", expected, field: None }));
                    }
                    _ => {}
                }
            }
            _ => return self.fault("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u"),
        }
        Ok(())
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |unit, &digit| char::from(digit).to_digit(16).map(|digit| unit * 16 + digit))
}

/// First position from `at` that holds a quote, a backslash or a control character: eight bytes at a time.
fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    while let Some(eight) = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
        let word = u64::from_le_bytes(eight);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        // The lowest flagged byte is exact; borrows can only flag bytes above it by mistake.
        let hits = control | zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\')));
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}

/// The text of a string value that was read without a fault; invalid UTF-8 as U+FFFD.
pub fn decode(bytes: &[u8], value: &Value) -> String {
    let mut out = Vec::with_capacity(value.end - value.start);
    decode_into(&bytes[value.start..value.end], &mut out);
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Append the text of the escaped string `inner` (valid, without its quotes).
pub fn decode_into(inner: &[u8], out: &mut Vec<u8>) {
    let mut rest = inner;
    while let Some(slash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..slash]);
        let (text, length) = match rest[slash + 1] {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => unicode(&rest[slash..]),
            other => (char::from(other), 2),
        };
        out.extend_from_slice(text.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[slash + length..];
    }
    out.extend_from_slice(rest);
}

fn unicode(escape: &[u8]) -> (char, usize) {
    let unit = hex4(escape, 2).unwrap_or(0xFFFD);
    match char::from_u32(unit) {
        Some(text) => (text, 6),
        None => {
            let low = hex4(escape, 8).unwrap_or(0xDC00);
            let code = 0x1_0000 + ((unit - 0xD800) << 10) + low.wrapping_sub(0xDC00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
    }
}
