//! Words and shingles: the units in which texts are compared.
//!
//! A shingle is `width` neighbouring tokens; a text with fewer tokens is one shingle, and a text without
//! any token is compared as the raw text it is. Shingles are known by a 64-bit hash.

use unicode_normalization::char::is_combining_mark;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::{Error, Result};
use crate::fold::Fold;
use crate::hash::{mix, short};
use crate::long::{self, Cuts, STEPS};
use crate::parallel::Control;
use crate::text::{self, Unit};

/// How texts become sets of shingles.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Tokens in a shingle, at least 1.
    pub width: usize,
    /// What counts as one token.
    pub unit: Unit,
    /// What is folded before.
    pub fold: Fold,
}

impl Shape {
    /// Texts are folded in nothing.
    ///
    /// # Errors
    /// [`Error::Option`] for a width of 0 or an unknown unit.
    pub fn new(width: usize, unit: &str) -> Result<Self> {
        if width == 0 {
            return Err(Error::Option("shingle: found 0, expected at least 1 token".into()));
        }
        let unit = match unit {
            "word" => Unit::Word,
            "space" => Unit::Space,
            "piece" => Unit::Piece,
            "character" => Unit::Character,
            other => return Err(Error::Option(format!("unit: found \"{other}\", expected word, space, piece or character"))),
        };
        Ok(Self { width, unit, fold: Fold::default() })
    }
}

/// Turns texts into shingles, one after the other, without allocating for each.
pub struct Shingler<'a> {
    shape: Shape,
    control: &'a Control,
    factors: Vec<u64>,
    tokens: Vec<u64>,
    folded: String,
    lower: Vec<u8>,
    bits: WordBits,
}

impl<'a> Shingler<'a> {
    /// A shingler for texts of any length; in long ones it looks at `control`.
    #[must_use]
    pub fn new(shape: Shape, control: &'a Control) -> Self {
        // Odd factors: position in the shingle counts, and no bit of a token's hash is lost.
        let factors = (1..=shape.width as u64).map(|place| mix(place) | 1).collect();
        Self { shape, control, factors, tokens: Vec::new(), folded: String::new(), lower: Vec::new(), bits: WordBits::default() }
    }

    /// A hash per token of `text`, in order.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn tokens(&mut self, text: &str) -> Result<&[u64]> {
        self.tokenize(text)?;
        Ok(&self.tokens)
    }

    fn tokenize(&mut self, text: &str) -> Result<()> {
        self.tokens.clear();
        let Self { shape, tokens, folded, lower, bits, .. } = self;
        let cuts = match shape.unit {
            Unit::Word | Unit::Character => Cuts::Words,
            Unit::Space => Cuts::Spaces,
            Unit::Piece => Cuts::Marks,
        };
        let mut first = true;
        long::parts(text, cuts, self.control, |part| {
            // What a part begins with stands between two pieces; it would be the border of a third.
            let mut read = if shape.unit == Unit::Piece && !first { &part[part.chars().next().map_or(0, char::len_utf8)..] } else { part };
            first = false;
            if !shape.fold.is_nothing() {
                shape.fold.text(read, folded);
                read = folded;
            }
            match shape.unit {
                Unit::Word => words(read, lower, bits, |word| tokens.push(short(word))),
                Unit::Character => tokens.extend(read.chars().map(|c| mix(u64::from(u32::from(c)) + 1))),
                unit => text::units(read, unit, |token| tokens.push(short(token.as_bytes()))),
            }
            Ok(())
        })?;
        if self.shape.unit == Unit::Piece && self.tokens.iter().all(|&token| token == short(b"")) {
            self.tokens.clear(); // nothing between the marks
        }
        Ok(())
    }

    /// Append the hashes of `text`'s shingles in their order, repeats included, to `shingles`; at least one.
    /// Returns a 128-bit identity of the token sequence: texts that share it have the same shingles.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn push(&mut self, text: &str, shingles: &mut Vec<u64>) -> Result<u128> {
        self.tokenize(text)?;
        let start = shingles.len();
        let seed = |count: usize| mix(count as u64 + 1);
        if self.tokens.is_empty() {
            shingles.push(xxh3_64_with_seed(text.as_bytes(), seed(0)));
        } else {
            let width = self.shape.width.min(self.tokens.len());
            let factors = &self.factors[..width];
            for first in (0..=self.tokens.len() - width).step_by(STEPS) {
                self.control.check()?;
                let tokens = &self.tokens[first..self.tokens.len().min(first + STEPS + width - 1)];
                match width {
                    // The default width, unrolled by the compiler.
                    5 => shingles.extend(tokens.windows(5).map(|window| hash_shingle(window, &factors[..5], seed(5)))),
                    _ => shingles.extend(tokens.windows(width).map(|window| hash_shingle(window, factors, seed(width)))),
                }
            }
        }
        identity(&shingles[start..], self.control)
    }

    /// The set of `text`'s shingles: sorted, without repeats, never empty.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn set(&mut self, text: &str) -> Result<Vec<u64>> {
        let mut shingles = Vec::new();
        self.push(text, &mut shingles)?;
        long::distinct(shingles, self.control)
    }
}

