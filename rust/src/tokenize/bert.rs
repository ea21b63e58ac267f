//! BERT: its normalizer, its pre-tokenizer and WordPiece in one.

use rustc_hash::FxHashMap;
use unicode_categories::UnicodeCategories;
use unicode_normalization::UnicodeNormalization;

use super::patterns::ascii_letters;

/// A WordPiece model with what stands before it.
pub struct Bert {
    pub clean: bool,
    pub chinese: bool,
    pub strip: bool,
    pub lower: bool,
    pub unknown: u32,
    /// Words of more characters are unknown.
    pub most: usize,
    /// Tokens that start a word, and those that go on with one (without the prefix that marks them).
    pub heads: FxHashMap<Box<str>, u32>,
    pub tails: FxHashMap<Box<str>, u32>,
    /// Length in bytes of the longest token.
    pub longest: usize,
}

impl Bert {
    /// Call `take(start, end)` with each piece: what lies between ASCII spaces, punctuation and Chinese characters, each
    /// of which is a word of its own whatever stands beside it. White space is left out.
    #[inline]
    pub fn pieces(&self, text: &str, mut take: impl FnMut(usize, usize)) {
        let bytes = text.as_bytes();
        let (mut start, mut at) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            if byte.is_ascii_alphanumeric() {
                at = ascii_letters(bytes, at + 1);
                continue;
            }
            let alone = match byte {
                b' ' | b'\t' | b'\n' | b'\r' => Some((1, false)),
                _ if byte.is_ascii_punctuation() => Some((1, true)),
                // U+3000 to U+9FFF
                0xE3..=0xE9 if self.chinese && text[at..].starts_with(is_han) => Some((3, true)),
                _ => None,
            };
            let Some((len, kept)) = alone else {
                at += 1;
                while !text.is_char_boundary(at) {
                    at += 1;
                }
                continue;
            };
            if start < at {
                take(start, at);
            }
            if kept {
                take(at, at + len);
            }
            at += len;
            start = at;
        }
        if start < at {
            take(start, at);
        }
    }

    /// The ids of a piece.
    pub fn encode(&self, piece: &str, ids: &mut Vec<u32>) {
        ids.clear();
        if piece.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return if self.lower { self.word(&piece.to_ascii_lowercase(), ids) } else { self.word(piece, ids) };
        }
        let mut text = String::with_capacity(piece.len() * 2);
        for c in piece.chars().filter(|c| !self.clean || !is_removed(*c)) {
            if self.chinese && is_chinese(c) {
                text.extend([' ', c, ' ']);
            } else {
                text.push(if self.clean && c.is_whitespace() { ' ' } else { c });
            }
        }
        if self.strip {
            text = text.nfd().filter(|c| !c.is_mark_nonspacing()).collect();
        }
        if self.lower {
            text = text.chars().flat_map(char::to_lowercase).collect();
        }
        for stretch in text.split_whitespace() {
            for part in stretch.split_inclusive(is_punctuation) {
                let word = part.trim_end_matches(is_punctuation);
                // At most one character of punctuation, for it ends a part.
                [word, &part[word.len()..]].into_iter().filter(|word| !word.is_empty()).for_each(|word| self.word(word, ids));
            }
        }
    }

    /// The longest token that the rest starts with, again and again; where there is none, the whole word is unknown.
    fn word(&self, word: &str, ids: &mut Vec<u32>) {
        let known = ids.len();
        let mut rest = if word.chars().count() > self.most { None } else { Some(word) };
        while let Some(text) = rest.filter(|text| !text.is_empty()) {
            let tokens = if ids.len() == known { &self.heads } else { &self.tails };
            let ends = (1..=text.len().min(self.longest)).rev().filter(|&end| text.is_char_boundary(end));
            rest = ends.map(|end| text.split_at(end)).find_map(|(token, rest)| {
                ids.push(*tokens.get(token)?);
                Some(rest)
            });
        }
        if rest.is_none() {
            ids.truncate(known);
            ids.push(self.unknown);
        }
    }
}

fn is_removed(c: char) -> bool {
    matches!(c, '\0' | '\u{FFFD}') || !matches!(c, '\t' | '\n' | '\r') && c.is_other()
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_punctuation()
}

/// The Chinese characters that no normalization takes apart.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
}

fn is_chinese(c: char) -> bool {
    is_han(c)
        || matches!(u32::from(c), 0x2_0000..=0x2_A6DF | 0x2_A700..=0x2_B81F | 0x2_B920..=0x2_CEAF | 0xF900..=0xFAFF | 0x2_F800..=0x2_FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(words: &[(&str, u32)]) -> FxHashMap<Box<str>, u32> {
        words.iter().map(|&(word, id)| (word.into(), id)).collect()
    }

    fn ids(text: &str, lower: bool) -> Vec<u32> {
        let heads = tokens(&[("un", 1), ("a", 2), ("!", 3), ("中", 4), ("é", 5), ("e", 6)]);
        let bert = Bert {
            clean: true,
            chinese: true,
            strip: lower,
            lower,
            unknown: 0,
            most: 6,
            heads,
            tails: tokens(&[("able", 7), ("a", 8)]),
            longest: 4,
        };
        let (mut all, mut some) = (Vec::new(), Vec::new());
        bert.pieces(text, |start, end| {
            bert.encode(&text[start..end], &mut some);
            all.extend_from_slice(&some);
        });
        all
    }

    #[test]
    fn words_and_their_pieces() {
        assert_eq!(ids("unable un!a  !!", false), [1, 7, 1, 3, 2, 3, 3]);
        assert_eq!(ids("unx aaaaaaa aa", false), [0, 0, 2, 8]);
        assert_eq!(ids("中un中\u{200b}a\u{a0}a\x0b\x00a。", false), [4, 1, 4, 2, 2, 8, 0]);
        assert_eq!(ids("É e\u{301} UN", true), [6, 6, 1]);
        assert_eq!(ids("é É", false), [5, 0]);
        assert!(ids("", false).is_empty());
    }
}
