//! The pre-tokenizers of byte-level BPE, written out: the cuts that their regular expressions make.

use super::letters::{Class, class};

/// A known pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    Gpt2,
    /// The same on what lies between single digits, each cut off before (SmolLM2, StarCoder).
    Gpt2Digits,
    /// [`LLAMA3`] and its like, with at most so many digits in a number.
    Llama3(usize),
}

/// The pattern of Llama 3, with numbers of up to three digits.
pub const LLAMA3: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

impl Pattern {
    /// The pattern of a `Split`, if it is known.
    pub fn known(text: &str) -> Option<Self> {
        [("{1,3}", 3), ("", 1)].into_iter().find(|(times, _)| LLAMA3.replace("{1,3}", times) == text).map(|(_, most)| Self::Llama3(most))
    }

    /// Call `take(start, end)` with each piece of `text`.
    #[inline]
    pub fn pieces(self, text: &str, take: impl FnMut(usize, usize)) {
        match self {
            Self::Gpt2 => gpt2::<false>(text, take),
            Self::Gpt2Digits => gpt2::<true>(text, take),
            Self::Llama3(most) => llama3(text, most, take),
        }
    }
}

/// Class and length in bytes of the character at `at`; `None` at the end.
#[inline]
fn look(text: &str, at: usize) -> Option<(Class, usize)> {
    let &byte = text.as_bytes().get(at)?;
    if byte < 0x80 { Some((class(char::from(byte)), 1)) } else { text[at..].chars().next().map(|c| (class(c), c.len_utf8())) }
}

/// The end of the run of `wanted` that begins at or before `at`.
#[inline]
fn run(text: &str, mut at: usize, wanted: Class) -> usize {
    if wanted == Class::Letter {
        return letters(text, at);
    }
    while let Some((found, len)) = look(text, at)
        && found == wanted
    {
        at += len;
    }
    at
}

/// [`run`] of letters: most are of a to z.
#[inline]
fn letters(text: &str, mut at: usize) -> usize {
    loop {
        at = ascii_letters(text.as_bytes(), at);
        match look(text, at) {
            Some((Class::Letter, len)) => at += len,
            _ => return at,
        }
    }
}

/// The end of the run of ASCII letters at `at`, or a place within it in the last eight bytes.
#[inline]
pub fn ascii_letters(bytes: &[u8], mut at: usize) -> usize {
    while let Some(some) = bytes.get(at..at + 8) {
        let many = of_eight(u64::from_le_bytes(some.try_into().unwrap_or_default()));
        at += many;
        if many < 8 {
            break;
        }
    }
    at
}

/// How many of eight bytes, from the lowest on, are ASCII letters.
#[inline]
fn of_eight(bytes: u64) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    let lower = (bytes | (0x20 * EACH)) & !TOP;
    let from_a = lower + (0x80 - 0x61) * EACH;
    let beyond_z = lower + (0x80 - 0x7B) * EACH;
    let others = !(from_a & !beyond_z & !bytes) & TOP;
    (others.trailing_zeros() / 8) as usize
}

/// Length of `'s`, `'re` and so on at the start of `bytes`, 0 if there is none.
#[inline]
fn contraction(bytes: &[u8]) -> usize {
    match bytes {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => 2,
        [b'\'', b'r' | b'v', b'e', ..] | [b'\'', b'l', b'l', ..] => 3,
        _ => 0,
    }
}

/// The end of what `\s+(?!\S)|\s+` matches at `start`, where white space reaches to `end`.
#[inline]
fn spaces(text: &str, start: usize, end: usize, whole: bool) -> usize {
    if whole {
        return end;
    }
    // The last goes to what follows, unless it stands alone.
    let last = text[start..end].chars().next_back().map_or(0, char::len_utf8);
    if end - last > start { end - last } else { end }
}

#[inline]
fn gpt2<const DIGITS: bool>(text: &str, mut take: impl FnMut(usize, usize)) {
    let bytes = text.as_bytes();
    let is_cut = |class| DIGITS && class == Class::Number;
    let mut start = 0;
    while let Some((mut class, len)) = look(text, start) {
        let mut from = start + len;
        if bytes[start] == b'\'' {
            let len = contraction(&bytes[start..]);
            if len > 0 {
                take(start, start + len);
                start += len;
                continue;
            }
        }
        if bytes[start] == b' '
            && let Some((next, len)) = look(text, from)
            && next != Class::Space
            && !is_cut(next)
        {
            class = next;
            from += len;
        }
        let end = match class {
            Class::Number if DIGITS => from,
            Class::Space => {
                let end = run(text, from, class);
                spaces(text, start, end, look(text, end).is_none_or(|(next, _)| is_cut(next)))
            }
            class => run(text, from, class),
        };
        take(start, end);
        start = end;
    }
}

