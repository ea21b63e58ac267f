//! BPE over characters, as SentencePiece has it: the whole text is one word. It falls into pieces wherever two
//! characters stand side by side that no token holds side by side: no merge reaches across, so that each piece has the
//! ids it has within the text.

use rustc_hash::{FxHashMap, FxHashSet};

use super::merges::Merges;
use super::patterns::ascii_letters;

/// The mark that stands for a space. In these tables a space is the mark, for the normalizer leaves no other spaces.
pub const MARK: char = '\u{2581}';

/// A mark is a space.
#[inline]
fn space(c: char) -> char {
    if c == MARK { ' ' } else { c }
}

/// The character at `at` and its length.
fn beyond_ascii(text: &str, at: usize) -> (char, usize) {
    text[at..].chars().next().map_or((' ', 1), |c| (space(c), c.len_utf8()))
}

/// What the characters of a text become, and which of them hold together.
pub struct Sentences {
    pub merges: Merges,
    /// By the character; [`u32::MAX`] for none.
    ascii: Box<[u32; 128]>,
    others: FxHashMap<char, u32>,
    /// Tokens for the bytes of a character that has none.
    bytes: Box<[u32; 256]>,
    /// Whether some token holds the one ASCII character before the other.
    joined: Box<[[bool; 128]; 128]>,
    joined_others: FxHashSet<(char, char)>,
    /// Every mark starts a word, wherever it stands.
    words: bool,
}

const NONE: u32 = u32::MAX;

impl Sentences {
    /// `characters` are the tokens of one character, `products` the spellings of all tokens that merges make.
    pub fn new<'a>(
        merges: Merges,
        characters: impl Iterator<Item = (char, u32)>,
        bytes: [u32; 256],
        products: impl Iterator<Item = &'a str>,
        words: bool,
    ) -> Self {
        let mut made = Self {
            merges,
            ascii: [NONE; 128].into(),
            others: FxHashMap::default(),
            bytes: bytes.into(),
            joined: vec![[false; 128]; 128].try_into().unwrap_or_else(|_| unreachable!("128 rows")),
            joined_others: FxHashSet::default(),
            words,
        };
        for (c, id) in characters.filter(|(c, _)| *c != ' ') {
            match u32::from(space(c)) {
                code @ 0..128 => made.ascii[code as usize] = id,
                _ => _ = made.others.insert(c, id),
            }
        }
        for product in products.filter(|product| !product.contains(' ')) {
            let mut before = None;
            for c in product.chars().map(space) {
                match before {
                    Some(before) if char::is_ascii(&before) && c.is_ascii() => made.joined[before as usize][c as usize] = true,
                    Some(before) => _ = made.joined_others.insert((before, c)),
                    None => {}
                }
                before = Some(c);
            }
        }
        made
    }

    /// Call `take(start, end)` with each piece.
    #[inline]
    pub fn pieces(&self, text: &str, mut take: impl FnMut(usize, usize)) {
        let bytes = text.as_bytes();
        let (mut start, mut at) = (0, 0);
        let mut before = None;
        while let Some(&byte) = bytes.get(at) {
            let (c, len) = if byte < 0x80 { (char::from(byte), 1) } else { beyond_ascii(text, at) };
            if let Some(before) = before
                && self.is_cut(before, c)
            {
                take(start, at);
                start = at;
            }
            at += len;
            before = Some(c);
            // Words are left whole: to look within them would find little.
            if byte.is_ascii_alphabetic() {
                let end = ascii_letters(bytes, at);
                if end > at {
                    at = end;
                    before = Some(char::from(bytes[end - 1]));
                }
            }
        }
        if start < at {
            take(start, at);
        }
    }

    #[inline]
    fn is_cut(&self, before: char, c: char) -> bool {
        if self.words && c == ' ' {
            true
        } else if before.is_ascii() && c.is_ascii() {
            !self.joined[before as usize][c as usize]
        } else {
            !self.joined_others.contains(&(before, c))
        }
    }

    /// The symbols of a piece before any merge.
    pub fn symbols(&self, piece: &str, symbols: &mut Vec<u32>) {
        symbols.clear();
        for c in piece.chars().map(space) {
            let id = if c.is_ascii() { self.ascii[c as usize] } else { self.others.get(&c).copied().unwrap_or(NONE) };
            if id != NONE {
                symbols.push(id);
            } else {
                let mut spelt = [0; 4];
                let c = if c == ' ' { MARK } else { c };
                symbols.extend(c.encode_utf8(&mut spelt).bytes().map(|byte| self.bytes[usize::from(byte)]));
            }
        }
    }
}
