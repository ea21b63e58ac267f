//! JSON as Python writes it (`json.dumps(json.loads(text), ensure_ascii=False)`), without Python's values in between.
//!
//! What is made here is exactly that, or nothing: numbers that Python may write otherwise (with an exponent, of many digits), a key
//! that stands twice, lone surrogates, deep nesting, and all that is no JSON are denied, and left to Python.

use std::ops::Range;

use super::cursor::{Cursor, decode};
use super::scan::encode_into;

/// How deep values may stand in each other.
const DEPTH: usize = 64;
/// Keys of an object, which are compared with each other.
const KEYS: usize = 64;
/// Digits of a number that a float holds whatever they are.
const DIGITS: usize = 15;

/// The value of `text`, as Python writes it.
#[must_use]
pub fn dumped(text: &str) -> Option<String> {
    let mut made = Vec::with_capacity(text.len() + text.len() / 8);
    let mut writer = Writer::new(text);
    writer.cursor.skip_space();
    writer.value(&mut made, 0)?;
    writer.ends().then(|| written(made))
}

/// One call of a function or a list of them, of ShareGPT's or OpenAI's shape, as a list of OpenAI's, arguments as an object where
/// they are the text of one. Other fields are left out, as in `tunesmith.rows.turns`.
#[must_use]
pub fn calls(text: &str) -> Option<String> {
    let mut writer = Writer::new(text);
    let mut made = Vec::with_capacity(text.len() + 64);
    writer.cursor.skip_space();
    made.push(b'[');
    if writer.cursor.peek() == Some(b'[') {
        writer.each(b']', &mut made, Writer::call)?;
    } else {
        writer.call(&mut made)?;
    }
    made.push(b']');
    (writer.ends() && made.len() > 2).then(|| written(made))
}

fn written(made: Vec<u8>) -> String {
    String::from_utf8(made).expect("text, and its strings decoded")
}