/// [`contraction`] without regard to case; U+017F is a small s.
#[inline]
fn contraction_of_any_case(bytes: &[u8]) -> usize {
    if bytes.starts_with("'\u{17F}".as_bytes()) {
        return 3;
    }
    let mut lower = [0; 3];
    let len = bytes.len().min(3);
    lower[..len].copy_from_slice(&bytes[..len]);
    lower.make_ascii_lowercase();
    contraction(&lower[..len])
}

#[inline]
fn llama3(text: &str, most: usize, mut take: impl FnMut(usize, usize)) {
    let bytes = text.as_bytes();
    let newlines = |mut at: usize| {
        while let Some(b'\r' | b'\n') = bytes.get(at) {
            at += 1;
        }
        at
    };
    let mut start = 0;
    while let Some((class, len)) = look(text, start) {
        let from = start + len;
        if bytes[start] == b'\'' {
            let len = contraction_of_any_case(&bytes[start..]);
            if len > 0 {
                take(start, start + len);
                start += len;
                continue;
            }
        }
        let next = look(text, from);
        let end = match (class, next) {
            (Class::Letter, _) => letters(text, from),
            (Class::Other | Class::Space, Some((Class::Letter, len))) if !matches!(bytes[start], b'\r' | b'\n') => {
                letters(text, from + len)
            }
            (Class::Number, _) => {
                let mut end = from;
                for _ in 1..most {
                    match look(text, end) {
                        Some((Class::Number, len)) => end += len,
                        _ => break,
                    }
                }
                end
            }
            (Class::Other, _) => newlines(run(text, from, class)),
            (Class::Space, Some((Class::Other, len))) if bytes[start] == b' ' => newlines(run(text, from + len, Class::Other)),
            (Class::Space, _) => {
                let end = run(text, from, class);
                match bytes[start..end].iter().rposition(|byte| matches!(byte, b'\r' | b'\n')) {
                    Some(last) => start + last + 1,
                    None => spaces(text, start, end, end == text.len()),
                }
            }
        };
        take(start, end);
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenizers_reference::pre_tokenizers::byte_level::ByteLevel;
    use tokenizers_reference::pre_tokenizers::digits::Digits;
    use tokenizers_reference::pre_tokenizers::split::{Split, SplitPattern};
    use tokenizers_reference::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior};

    use super::*;

    fn cuts(text: &str, steps: &[&dyn PreTokenizer]) -> Vec<(usize, usize)> {
        let mut pieces = PreTokenizedString::from(text);
        steps.iter().for_each(|step| step.pre_tokenize(&mut pieces).expect("pieces"));
        pieces.get_splits(OffsetReferential::Original, OffsetType::Byte).into_iter().map(|(_, offsets, _)| offsets).collect()
    }

    fn ours(text: &str, pattern: Pattern) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        pattern.pieces(text, |start, end| found.push((start, end)));
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn cuts_are_those_of_the_reference(
            text in "([a-cA-TſKéß中 ]|[ '’srevmtlldSREVMT]{2,4}|[0-9²Ⅷ٣]{1,5}|[ \t\r\n\u{a0}\u{85}\u{2028}\u{3000}]{1,4}|[.,!?\u{301}\u{200b}🙂]{1,3}|\\PC){0,16}",
        ) {
            let split = |pattern: &str| {
                Split::new(SplitPattern::Regex(pattern.into()), SplitDelimiterBehavior::Isolated, false).expect("a pattern")
            };
            let bytes = ByteLevel::new(false, true, true);
            prop_assert_eq!(ours(&text, Pattern::Gpt2), cuts(&text, &[&bytes]));
            prop_assert_eq!(ours(&text, Pattern::Gpt2Digits), cuts(&text, &[&Digits::new(true), &bytes]));
            let single = LLAMA3.replace("{1,3}", "");
            for pattern in [LLAMA3, &single] {
                prop_assert_eq!(ours(&text, Pattern::known(pattern).expect("a known one")), cuts(&text, &[&split(pattern)]));
            }
        }
    }

    #[test]
    fn letters_are_counted_by_eights() {
        for byte in 0..=255_u8 {
            for place in 0..8 {
                let mut bytes = *b"aZzAbYmM";
                bytes[place] = byte;
                let wanted = if byte.is_ascii_alphabetic() { 8 } else { place };
                assert_eq!(of_eight(u64::from_le_bytes(bytes)), wanted, "{byte:X} at {place}");
            }
        }
    }
}
