//! Signals of one text: lengths, characters, repetition; one pass over its characters, one over its words.
//!
//! The definitions are in the docstring of `tunesmith.core.signals`; `tests/oracles/signals.py` is the slow twin.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::hash::{mix, short};
use crate::parallel::Control;

/// The signals that are counts, in order.
pub const COUNTS: [&str; 6] = ["characters", "words", "sentences", "lines", "longest_run", "longest_loop"];

/// The signals that are shares, means or bits, in order.
pub const MEASURES: [&str; 16] = [
    "mean_word_length",
    "alphabetic_share",
    "uppercase_share",
    "digit_share",
    "symbol_share",
    "duplicate_line_share",
    "rep_2",
    "rep_3",
    "rep_4",
    "distinct_1",
    "distinct_2",
    "diversity",
    "top_2_share",
    "top_3_share",
    "top_4_share",
    "entropy",
];

/// The signals of one text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signals {
    /// One number per name in [`COUNTS`].
    pub counts: [u32; COUNTS.len()],
    /// One number per name in [`MEASURES`].
    pub measures: [f64; MEASURES.len()],
}

/// Units of a loop: 1 to this many words.
const LONGEST_UNIT: usize = 6;
/// Texts per piece of parallel work.
const GRAIN: usize = 256;

/// The signals of every text; null stays null.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn signals(texts: &[Option<&str>], control: &Control) -> Result<Vec<Option<Signals>>> {
    let pieces: Vec<Vec<Option<Signals>>> =
        texts.par_chunks(GRAIN).map_init(Reader::default, |reader, piece| reader.piece(piece, control)).collect::<Result<_>>()?;
    Ok(pieces.concat())
}

/// [`signals`] in the calling thread.
///
/// # Errors
/// As [`signals`].
pub fn serial(texts: &[Option<&str>], control: &Control) -> Result<Vec<Option<Signals>>> {
    let mut reader = Reader::default();
    let mut all = Vec::with_capacity(texts.len());
    for piece in texts.chunks(GRAIN) {
        all.extend(reader.piece(piece, control)?);
    }
    Ok(all)
}

/// What a character is, as bits.
mod kind {
    pub const ALPHABETIC: u8 = 1;
    pub const UPPERCASE: u8 = 2;
    pub const DIGIT: u8 = 4;
    pub const SPACE: u8 = 8;
    /// Ends a sentence at the white space after it.
    pub const STOP: u8 = 16;
    /// May stand between a stop and that white space.
    pub const CLOSE: u8 = 32;
    /// Ends a sentence at once.
    pub const BORDER: u8 = 64;
}

fn kind_of(c: char) -> u8 {
    let bit = |holds: bool, bit: u8| if holds { bit } else { 0 };
    bit(c.is_alphabetic(), kind::ALPHABETIC)
        | bit(c.is_uppercase(), kind::UPPERCASE)
        | bit(c.is_numeric(), kind::DIGIT)
        | bit(c.is_whitespace(), kind::SPACE)
        | bit(matches!(c, '.' | '!' | '?' | '…' | '।' | '؟' | '۔'), kind::STOP)
        | bit(matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '}' | '*'), kind::CLOSE)
        | bit(matches!(c, '\n' | '。' | '！' | '？' | '｡'), kind::BORDER)
}

/// Scratch space, reused from text to text.
struct Reader {
    /// [`kind_of`] the ASCII characters.
    kinds: [u8; 128],
    ascii: [u32; 128],
    others: FxHashMap<char, u32>,
    /// n * log2(n) of small n.
    logarithms: Vec<f64>,
    words: Vec<Word>,
    lines: Counter,
    grams: Counter,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            kinds: std::array::from_fn(|byte| kind_of(char::from(byte as u8))),
            ascii: [0; 128],
            others: FxHashMap::default(),
            logarithms: (0..1024).map(weighted_logarithm).collect(),
            words: Vec::new(),
            lines: Counter::default(),
            grams: Counter::default(),
        }
    }
}

/// n * log2(n), 0 for 0.
fn weighted_logarithm(n: u32) -> f64 {
    if n == 0 { 0.0 } else { f64::from(n) * f64::from(n).log2() }
}

#[derive(Clone, Copy)]
struct Word {
    hash: u64,
    characters: u32,
}

/// What a pass over the characters counts.
#[derive(Default)]
struct Characters {
    all: u32,
    alphabetic: u32,
    uppercase: u32,
    digits: u32,
    symbols: u32,
    longest_run: u32,
    sentences: u32,
}