/// Reads a value and writes it anew.
struct Writer<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Writer<'a> {
    fn new(text: &'a str) -> Self {
        Self { cursor: Cursor::new(text.as_bytes(), 0) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.cursor.peek() == Some(byte);
        self.cursor.at += usize::from(there);
        there
    }

    fn ends(&mut self) -> bool {
        self.cursor.skip_space();
        self.cursor.peek().is_none()
    }

    /// What stands between the bracket at the cursor and `close`, commas between, written with a space behind each.
    fn each(&mut self, close: u8, made: &mut Vec<u8>, mut one: impl FnMut(&mut Self, &mut Vec<u8>) -> Option<()>) -> Option<()> {
        self.cursor.at += 1;
        self.cursor.skip_space();
        if self.take(close) {
            return Some(());
        }
        loop {
            one(self, made)?;
            self.cursor.skip_space();
            if self.take(close) {
                return Some(());
            }
            self.take(b',').then_some(())?;
            made.extend_from_slice(b", ");
            self.cursor.skip_space();
        }
    }

    fn value(&mut self, made: &mut Vec<u8>, depth: usize) -> Option<()> {
        match self.cursor.peek()? {
            b'"' => return self.string(made),
            b'-' | b'0'..=b'9' => return self.number(made),
            b'{' if depth < DEPTH => {
                made.push(b'{');
                self.members(made, depth)?;
                made.push(b'}');
            }
            b'[' if depth < DEPTH => {
                made.push(b'[');
                self.each(b']', made, |writer, made| writer.value(made, depth + 1))?;
                made.push(b']');
            }
            _ => {
                let rest = &self.cursor.bytes[self.cursor.at..];
                let word = [&b"true"[..], b"false", b"null"].into_iter().find(|word| rest.starts_with(word))?;
                self.cursor.at += word.len();
                made.extend_from_slice(word);
            }
        }
        Some(())
    }

    /// Write the members of the object at the cursor, and say where in `made` each one's key and value are.
    fn members(&mut self, made: &mut Vec<u8>, depth: usize) -> Option<Vec<(Range<usize>, Range<usize>)>> {
        let mut members: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        (self.cursor.peek() == Some(b'{')).then_some(())?;
        self.each(b'}', made, |writer, made| {
            let start = made.len();
            writer.string(made)?;
            let key = start..made.len();
            // Of a key that stands twice Python keeps the last.
            if members.len() == KEYS || members.iter().any(|(known, _)| made[known.clone()] == made[key.clone()]) {
                return None;
            }
            writer.cursor.skip_space();
            writer.take(b':').then_some(())?;
            writer.cursor.skip_space();
            made.extend_from_slice(b": ");
            let start = made.len();
            writer.value(made, depth + 1)?;
            members.push((key, start..made.len()));
            Some(())
        })?;
        Some(members)
    }

    fn string(&mut self, made: &mut Vec<u8>) -> Option<()> {
        (self.cursor.peek() == Some(b'"')).then_some(())?;
        let start = self.cursor.at;
        let value = self.cursor.string().ok()?;
        if value.escaped {
            encode_into(decode(self.cursor.bytes, &value).as_bytes(), made);
        } else {
            made.extend_from_slice(&self.cursor.bytes[start..self.cursor.at]);
        }
        Some(())
    }

    /// Integers of up to 15 digits, and decimal fractions as Python writes them without an exponent.
    fn number(&mut self, made: &mut Vec<u8>) -> Option<()> {
        let start = self.cursor.at;
        let negative = self.take(b'-');
        let whole = self.digits();
        (!whole.is_empty() && (whole.len() == 1 || !whole.starts_with(b"0"))).then_some(())?;
        if self.take(b'.') {
            let part = self.digits();
            let small = whole == b"0" && part.starts_with(b"0000"); // 1e-05
            (part == b"0" || !(part.is_empty() || part.ends_with(b"0") || small)).then_some(())?;
            (whole.len() + part.len() <= DIGITS).then_some(())?;
        } else {
            (whole.len() <= DIGITS && !(negative && whole == b"0")).then_some(())?;
        }
        made.extend_from_slice(&self.cursor.bytes[start..self.cursor.at]);
        (!matches!(self.cursor.peek(), Some(b'e' | b'E' | b'.'))).then_some(())
    }

    fn digits(&mut self) -> &'a [u8] {
        let rest = &self.cursor.bytes[self.cursor.at..];
        let digits = &rest[..rest.iter().take_while(|byte| byte.is_ascii_digit()).count()];
        self.cursor.at += digits.len();
        digits
    }

    fn call(&mut self, made: &mut Vec<u8>) -> Option<()> {
        let outer = Object::read(self)?;
        let inner = match outer.get("function") {
            Some(function) => &Object::read(&mut Writer::new(function))?,
            None => &outer,
        };
        let name = inner.get("name").filter(|name| name.starts_with('"'))?;
        let arguments = match inner.get("arguments") {
            Some(text) if text.starts_with('"') => {
                let decoded: String = serde_json::from_str(text).ok()?;
                if decoded.trim_ascii_start().starts_with('{') {
                    dumped(&decoded)? // or no JSON, then it stays as it is: that is for Python to say
                } else {
                    text.to_owned()
                }
            }
            other => other.unwrap_or("null").to_owned(),
        };
        made.push(b'{');
        if let Some(id) = outer.get("id").filter(|id| *id != "null") {
            made.extend_from_slice(format!(r#""id": {id}, "#).as_bytes());
        }
        made.extend_from_slice(format!(r#""type": "function", "function": {{"name": {name}, "arguments": {arguments}}}}}"#).as_bytes());
        Some(())
    }
}

/// An object whose members are looked at.
struct Object {
    text: String,
    members: Vec<(Range<usize>, Range<usize>)>,
}

impl Object {
    fn read(writer: &mut Writer<'_>) -> Option<Self> {
        let mut made = Vec::new();
        let members = writer.members(&mut made, 0)?;
        Some(Self { text: written(made), members })
    }

    /// A member's value as Python writes it.
    fn get(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &&(Range<usize>, Range<usize>)| self.text[key.start + 1..key.end - 1] == *name;
        self.members.iter().find(named).map(|(_, value)| &self.text[value.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::{calls, dumped};

    #[test]
    fn as_python_or_not_at_all() {
        for (text, expected) in [
            (
                r#" {"a":[1,-2.5,"x\n\u00e9\/\u0001",null ,true,{"b":0.0001}],"c":{}} "#,
                r#"{"a": [1, -2.5, "x\né/\u0001", null, true, {"b": 0.0001}], "c": {}}"#,
            ),
            ("[]", "[]"),
            ("0", "0"),
            ("-0.0", "-0.0"),
            ("7.0", "7.0"),
            (r#""\ud83d\ude00""#, "\"😀\""),
            ("[ ]", "[]"),
            ("{ }", "{}"),
        ] {
            assert_eq!(dumped(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "[1,2",
            "[,1]",
            "[1,]",
            r#"{"a":1,"a":2}"#,
            "-0",
            "01",
            "1e5",
            "1.50",
            "0.00001",
            "1.",
            "1234567890123456",
            "0.1234567890123456",
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\u0041""#,
            r#""\x""#,
            "\"\n\"",
            "NaN",
            "{1: 2}",
            "truer",
            "1.0e3",
            "\"",
            "1.2.3",
            r#""\u00g0""#,
            "-",
            "{\"a\" 1}",
            "{\"a\": 1",
        ] {
            assert_eq!(dumped(text), None, "{text}");
        }
        assert_eq!(dumped(&format!("{}{}", "[".repeat(65), "]".repeat(65))), None);
    }

    #[test]
    fn calls_become_openai_s() {
        let made = r#"[{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]"#;
        let named = made.replace(r#"{"type""#, r#"{"id": "x", "type""#);
        for (text, expected) in [
            (r#"{"name": "f", "arguments": {"a": 1}}"#, made),
            (r#"[{"arguments":"{\"a\":1}","name":"f","more":2}]"#, made),
            (r#"[{"id":"x","type":"function","function":{"name":"f","arguments":" {\"a\": 1}"}}]"#, &named),
            (r#"{"name":"f","id":null}"#, r#"[{"type": "function", "function": {"name": "f", "arguments": null}}]"#),
            (r#"{"name":"f","arguments":"a b"}"#, r#"[{"type": "function", "function": {"name": "f", "arguments": "a b"}}]"#),
        ] {
            assert_eq!(calls(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "[]",
            "{}",
            "f()",
            r#"{"name": 1}"#,
            r#"{"function": "f"}"#,
            r#"{"name": "f", "arguments": "{1}"}"#,
            r#"[{"name": "f", "arguments": {}}"#,
            r#"{"name": "f"} x"#,
            r#"[{"name": "f"},]"#,
        ] {
            assert_eq!(calls(text), None, "{text}");
        }
    }
}
