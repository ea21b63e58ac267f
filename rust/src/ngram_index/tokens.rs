//! What a token is, to each of the systems whose rule of overlap has a name.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::error::Result;
use crate::hash::short;
use crate::long::{self, Cuts};
use crate::parallel::Control;
use crate::shingle::{Shape, Shingler};

/// How a text falls into the tokens that are compared.
#[derive(Debug, Clone, Copy)]
pub enum Cut {
    /// The units of [`crate::text::Unit`].
    Unit(Shape),
    /// open-r1 (`scripts/decontaminate.py`): lower-cased, split at white space.
    Pieces,
    /// GPT-3's as lm-evaluation-harness has it (`janitor.py`): ASCII letters lower-cased, ASCII punctuation deleted, split
    /// at white space.
    Bare,
    /// datatrove (`simplify_text`, then NLTK's words): lower-cased, without punctuation, diacritics and control
    /// characters, every number a `0`.
    Simplified,
}

impl Cut {
    /// # Errors
    /// [`crate::error::Error::Option`] for an unknown name.
    pub fn new(name: &str) -> Result<Self> {
        Ok(match name {
            "open-r1" => Self::Pieces,
            "gpt3" => Self::Bare,
            "datatrove" => Self::Simplified,
            unit => Self::Unit(Shape::new(1, unit)?),
        })
    }
}

/// Cuts texts into hashed tokens, one after the other, without allocating for each.
pub struct Cutter<'a> {
    cut: Cut,
    control: &'a Control,
    shingler: Shingler<'a>,
    tokens: Vec<u64>,
    piece: String,
}

impl<'a> Cutter<'a> {
    /// A cutter for texts of any length; in long ones it looks at `control`.
    #[must_use]
    pub fn new(cut: Cut, control: &'a Control) -> Self {
        let shape = if let Cut::Unit(shape) = cut {
            shape
        } else {
            Shape { width: 1, unit: crate::text::Unit::Space, fold: crate::fold::Fold::default() }
        };
        Self { cut, control, shingler: Shingler::new(shape, control), tokens: Vec::new(), piece: String::new() }
    }

    /// A hash per token of `text`, in order.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted).
    pub fn tokens(&mut self, text: &str) -> Result<&[u64]> {
        self.tokens.clear();
        let Self { cut, control, shingler, tokens, piece } = self;
        if let Cut::Unit(_) = cut {
            return shingler.tokens(text);
        }
        long::parts(text, Cuts::Spaces, control, |text| {
            match cut {
                Cut::Unit(_) => {}
                Cut::Pieces => {
                    let lower = text.to_lowercase();
                    tokens.extend(lower.split(is_space).filter(|word| !word.is_empty()).map(|word| short(word.as_bytes())));
                }
                Cut::Bare => text.split(is_space).for_each(|raw| {
                    piece.clear();
                    piece.extend(raw.chars().filter(|c| !c.is_ascii_punctuation()).map(|c| c.to_ascii_lowercase()));
                    if !piece.is_empty() {
                        tokens.push(short(piece.as_bytes()));
                    }
                }),
                Cut::Simplified => text.to_lowercase().split(is_space).for_each(|raw| {
                    piece.clear();
                    simplify(raw, piece);
                    treebank(piece, |word| tokens.push(short(word.as_bytes())));
                }),
            }
            Ok(())
        })?;
        Ok(&self.tokens)
    }
}

/// What `str.split()` of Python splits at.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// One piece between white space, as `simplify_text` leaves it.
fn simplify(raw: &str, piece: &mut String) {
    let kept = raw.chars().filter(|&c| !is_deleted(c));
    let mut in_number = false;
    let mut push = |c: char| {
        let digit = if c.is_ascii() { c.is_ascii_digit() } else { c.general_category() == GeneralCategory::DecimalNumber };
        if !digit {
            piece.push(c);
        } else if !in_number {
            piece.push('0');
        }
        in_number = digit;
    };
    if raw.is_ascii() {
        kept.for_each(&mut push)
    } else {
        kept.nfd().filter(|c| c.general_category() != GeneralCategory::NonspacingMark).for_each(&mut push)
    }
}

/// datatrove's punctuation: not quite all of Unicode's, and more than that.
fn is_deleted(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() || (c.is_ascii_control() && !matches!(c, '\t' | '\n'));
    }
    matches!(c, '\u{80}'..='\u{9f}') || "—”％１〈、━【「」，】；《„’“∶´．（–？！：～«〉》）。…►»".contains(c)
}

/// What NLTK's word tokenizer still finds to split in such a piece.
fn treebank(piece: &str, mut take: impl FnMut(&str)) {
    for part in piece.split_inclusive('‘') {
        let (word, quote) = part.strip_suffix('‘').map_or((part, ""), |word| (word, "‘"));
        let cut = match word {
            "cannot" | "gimme" | "gonna" | "gotta" | "lemme" | "wanna" => 3,
            _ => 0,
        };
        [&word[..cut], &word[cut..], quote].into_iter().filter(|part| !part.is_empty()).for_each(&mut take);
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Cutter, simplify, treebank};
    use crate::hash::short;
    use crate::parallel::Control;

    fn expect(cut: &str, text: &str, words: &[&str]) {
        let want: Vec<u64> = words.iter().map(|word| short(word.as_bytes())).collect();
        let control = Control::default();
        assert_eq!(Cutter::new(Cut::new(cut).unwrap(), &control).tokens(text).unwrap(), want, "{cut}: {text}");
        // A long text is read in parts, between which no token lies.
        let long = format!("{text} ").repeat((3 << 20) / (text.len() + 1));
        let count = long.len() / (text.len() + 1);
        if cut != "word" || !want.is_empty() {
            assert!(Cutter::new(Cut::new(cut).unwrap(), &control).tokens(&long).unwrap() == want.repeat(count), "{cut}: {text}, repeated");
        }
    }

    #[test]
    fn named_systems() {
        expect("open-r1", " It's\u{a0}A\u{1c}b-C, ÉT ", &["it's", "a", "b-c,", "ét"]);
        expect("gpt3", "It's - a b-C, ÉT", &["its", "a", "bc", "Ét"]);
        expect("datatrove", "It's ÉTÉ 3,500 x12y34; I cannot!", &["its", "ete", "0", "x0y0", "i", "can", "not"]);
        expect("word", "It's ÉT - 3,500", &["it's", "ét", "3,500"]);
        expect("datatrove", "!! \u{7}", &[]);
    }

    #[test]
    fn pieces_as_nltk_leaves_them() {
        let mut words = Vec::new();
        treebank("‘gonna‘x", |word| words.push(word.to_owned()));
        assert_eq!(words, ["‘", "gon", "na", "‘", "x"]);
        let mut piece = String::new();
        simplify("ｅ\u{301}١٢", &mut piece);
        assert_eq!(piece, "ｅ0");
    }
}
