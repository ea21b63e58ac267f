//! JSON as Python writes it (`json.dumps(json.loads(text), ensure_ascii=False)`), without Python's values in between.
//!
//! What is made here is exactly that, or nothing: numbers that Python may write otherwise (with an exponent, of many digits), a key
//! that stands twice, lone surrogates, deep nesting, and all that is no JSON are denied, and left to Python.

/// How deep values may stand in each other.
const DEPTH: usize = 64;
/// Keys of an object, which are compared with each other.
const KEYS: usize = 64;
/// Digits of a number that a float holds whatever they are.
const DIGITS: usize = 15;

/// The value of `text`, as Python writes it.
#[must_use]
pub fn dumped(text: &str) -> Option<String> {
    let mut made = String::with_capacity(text.len() + text.len() / 8);
    let mut reader = Reader::new(text);
    reader.space();
    reader.value(&mut made, 0)?;
    reader.ends().then_some(made)
}

/// One call of a function or a list of them, of ShareGPT's or OpenAI's shape, as a list of OpenAI's, arguments as an object where
/// they are the text of one. Other fields are left out, as in `tunesmith.rows.turns`.
#[must_use]
pub fn calls(text: &str) -> Option<String> {
    let mut reader = Reader::new(text);
    let mut made = String::with_capacity(text.len() + 64);
    reader.space();
    if reader.take(b'[') {
        reader.space();
        loop {
            made.push_str(if made.is_empty() { "[" } else { ", " });
            reader.call(&mut made)?;
            reader.space();
            if !reader.take(b',') {
                break;
            }
            reader.space();
        }
        reader.take(b']').then_some(())?;
    } else {
        made.push('[');
        reader.call(&mut made)?;
    }
    made.push(']');
    reader.ends().then_some(made)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn ends(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    fn value(&mut self, made: &mut String, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(made),
            b'{' if depth < DEPTH => {
                let members = self.members(depth)?;
                made.push('{');
                for (k, (key, value)) in members.iter().enumerate() {
                    made.push_str(if k > 0 { ", " } else { "" });
                    made.push_str(key);
                    made.push_str(": ");
                    made.push_str(value);
                }
                made.push('}');
                Some(())
            }
            b'[' if depth < DEPTH => self.array(made, depth),
            b'-' | b'0'..=b'9' => self.number(made),
            _ => {
                let word = ["true", "false", "null"].into_iter().find(|word| self.text[self.at..].starts_with(word))?;
                self.at += word.len();
                made.push_str(word);
                Some(())
            }
        }
    }

    /// The members of an object, keys and values as Python writes them.
    fn members(&mut self, depth: usize) -> Option<Vec<(String, String)>> {
        self.take(b'{').then_some(())?;
        self.space();
        let mut members: Vec<(String, String)> = Vec::new();
        if self.take(b'}') {
            return Some(members);
        }
        loop {
            let (mut key, mut value) = (String::new(), String::new());
            self.string(&mut key)?;
            // Of a key that stands twice Python keeps the last.
            if members.len() == KEYS || members.iter().any(|(known, _)| *known == key) {
                return None;
            }
            self.space();
            self.take(b':').then_some(())?;
            self.space();
            self.value(&mut value, depth + 1)?;
            members.push((key, value));
            self.space();
            if self.take(b'}') {
                return Some(members);
            }
            self.take(b',').then_some(())?;
            self.space();
        }
    }

    fn array(&mut self, made: &mut String, depth: usize) -> Option<()> {
        self.at += 1;
        made.push('[');
        self.space();
        if !self.take(b']') {
            loop {
                self.value(made, depth + 1)?;
                self.space();
                if self.take(b']') {
                    break;
                }
                self.take(b',').then_some(())?;
                made.push_str(", ");
                self.space();
            }
        }
        made.push(']');
        Some(())
    }

    fn string(&mut self, made: &mut String) -> Option<()> {
        self.take(b'"').then_some(())?;
        made.push('"');
        loop {
            let start = self.at;
            self.at = super::scan::plain_until(self.text.as_bytes(), start);
            made.push_str(&self.text[start..self.at]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    made.push('"');
                    return Some(());
                }
                b'\\' => {
                    let escaped = self.escaped()?;
                    push(made, escaped);
                }
                _ => return None, // a control character
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let letter = *self.text.as_bytes().get(self.at + 1)?;
        self.at += 2;
        Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let unit = self.unit()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    return char::from_u32(unit);
                }
                (self.take(b'\\') && self.take(b'u')).then_some(())?;
                let low = self.unit()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                return char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + low);
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
    }

    /// Integers of up to 15 digits, and decimal fractions as Python writes them without an exponent.
    fn number(&mut self, made: &mut String) -> Option<()> {
        let start = self.at;
        let negative = self.take(b'-');
        let whole = self.digits();
        (!whole.is_empty() && (whole.len() == 1 || !whole.starts_with('0'))).then_some(())?;
        if self.take(b'.') {
            let part = self.digits();
            let small = whole == "0" && part.starts_with("0000"); // 1e-05
            (part == "0" || !(part.is_empty() || part.ends_with('0') || small)).then_some(())?;
            (whole.len() + part.len() <= DIGITS).then_some(())?;
        } else {
            (whole.len() <= DIGITS && !(negative && whole == "0")).then_some(())?;
        }
        made.push_str(&self.text[start..self.at]);
        (!matches!(self.peek(), Some(b'e' | b'E' | b'.'))).then_some(())
    }

    fn digits(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += length;
        &rest[..length]
    }

    fn call(&mut self, made: &mut String) -> Option<()> {
        let outer = self.members(0)?;
        let field = |members: &[(String, String)], name: &str| {
            members.iter().find(|(key, _)| key[1..key.len() - 1] == *name).map(|(_, value)| value.clone())
        };
        let function = field(&outer, "function");
        let inner = match &function {
            Some(function) => &Reader::new(function).members(0)?,
            None => &outer,
        };
        let name = field(inner, "name").filter(|name| name.starts_with('"'))?;
        let mut arguments = field(inner, "arguments").unwrap_or_else(|| "null".into());
        if arguments.starts_with('"') {
            let text: String = serde_json::from_str(&arguments).ok()?;
            if text.trim_ascii_start().starts_with('{') {
                arguments = dumped(&text)?; // or no JSON, then it stays as it is: that is for Python to say
            }
        }
        made.push('{');
        if let Some(id) = field(&outer, "id").filter(|id| id != "null") {
            made.push_str(&format!(r#""id": {id}, "#));
        }
        made.push_str(&format!(r#""type": "function", "function": {{"name": {name}, "arguments": {arguments}}}}}"#));
        Some(())
    }
}

/// Write a character of a string, escaped where Python escapes it.
fn push(made: &mut String, character: char) {
    match character {
        '"' => made.push_str("\\\""),
        '\\' => made.push_str("\\\\"),
        '\n' => made.push_str("\\n"),
        '\r' => made.push_str("\\r"),
        '\t' => made.push_str("\\t"),
        '\u{8}' => made.push_str("\\b"),
        '\u{c}' => made.push_str("\\f"),
        control if control < ' ' => made.push_str(&format!("\\u{:04x}", u32::from(control))),
        other => made.push(other),
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