#[inline(always)]
fn hash_shingle(window: &[u64], factors: &[u64], seed: u64) -> u64 {
    mix(window.iter().zip(factors).fold(seed, |sum, (&token, &factor)| sum.wrapping_add(token.wrapping_mul(factor))))
}

fn identity(shingles: &[u64], control: &Control) -> Result<u128> {
    let (mut low, mut high) = (shingles.len() as u64, 0x9e37_79b9_7f4a_7c15_u64);
    for shingles in shingles.chunks(STEPS) {
        control.check()?;
        for &shingle in shingles {
            low = (low ^ shingle).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31);
            high = (high.rotate_left(23) ^ shingle).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        }
    }
    Ok(u128::from(mix(low)) << 64 | u128::from(mix(high)))
}

/// |A ∩ B| / |A ∪ B| of two sorted sets; two empty sets are not compared (a set of shingles is never empty).
///
/// # Errors
/// [`Error::Interrupted`].
pub fn jaccard(a: &[u64], b: &[u64], control: &Control) -> Result<f64> {
    let (mut i, mut j, mut shared) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        control.check()?;
        let (stop_a, stop_b) = (a.len().min(i + STEPS), b.len().min(j + STEPS));
        while i < stop_a && j < stop_b {
            let (x, y) = (a[i], b[j]);
            shared += usize::from(x == y);
            i += usize::from(x <= y);
            j += usize::from(y <= x);
        }
    }
    Ok(shared as f64 / (a.len() + b.len() - shared) as f64)
}

/// The words of [`text::words`], lower-cased, several times as fast where the text is ASCII: as a whole, else
/// between its spaces and line ends, which no rule of segmentation or case looks across.
fn words(text: &str, lower: &mut Vec<u8>, bits: &mut WordBits, mut each: impl FnMut(&[u8])) {
    let general = |piece: &str, each: &mut dyn FnMut(&[u8])| text::words(&piece.to_lowercase(), |word| each(word.as_bytes()));
    let mut ascii = |piece: &str, each: &mut dyn FnMut(&[u8])| {
        lower.clear();
        lower.extend_from_slice(piece.as_bytes());
        lower.make_ascii_lowercase();
        ascii_words(lower, bits, each);
    };
    if text.is_ascii() {
        return ascii(text, &mut each);
    }
    let pieces = || text.split([' ', '\n']);
    if !pieces().all(|piece| piece.is_empty() || piece.starts_with(stands_alone)) {
        return general(text, &mut each);
    }
    for piece in pieces() {
        if piece.is_ascii() {
            ascii(piece, &mut each);
        } else {
            general(piece, &mut each);
        }
    }
}

/// Whether a character after a space begins something new: a mark or joiner there belongs to the space.
#[must_use]
pub fn stands_alone(c: char) -> bool {
    c.is_ascii()
        || (c.is_alphanumeric() && !is_combining_mark(c))
        || matches!(c, '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{bf}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}')
}

/// Which bytes of a text are letters, digits or `_`: a bit each, so that words are found by counting bits.
#[derive(Default)]
struct WordBits(Vec<u64>);

impl WordBits {
    fn set(&mut self, text: &[u8]) {
        let block = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |bits, &byte| bits << 1 | u64::from(IS_WORD[usize::from(byte)]));
        self.0.clear();
        self.0.extend(text.chunks(64).map(block));
        self.0.push(0); // whatever is sought, it ends here
    }

    /// The first place from `at` on that holds a word byte; none beyond the text.
    #[inline]
    fn start(&self, at: usize) -> Option<usize> {
        let mut block = at / 64;
        let mut bits = *self.0.get(block)? >> (at % 64) << (at % 64);
        while bits == 0 {
            block += 1;
            bits = *self.0.get(block)?;
        }
        Some(block * 64 + bits.trailing_zeros() as usize)
    }

    /// The first place from `at` on that holds none.
    #[inline]
    fn end(&self, at: usize) -> usize {
        let mut block = at / 64;
        let mut bits = !self.0[block] >> (at % 64) << (at % 64);
        while bits == 0 {
            block += 1;
            bits = !self.0[block];
        }
        block * 64 + bits.trailing_zeros() as usize
    }
}

const IS_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    table
};

/// The rules of UAX 29 as far as ASCII goes: letters, digits and `_` join; `'` `.` `:` join two letters,
/// `'` `.` `,` `;` join two digits. Equal to [`text::words`] and several times as fast.
fn ascii_words(text: &[u8], bits: &mut WordBits, mut each: impl FnMut(&[u8])) {
    bits.set(text);
    let mut at = 0;
    while let Some(start) = bits.start(at) {
        let mut end = bits.end(start);
        while joins(text, end) {
            end = bits.end(end + 1);
        }
        if text[start] != b'_' || text[start..end].iter().any(u8::is_ascii_alphanumeric) {
            each(&text[start..end]);
        }
        at = end + 1;
    }
}