impl Characters {
    /// Count `times` characters of one kind.
    fn count(&mut self, kind: u8, times: u32) {
        self.all += times;
        let of = |bits: u8| if kind & bits == 0 { 0 } else { times };
        self.alphabetic += of(kind::ALPHABETIC);
        self.uppercase += of(kind::UPPERCASE);
        self.digits += of(kind::DIGIT);
        self.symbols += times - of(kind::ALPHABETIC | kind::DIGIT | kind::SPACE);
    }
}

impl Reader {
    fn piece(&mut self, texts: &[Option<&str>], control: &Control) -> Result<Vec<Option<Signals>>> {
        control.check()?;
        control.advance(texts.len());
        Ok(texts.iter().map(|text| text.map(|text| self.read(text))).collect())
    }

    fn read(&mut self, text: &str) -> Signals {
        let characters = self.characters(text);
        let (lines, duplicate_lines) = self.lines(text);
        self.words.clear();
        self.words.extend(text.split_whitespace().map(|word| Word { hash: short(word.as_bytes()), characters: count(word) }));
        let words = self.words.len() as u32;
        let in_words: u64 = self.words.iter().map(|word| u64::from(word.characters)).sum();
        let [one, two, three, four] = [1, 2, 3, 4].map(|n| self.grams(n));
        let top = |grams: Grams| share(grams.top_characters, u64::from(characters.all)).min(1.0);
        let of_all = |part: u32| share(u64::from(part), u64::from(characters.all));
        Signals {
            counts: [characters.all, words, characters.sentences, lines, characters.longest_run, self.longest_loop()],
            measures: [
                share(in_words, u64::from(words)),
                of_all(characters.alphabetic),
                share(u64::from(characters.uppercase), u64::from(characters.alphabetic)),
                of_all(characters.digits),
                of_all(characters.symbols),
                share(u64::from(duplicate_lines), u64::from(lines)),
                two.repeated,
                three.repeated,
                four.repeated,
                1.0 - one.repeated,
                1.0 - two.repeated,
                (1.0 - two.repeated) * (1.0 - three.repeated) * (1.0 - four.repeated),
                top(two),
                top(three),
                top(four),
                self.entropy(characters.all),
            ],
        }
    }

    fn characters(&mut self, text: &str) -> Characters {
        self.ascii.fill(0);
        self.others.clear();
        let mut found = Characters::default();
        let (mut last, mut run) = (None, 0);
        let (mut letter, mut ended) = (false, false);
        for c in text.chars() {
            let kind = if c.is_ascii() {
                self.ascii[c as usize] += 1;
                self.kinds[c as usize]
            } else {
                *self.others.entry(c).or_default() += 1;
                kind_of(c)
            };
            run = if last == Some(c) { run + 1 } else { 1 };
            last = Some(c);
            found.longest_run = found.longest_run.max(run);
            // A sentence counts at its border if it holds a letter.
            if kind & kind::BORDER != 0 || (ended && kind & kind::SPACE != 0) {
                found.sentences += u32::from(letter);
                (letter, ended) = (false, false);
            } else {
                ended = kind & kind::STOP != 0 || (ended && kind & kind::CLOSE != 0);
                letter |= kind & kind::ALPHABETIC != 0;
            }
        }
        found.sentences += u32::from(letter);
        for (&kind, &times) in self.kinds.iter().zip(&self.ascii) {
            found.count(kind, times);
        }
        for (&c, &times) in &self.others {
            found.count(kind_of(c), times);
        }
        found
    }

