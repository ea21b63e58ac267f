//! Text as Python's `str` sees it: what the rule sets were written in terms of.

use unicode_normalization::char::is_combining_mark;

/// `str.isspace` of one character: Unicode's `White_Space` and four separators of ASCII.
#[inline]
pub fn is_space(c: char) -> bool {
    if c.is_ascii() { matches!(c, '\t'..='\r' | '\x1c'..=' ') } else { c.is_whitespace() }
}

/// `str.split()`.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// `str.splitlines()`.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'));
        let (line, mut after) = rest.split_at(end.unwrap_or(rest.len()));
        if let Some(border) = after.chars().next() {
            after = after.strip_prefix("\r\n").unwrap_or(&after[border.len_utf8()..]);
        }
        rest = after;
        Some(line)
    })
}

/// `str.isalpha` of one character: a letter (category `L`), where Rust's `is_alphabetic` takes letter-like numbers, signs and
/// marks as well.
#[inline]
pub fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    c.is_alphabetic()
        && !is_combining_mark(c)
        && !matches!(u32::from(c),
        0x16EE..=0x16F0 | 0x2160..=0x2182 | 0x2185..=0x2188 | 0x24B6..=0x24E9 | 0x3007 | 0x3021..=0x3029 | 0x3038..=0x303A
        | 0xA6E6..=0xA6EF | 0x1_0140..=0x1_0174 | 0x1_0341 | 0x1_034A | 0x1_03D1..=0x1_03D5 | 0x1_2400..=0x1_247F
        | 0x1_2550..=0x1_2686 | 0x1_6FF4..=0x1_6FF6 | 0x1_F130..=0x1_F149 | 0x1_F150..=0x1_F169 | 0x1_F170..=0x1_F189)
}

/// `\d` of Python's `re` (category `Nd`): decimal digits come in tens.
pub fn is_digit(c: char) -> bool {
    const ZEROS: [u32; 71] = [
        0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20, 0x1040,
        0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0,
        0xAA50, 0xABF0, 0xFF10, 0x1_04A0, 0x1_0D30, 0x1_0D40, 0x1_1066, 0x1_10F0, 0x1_1136, 0x1_11D0, 0x1_12F0, 0x1_1450, 0x1_14D0,
        0x1_1650, 0x1_16C0, 0x1_16D0, 0x1_16DA, 0x1_1730, 0x1_18E0, 0x1_1950, 0x1_1BF0, 0x1_1C50, 0x1_1D50, 0x1_1DA0, 0x1_1DE0, 0x1_1F50,
        0x1_6130, 0x1_6A60, 0x1_6AC0, 0x1_6B50, 0x1_6D70, 0x1_CCF0, 0x1_E140, 0x1_E2F0, 0x1_E4F0, 0x1_E5F1, 0x1_E950,
    ];
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    let code = u32::from(c);
    matches!(code, 0x1_D7CE..=0x1_D7FF | 0x1_FBF0..=0x1_FBF9) || ZEROS.iter().any(|&zero| (zero..zero + 10).contains(&code))
}

/// `len` of a text: its code points.
#[inline]
pub fn len(text: &str) -> u64 {
    text.chars().count() as u64
}

#[cfg(test)]
mod tests {
    use super::{is_digit, is_letter, lines, split};

    #[test]
    fn lines_and_words_as_in_python() {
        assert_eq!(lines("a\r\nb\n\nc\x0bd\u{2028}e\n").collect::<Vec<_>>(), ["a", "b", "", "c", "d", "e"]);
        assert_eq!(lines("").count(), 0);
        assert_eq!(split(" a\u{1c}b\u{3000}c\u{200b} ").collect::<Vec<_>>(), ["a", "b", "c\u{200b}"]);
    }

    #[test]
    fn letters_and_digits_as_in_python() {
        assert!(is_letter('é') && is_letter('日') && is_letter('ー'));
        assert!(!is_letter('Ⅷ') && !is_letter('ⓐ') && !is_letter('\u{345}') && !is_letter('１'));
        assert!(is_digit('１') && is_digit('٣') && !is_digit('²'));
    }
}
