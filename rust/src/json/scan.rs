//! The inner loops over bytes: where plain text ends, whether two stretches are equal, what escapes stand for.

/// Bytes that are looked at together.
const WIDTH: usize = 16;

/// Sixteen bytes from `at`, if there are as many.
#[inline]
fn block(bytes: &[u8], at: usize) -> Option<[u8; WIDTH]> {
    bytes.get(at..at + WIDTH).and_then(|block| block.try_into().ok())
}

/// First position from `at` that holds a quote, a backslash or a control character.
#[inline]
pub fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = block(bytes, at) {
        let offset = first_special(block);
        if offset < WIDTH {
            return at + offset;
        }
        at += WIDTH;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}

/// Offset of the first quote, backslash or control character; [`WIDTH`] when there is none.
#[cfg(target_arch = "x86_64")]
#[inline]
fn first_special(block: [u8; WIDTH]) -> usize {
    use std::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8};
    // SAFETY: SSE2 is part of x86-64, and the block has the sixteen bytes that are loaded.
    let hits = unsafe {
        let block = _mm_loadu_si128(block.as_ptr().cast::<__m128i>());
        let control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
        let quote = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'"' as i8));
        let slash = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'\\' as i8));
        _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, slash)))
    };
    (hits | 1 << WIDTH).trailing_zeros() as usize
}

/// As above, eight bytes at a time.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn first_special(block: [u8; WIDTH]) -> usize {
    const ONES: u128 = u128::from_le_bytes([0x01; WIDTH]);
    const HIGH: u128 = u128::from_le_bytes([0x80; WIDTH]);
    let zero = |word: u128| word.wrapping_sub(ONES) & !word & HIGH;
    let word = u128::from_le_bytes(block);
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    // The lowest flagged byte is exact; borrows can only flag bytes above it by mistake.
    let hits = control | zero(word ^ (ONES * u128::from(b'"'))) | zero(word ^ (ONES * u128::from(b'\\')));
    hits.trailing_zeros() as usize / 8
}

/// Whether the bytes from `at` begin with those of `start..end`, which lie before `at`.
#[inline]
pub fn repeats(bytes: &[u8], at: usize, start: usize, end: usize) -> bool {
    let length = end - start;
    if let (1..=WIDTH, Some(here), Some(there)) = (length, block(bytes, at), block(bytes, start)) {
        let differing = u128::from_le_bytes(here) ^ u128::from_le_bytes(there);
        return differing << (8 * (WIDTH - length)) == 0;
    }
    bytes.get(at..at + length) == Some(&bytes[start..end])
}

/// A string of at most twelve bytes as an Arrow view: its length, and the text itself.
#[inline]
pub fn short_view(bytes: &[u8], start: usize, length: usize) -> u128 {
    debug_assert!(length <= 12);
    let text = match block(bytes, start) {
        Some(block) => u128::from_le_bytes(block) & ((1 << (8 * length)) - 1),
        None => bytes[start..start + length].iter().rev().fold(0, |text, &byte| text << 8 | u128::from(byte)),
    };
    text << 32 | length as u128
}

/// The value of a hexadecimal digit; anything else has bits above the lowest four.
const DIGITS: [u8; 256] = {
    let mut digits = [0xFF; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digits[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

/// The number that four hexadecimal digits at `at` make.
#[inline]
pub fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b, c, d] = *bytes.get(at..at + 4)?.first_chunk()?;
    let (a, b, c, d) = (DIGITS[a as usize], DIGITS[b as usize], DIGITS[c as usize], DIGITS[d as usize]);
    let unit = u32::from(a) << 12 | u32::from(b) << 8 | u32::from(c) << 4 | u32::from(d);
    ((a | b | c | d) < 16).then_some(unit)
}

/// Append the text of the escaped string `inner` (valid, without its quotes).
pub fn decode_into(inner: &[u8], out: &mut Vec<u8>) {
    out.reserve(inner.len()); // no escape is shorter than what it stands for
    let mut rest = inner;
    loop {
        let slash = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..slash]);
        rest = &rest[slash..];
        if rest.is_empty() {
            return;
        }
        while let [b'\\', escape, ..] = *rest {
            let (plain, length) = match escape {
                b'b' => (8, 2),
                b'f' => (0xC, 2),
                b'n' => (b'\n', 2),
                b'r' => (b'\r', 2),
                b't' => (b'\t', 2),
                b'u' => {
                    rest = &rest[unicode(rest, out)..];
                    continue;
                }
                other => (other, 2),
            };
            out.push(plain);
            rest = &rest[length..];
        }
    }
}

