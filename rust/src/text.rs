//! What a word is: the units that shingles, ROUGE and diffs are made of.

use unicode_categories::UnicodeCategories;
use unicode_segmentation::UnicodeSegmentation;

/// How a text falls into units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Unicode word segments (UAX 29) that hold a letter or digit, lower-cased; every Han, Kana, Thai, Lao or
    /// Khmer character is a word of its own, because these scripts put no space between words.
    Word,
    /// Lower-cased, split at white space.
    Space,
    /// Lower-cased, split at every character that is neither letter, digit nor `_`; two such characters side by side
    /// enclose an empty piece, which counts.
    Piece,
    /// Every character (code point) as it is.
    Character,
}

/// Call `take` with each unit of `text`, in order.
pub fn units(text: &str, unit: Unit, mut take: impl FnMut(&str)) {
    match unit {
        Unit::Word => words(&text.to_lowercase(), take),
        Unit::Space => text.to_lowercase().split_whitespace().for_each(take),
        Unit::Piece => text.to_lowercase().split(|c| !in_piece(c)).for_each(take),
        Unit::Character => text.char_indices().for_each(|(at, c)| take(&text[at..at + c.len_utf8()])),
    }
}

/// `\w` of Python's `re`: letters, digits and other numbers, and `_`.
fn in_piece(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { c.is_letter() || c.is_number() }
}

/// Call `take` with each word of a text that is lower-cased already: see [`Unit::Word`].
pub fn words(lower: &str, mut take: impl FnMut(&str)) {
    for word in lower.unicode_words() {
        if word.is_ascii() || !word.chars().any(unspaced) {
            take(word);
        } else {
            // A character is what a reader calls one: a base with its vowel signs and tone marks.
            word.graphemes(true).for_each(&mut take);
        }
    }
}

/// Whether a character belongs to a script that is written without spaces between words.
#[must_use]
pub fn unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF                                       // Thai, Lao
        | 0x1780..=0x17FF | 0x19E0..=0x19FF                   // Khmer
        | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x31F0..=0x31FF // Han marks, Kana
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF // Han
        | 0xFF66..=0xFF9F                                     // half-width Katakana
        | 0x1_AFF0..=0x1_B16F                                 // Kana supplements
        | 0x2_0000..=0x3_FFFF) // Han, the supplementary planes
}

/// Call `take` with each token of google's `rouge_score`: lower-cased in Unicode, then maximal runs of `[a-z0-9]`.
///
/// Only two characters outside ASCII have a lower case inside it: U+212A KELVIN SIGN becomes `k`, and U+0130
/// becomes `i` and a combining dot, which separates.
pub fn google_tokens(text: &[u8], mut take: impl FnMut(&[u8])) {
    let mut token = Vec::with_capacity(32);
    let mut at = 0;
    while at < text.len() {
        let byte = LOWER[usize::from(text[at])];
        at += 1;
        if byte > 1 {
            token.push(byte);
        } else if byte == 1 && text[at - 1..].starts_with("\u{212A}".as_bytes()) {
            token.push(b'k');
            at += 2;
        } else {
            if byte == 1 && text[at - 1..].starts_with("\u{130}".as_bytes()) {
                token.push(b'i');
            }
            if !token.is_empty() {
                take(&token);
                token.clear();
            }
        }
    }
    if !token.is_empty() {
        take(&token);
    }
}

/// The lower case of an ASCII letter or digit; 1 for a byte that begins one of the two special characters; else 0.
const LOWER: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table[0xE2] = 1;
    table[0xC4] = 1;
    table
};

/// Code points that begin in these bytes of a text.
#[must_use]
pub fn count_characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u32
}

#[cfg(test)]
mod tests {
    use super::{Unit, google_tokens, units};

    fn all(text: &str, unit: Unit) -> Vec<String> {
        let mut found = Vec::new();
        units(text, unit, |word| found.push(word.to_owned()));
        found
    }

    fn google(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        google_tokens(text.as_bytes(), |token| found.push(String::from_utf8(token.to_vec()).unwrap()));
        found
    }

    #[test]
    fn words_hold_a_letter_or_digit() {
        assert_eq!(all("Don't -- stop: 3.14 Äpfel!", Unit::Word), ["don't", "stop", "3.14", "äpfel"]);
        assert!(all(" ?! ", Unit::Word).is_empty());
    }

    #[test]
    fn scripts_without_spaces_fall_into_characters() {
        assert_eq!(all("今日コーヒー ok", Unit::Word), ["今", "日", "コ", "ー", "ヒ", "ー", "ok"]);
        assert_eq!(all("กินข้าว", Unit::Word), ["กิ", "น", "ข้", "า", "ว"]);
    }

    #[test]
    fn space_piece_and_character() {
        assert_eq!(all(" A  b\u{a0}C ", Unit::Space), ["a", "b", "c"]);
        assert_eq!(all("Aé", Unit::Character), ["A", "é"]);
        assert_eq!(all("Ça-va, x_1²", Unit::Piece), ["ça", "va", "", "x_1²"]);
    }

    #[test]
    fn google_lowers_before_it_filters() {
        assert_eq!(google("10 \u{212A}elvin-BÀR"), ["10", "kelvin", "b", "r"]);
        assert_eq!(google("\u{130}stanbul Ä\u{2019}x"), ["i", "stanbul", "x"]);
        assert!(google("日本 !").is_empty());
    }
}