    /// Lines that are not blank, and how many of them repeat an earlier one.
    fn lines(&mut self, text: &str) -> (u32, u32) {
        self.lines.clear(text.len().min(memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1));
        let (mut lines, mut repeats) = (0, 0);
        for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
            lines += 1;
            repeats += u32::from(self.lines.add(short(line.as_bytes())) > 1);
        }
        (lines, repeats)
    }

    fn grams(&mut self, n: usize) -> Grams {
        let total = (self.words.len() + 1).saturating_sub(n);
        self.grams.clear(total);
        let (mut repeats, mut best, mut best_characters) = (0_u64, 1, 0_u64);
        for window in self.words.windows(n) {
            let hash = window.iter().fold(n as u64, |hash, word| mix(hash ^ word.hash).wrapping_add(word.hash.rotate_left(29)));
            let seen = self.grams.add(hash);
            if seen > 1 {
                repeats += 1;
                let characters = window.iter().map(|word| u64::from(word.characters)).sum::<u64>() + n as u64 - 1;
                if seen > best || (seen == best && characters > best_characters) {
                    (best, best_characters) = (seen, characters);
                }
            }
        }
        Grams { repeated: share(repeats, total as u64), top_characters: best_characters * u64::from(best) }
    }

    /// The most words that one unit of 1 to 6 words covers by following itself at once; 0 when none does.
    fn longest_loop(&self) -> u32 {
        let mut longest = 0;
        for unit in 1..=LONGEST_UNIT.min(self.words.len() / 2) {
            let mut run = 0;
            for i in unit..self.words.len() {
                run = if self.words[i].hash == self.words[i - unit].hash { run + 1 } else { 0 };
                if run >= unit {
                    longest = longest.max(run + unit);
                }
            }
        }
        longest as u32
    }

    /// Shannon entropy of the characters, in bits: log2(total) - sum of n * log2(n) / total.
    fn entropy(&self, total: u32) -> f64 {
        if total == 0 {
            return 0.0;
        }
        let weighted = |&n: &u32| self.logarithms.get(n as usize).copied().unwrap_or_else(|| weighted_logarithm(n));
        let mut others: Vec<u32> = self.others.values().copied().collect();
        others.sort_unstable(); // one order of summation, whatever the map's
        let sum = self.ascii.iter().map(weighted).sum::<f64>() + others.iter().map(weighted).sum::<f64>();
        (f64::from(total).log2() - sum / f64::from(total)).max(0.0)
    }
}

#[derive(Clone, Copy)]
struct Grams {
    repeated: f64,
    top_characters: u64,
}

/// `part / whole`; a share of nothing is 0.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn count(word: &str) -> u32 {
    if word.is_ascii() { word.len() as u32 } else { word.chars().count() as u32 }
}

/// Counts hashes in an open table that is emptied by raising a number.
#[derive(Default)]
struct Counter {
    slots: Vec<Slot>,
    mask: usize,
    generation: u32,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u64,
    generation: u32,
    count: u32,
}

impl Counter {
    /// Forget everything and make room for `most` hashes.
    fn clear(&mut self, most: usize) {
        let size = (most * 2).next_power_of_two().max(16);
        if size > self.slots.len() || self.generation == u32::MAX {
            self.slots = vec![Slot::default(); size.max(self.slots.len())];
            self.generation = 0;
        }
        self.generation += 1;
        self.mask = size - 1; // a short text stays within a few cache lines
    }

    /// How often `hash` was added since the last [`clear`](Self::clear), this time included.
    fn add(&mut self, hash: u64) -> u32 {
        let mut at = hash as usize & self.mask;
        loop {
            let slot = &mut self.slots[at];
            if slot.generation != self.generation {
                *slot = Slot { hash, generation: self.generation, count: 1 };
                return 1;
            }
            if slot.hash == hash {
                slot.count += 1;
                return slot.count;
            }
            at = (at + 1) & self.mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTS, MEASURES, signals};
    use crate::parallel::Control;

    fn value(text: &str, name: &str) -> f64 {
        let found = signals(&[Some(text)], &Control::default()).unwrap()[0].unwrap();
        COUNTS
            .iter()
            .position(|count| *count == name)
            .map_or_else(|| found.measures[MEASURES.iter().position(|measure| *measure == name).unwrap()], |at| f64::from(found.counts[at]))
    }

    #[test]
    fn lengths() {
        let text = "Hello \u{201c}World.\u{201d} Is it 3.5? Yes!\n\n1. done";
        assert_eq!(value(text, "words"), 8.0);
        assert_eq!(value(text, "sentences"), 4.0);
        assert_eq!(value(text, "lines"), 2.0);
        assert_eq!(value("你好。再见！", "sentences"), 2.0);
        assert_eq!(value("", "entropy"), 0.0);
        assert_eq!(value("aabb", "entropy"), 1.0);
    }

    #[test]
    fn repetition() {
        assert_eq!(value("a b a b a b", "rep_2"), 1.0 - 2.0 / 5.0);
        assert_eq!(value("a b a b a b", "longest_loop"), 6.0);
        assert_eq!(value("a b c", "longest_loop"), 0.0);
        assert_eq!(value("x a b a b y", "longest_loop"), 4.0);
        assert_eq!(value("a b c d", "rep_4"), 0.0);
        assert_eq!(value("ab cd ef ab cd", "top_2_share"), 10.0 / 14.0);
        assert_eq!(value("one two three", "top_2_share"), 0.0);
        assert_eq!(value("yes\n yes \nno", "duplicate_line_share"), 1.0 / 3.0);
        assert_eq!(value("aaab", "longest_run"), 3.0);
    }
}