/// Append the character that stands as `\uXXXX`, or as two of them; gives their length.
#[inline]
fn unicode(escape: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = hex4(escape, 2).unwrap_or(0xFFFD);
    if (0x800..0xD800).contains(&unit) {
        // Three bytes of UTF-8: most of what is escaped.
        out.push(0xE0 | (unit >> 12) as u8);
        out.push(0x80 | (unit >> 6 & 0x3F) as u8);
        out.push(0x80 | (unit & 0x3F) as u8);
        return 6;
    }
    let (character, length) = match char::from_u32(unit) {
        Some(character) => (character, 6),
        None => {
            let low = hex4(escape, 8).unwrap_or(0xDC00);
            let code = 0x1_0000 + ((unit - 0xD800) << 10) + low.wrapping_sub(0xDC00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
    };
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    length
}

/// Append a text as a string of JSON, escaped where Python's `json` escapes it with `ensure_ascii=False`.
pub fn encode_into(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut at = 0;
    loop {
        let end = plain_until(text, at);
        out.extend_from_slice(&text[at..end]);
        let Some(&byte) = text.get(end) else { break };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            8 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0xC => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        at = end + 1;
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn special(byte: u8) -> bool {
        byte < 0x20 || byte == b'"' || byte == b'\\'
    }

    proptest! {
        #[test]
        fn the_end_of_plain_text_is_the_first_special_byte(bytes: Vec<u8>, at in 0..20_usize) {
            let expected = (at..bytes.len()).find(|&at| special(bytes[at])).unwrap_or(bytes.len().max(at));
            prop_assert_eq!(plain_until(&bytes, at), expected);
        }

        #[test]
        fn text_of_any_byte_ends_alike(bytes in proptest::collection::vec(0x20_u8.., 0..70), end in any::<u8>()) {
            let mut bytes = bytes;
            bytes.push(end);
            let expected = bytes.iter().position(|&byte| special(byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_until(&bytes, 0), expected);
        }

        #[test]
        fn repeated_bytes_are_equal_bytes(bytes in proptest::collection::vec(0..2_u8, 1..60), cuts: [prop::sample::Index; 3]) {
            let mut cuts = cuts.map(|cut| cut.index(bytes.len()));
            cuts.sort_unstable();
            let [start, end, at] = cuts;
            prop_assert_eq!(repeats(&bytes, at, start, end), bytes[at..].starts_with(&bytes[start..end]));
        }

        #[test]
        fn a_short_view_holds_its_text(bytes in proptest::collection::vec(any::<u8>(), 12..40), start: prop::sample::Index, length in 0..=12_usize) {
            let start = start.index(bytes.len() - 11);
            let view = short_view(&bytes, start, length).to_le_bytes();
            prop_assert_eq!(u32::from_le_bytes(view[..4].try_into().unwrap()) as usize, length);
            prop_assert_eq!(&view[4..4 + length], &bytes[start..start + length]);
            prop_assert!(view[4 + length..].iter().all(|&byte| byte == 0));
        }

        #[test]
        fn escapes_decode_as_they_were_written(text: String) {
            let written = serde_json::to_string(&text).unwrap();
            let ascii: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            for inner in [&written[1..written.len() - 1], &ascii] {
                let mut out = Vec::new();
                decode_into(inner.as_bytes(), &mut out);
                prop_assert_eq!(std::str::from_utf8(&out).unwrap(), &text);
            }
        }
    }
}