/// Whether the byte at `at`, which follows a word, joins it to the next.
#[inline]
#[must_use]
pub fn joins(text: &[u8], at: usize) -> bool {
    let (Some(&here), Some(&after)) = (text.get(at), text.get(at + 1)) else { return false };
    let before = text[at - 1];
    let letters = before.is_ascii_alphabetic() && after.is_ascii_alphabetic();
    let digits = before.is_ascii_digit() && after.is_ascii_digit();
    match here {
        b'\'' | b'.' => letters || digits,
        b':' => letters,
        b',' | b';' => digits,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{STEPS, Shape, Shingler, WordBits, hash_shingle, jaccard, words};
    use crate::fold::Fold;
    use crate::hash::{mix, short};
    use crate::parallel::Control;
    use crate::text::{self, Unit};

    #[test]
    fn short_texts_are_whole() {
        let control = Control::default();
        let mut shingler = Shingler::new(Shape::new(5, "word").unwrap(), &control);
        let mut set = |text| shingler.set(text).unwrap();
        let (a, b) = (set("one two"), set("one two three"));
        let similarity = |a: &[u64], b: &[u64]| jaccard(a, b, &control).unwrap();
        assert_eq!((a.len(), b.len(), similarity(&a, &b)), (1, 1, 0.0));
        assert_eq!(similarity(&a, &set("One, two!")), 1.0);
        assert_ne!(set("!!"), set("??"));
        assert_ne!(set(""), set("?"));
    }

    /// Tokens and shingles of a long text by the way of a short one.
    fn check_long(text: &str, unit: &str, fold: Fold) {
        let (control, shape) = (Control::default(), Shape { fold, ..Shape::new(2, unit).unwrap() });
        let mut read = text.to_owned();
        if !fold.is_nothing() {
            fold.text(text, &mut read);
        }
        let mut wanted = Vec::new();
        match shape.unit {
            Unit::Character => wanted.extend(read.chars().map(|c| mix(u64::from(u32::from(c)) + 1))),
            unit => text::units(&read, unit, |token| wanted.push(short(token.as_bytes()))),
        }
        let mut shingler = Shingler::new(shape, &control);
        assert!(shingler.tokens(text).unwrap() == wanted, "{unit} {fold:?}");
        if wanted.len() < 2 {
            return;
        }
        let (mut shingles, factors) = (Vec::new(), [mix(1) | 1, mix(2) | 1]);
        shingler.push(text, &mut shingles).unwrap();
        let wanted: Vec<u64> = wanted.windows(2).map(|window| hash_shingle(window, &factors, mix(3))).collect();
        assert!(shingles == wanted, "{unit} {fold:?}");
    }

    #[test]
    fn a_long_text_has_the_shingles_of_the_whole() {
        let mixed = "No. 3,5 Été ΟΔΥΣΣΕΥΣ «x»\u{a0}今日本語は。、,a\u{301}  b\n".repeat(50_000);
        let unspaced = "今日は。良い、天気".repeat(120_000);
        assert!(mixed.len() > 3 << 20 && unspaced.len() > 3 << 20);
        for text in [mixed, unspaced] {
            for unit in ["word", "space", "piece", "character"] {
                for fold in [Fold::default(), Fold { numbers: true, marks: true }] {
                    check_long(&text, unit, fold);
                }
            }
        }
    }

    #[test]
    fn large_sets_are_compared_to_their_ends() {
        let (a, b): (Vec<u64>, Vec<u64>) = ((0..3 * STEPS as u64).collect(), (STEPS as u64..5 * STEPS as u64).collect());
        assert_eq!(jaccard(&a, &b, &Control::default()), Ok(0.4));
        assert_eq!(jaccard(&b, &a, &Control::default()), Ok(0.4));
    }

    proptest! {
        #[test]
        fn fast_words_are_the_words(text in "[a-z0-9_'.,:;A-Z -]{0,140}", any in "[ aZ1_'.:,\n\tßΣİ\u{301}\u{e34}\u{200d}\u{ad}“ℹカ日🏻🇩\u{a0}-]{0,30}") {
            for text in [format!("{text} é"), text, any] {
                let (mut fast, mut plain) = (Vec::new(), Vec::new());
                words(&text, &mut Vec::new(), &mut WordBits::default(), |word| fast.push(String::from_utf8(word.to_vec()).unwrap()));
                text::words(&text.to_lowercase(), |word| plain.push(word.to_owned()));
                prop_assert_eq!(fast, plain, "{:?}", text);
            }
        }
    }
}
