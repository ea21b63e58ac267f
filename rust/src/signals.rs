//! Signals of one text: lengths, characters, scripts, repetition, compression; one pass over its characters, one over its words.
//!
//! The definitions are in the docstring of `tunesmith.core.signals`; `tests/oracles/signals.py` is the slow twin.

mod repeats;
mod script;
mod wide;

use rayon::prelude::*;

use crate::counter::Counter;
use crate::deflate::Deflate;
use crate::error::Result;
use crate::hash::short;
use crate::long::{self, Cuts};
use crate::parallel::Control;
use repeats::Repeats;
use script::SCRIPTS;
use wide::Wide;

/// The signals that are counts, in order.
pub const COUNTS: [&str; 6] = ["characters", "words", "sentences", "lines", "longest_run", "longest_loop"];

/// The signals that are shares, means or bits, in order.
pub const MEASURES: [&str; 35] = [
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
    "duplicate_line_characters",
    "duplicate_5_share",
    "duplicate_6_share",
    "duplicate_7_share",
    "duplicate_8_share",
    "duplicate_9_share",
    "duplicate_10_share",
    "compression_ratio",
    "latin_share",
    "greek_share",
    "cyrillic_share",
    "arabic_share",
    "hebrew_share",
    "devanagari_share",
    "thai_share",
    "hangul_share",
    "kana_share",
    "han_share",
    "other_script_share",
];

/// The signals of one text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signals {
    /// One number per name in [`COUNTS`].
    pub counts: [u32; COUNTS.len()],
    /// One number per name in [`MEASURES`].
    pub measures: [f64; MEASURES.len()],
}

/// Texts per piece of parallel work.
const GRAIN: usize = 256;

/// The signals of every text; null stays null. Compression costs as much as all the others: where it is not asked, it is 0.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn signals(texts: &[Option<&str>], compress: bool, control: &Control) -> Result<Vec<Option<Signals>>> {
    let pieces: Vec<Vec<Option<Signals>>> =
        texts.par_chunks(GRAIN).map_init(|| Reader::new(compress), |reader, piece| reader.piece(piece, control)).collect::<Result<_>>()?;
    Ok(pieces.concat())
}

/// [`signals`] in the calling thread.
///
/// # Errors
/// As [`signals`].
pub fn serial(texts: &[Option<&str>], compress: bool, control: &Control) -> Result<Vec<Option<Signals>>> {
    let mut reader = Reader::new(compress);
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
    others: Wide,
    /// n * log2(n) of small n.
    logarithms: Vec<f64>,
    repeats: Repeats,
    lines: Counter,
    deflate: Option<Deflate>,
}

impl Reader {
    fn new(compress: bool) -> Self {
        Self {
            kinds: std::array::from_fn(|byte| kind_of(char::from(byte as u8))),
            ascii: [0; 128],
            others: Wide::default(),
            logarithms: (0..1024).map(weighted_logarithm).collect(),
            repeats: Repeats::default(),
            lines: Counter::default(),
            deflate: compress.then(Deflate::default),
        }
    }
}

/// n * log2(n), 0 for 0.
fn weighted_logarithm(n: u32) -> f64 {
    if n == 0 { 0.0 } else { f64::from(n) * f64::from(n).log2() }
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
    scripts: [u32; SCRIPTS.len()],
}

/// What the next character is looked at with.
#[derive(Clone, Copy, Default)]
struct OnTheWay {
    last: Option<char>,
    run: u32,
    longest_run: u32,
    sentences: u32,
    letter: bool,
    ended: bool,
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
        let mut found = Vec::with_capacity(texts.len());
        for text in texts {
            found.push(text.map(|text| self.read(text, control)));
            control.check()?; // what was stopped within a text is cut short
        }
        control.advance(texts.len());
        Ok(found)
    }

    fn read(&mut self, text: &str, control: &Control) -> Signals {
        let characters = self.characters(text, control);
        let (lines, duplicate_lines, in_duplicate_lines) = self.lines(text, control);
        let spaces = self.ascii.iter().zip(&self.kinds).map(|(times, kind)| if kind & kind::SPACE == 0 { 0 } else { *times as usize });
        // Only texts with other spaces have more words than ASCII's spaces part, and those are no shorter than their words.
        let most = if text.is_ascii() { spaces.sum::<usize>() + 1 } else { text.len() / 2 + 1 };
        let (words, in_words) = self.repeats.read(most, control.going(text.split_whitespace()), control);
        let compressed = self.deflate.as_mut().map_or(0, |deflate| deflate.size(text.as_bytes(), control) as u64);
        let compressed = share(text.len() as u64, compressed);
        let found = &self.repeats;
        let all = u64::from(characters.all);
        let of_all = |part: u32| share(u64::from(part), all);
        let [two, three, four] = [2, 3, 4].map(|n| found.repeated[n]);
        let top = |n: usize| share(found.top[n], all).min(1.0);
        let covered = |n: usize| share(found.covered[n], in_words);
        let of_letters = |part: u32| share(u64::from(part), u64::from(characters.alphabetic));
        let scripts = characters.scripts.map(of_letters);
        let [latin, greek, cyrillic, arabic, hebrew, devanagari, thai, hangul, kana, han] = scripts;
        Signals {
            counts: [characters.all, words as u32, characters.sentences, lines, characters.longest_run, found.longest_loop],
            measures: [
                share(in_words, words),
                of_all(characters.alphabetic),
                of_letters(characters.uppercase),
                of_all(characters.digits),
                of_all(characters.symbols),
                share(u64::from(duplicate_lines), u64::from(lines)),
                two,
                three,
                four,
                1.0 - found.repeated[1],
                1.0 - two,
                (1.0 - two) * (1.0 - three) * (1.0 - four),
                top(2),
                top(3),
                top(4),
                self.entropy(characters.all),
                share(in_duplicate_lines, all),
                covered(5),
                covered(6),
                covered(7),
                covered(8),
                covered(9),
                covered(10),
                compressed,
                latin,
                greek,
                cyrillic,
                arabic,
                hebrew,
                devanagari,
                thai,
                hangul,
                kana,
                han,
                of_letters(characters.alphabetic - characters.scripts.iter().sum::<u32>()),
            ],
        }
    }

    fn characters(&mut self, text: &str, control: &Control) -> Characters {
        self.ascii.fill(0);
        self.others.clear();
        let mut on_the_way = OnTheWay::default();
        // Cut short when stopped; whoever reads the text asks.
        let _ = long::parts(text, Cuts::Words, control, |part| {
            on_the_way = self.part(part, on_the_way);
            Ok(())
        });
        let OnTheWay { longest_run, sentences, letter, .. } = on_the_way;
        let mut found = Characters { longest_run, sentences: sentences + u32::from(letter), ..Characters::default() };
        for (&kind, &times) in self.kinds.iter().zip(&self.ascii) {
            found.count(kind, times);
        }
        found.scripts[0] = found.alphabetic; // the letters of ASCII are Latin
        for (kind, script, times) in self.others.each() {
            found.count(kind, times);
            if let Some(script) = script {
                found.scripts[script] += times;
            }
        }
        found
    }

    /// Go through the characters of a part of a text. By value, so that all of it stays in registers.
    fn part(&mut self, part: &str, mut so_far: OnTheWay) -> OnTheWay {
        for c in part.chars() {
            let kind = if c.is_ascii() {
                self.ascii[c as usize] += 1;
                self.kinds[c as usize]
            } else {
                self.others.add(c)
            };
            so_far.run = if so_far.last == Some(c) { so_far.run + 1 } else { 1 };
            so_far.last = Some(c);
            so_far.longest_run = so_far.longest_run.max(so_far.run);
            // A sentence counts at its border if it holds a letter.
            if kind & kind::BORDER != 0 || (so_far.ended && kind & kind::SPACE != 0) {
                so_far.sentences += u32::from(so_far.letter);
                (so_far.letter, so_far.ended) = (false, false);
            } else {
                so_far.ended = kind & kind::STOP != 0 || (so_far.ended && kind & kind::CLOSE != 0);
                so_far.letter |= kind & kind::ALPHABETIC != 0;
            }
        }
        so_far
    }

    /// Lines that are not blank, how many of them repeat an earlier one, and the characters of those.
    fn lines(&mut self, text: &str, control: &Control) -> (u32, u32, u64) {
        self.lines.clear(text.len().min(memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1));
        let (mut lines, mut repeats, mut characters) = (0, 0, 0);
        for line in control.going(text.split('\n')).map(str::trim).filter(|line| !line.is_empty()) {
            lines += 1;
            if self.lines.seen(short(line.as_bytes())) {
                repeats += 1;
                characters += count(line);
            }
        }
        (lines, repeats, characters)
    }

    /// Shannon entropy of the characters, in bits: log2(total) - sum of n * log2(n) / total.
    fn entropy(&self, total: u32) -> f64 {
        if total == 0 {
            return 0.0;
        }
        let weighted = |&n: &u32| self.logarithms.get(n as usize).copied().unwrap_or_else(|| weighted_logarithm(n));
        let others = self.others.each().map(|(_, _, times)| weighted(&times));
        let sum = self.ascii.iter().map(weighted).sum::<f64>() + others.sum::<f64>();
        (f64::from(total).log2() - sum / f64::from(total)).max(0.0)
    }
}

/// `part / whole`; a share of nothing is 0.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn count(word: &str) -> u64 {
    if word.is_ascii() { word.len() as u64 } else { word.chars().count() as u64 }
}

#[cfg(test)]
mod tests {
    use super::{COUNTS, MEASURES, signals};
    use crate::parallel::Control;

    fn value(text: &str, name: &str) -> f64 {
        let found = signals(&[Some(text)], true, &Control::default()).unwrap()[0].unwrap();
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
        assert_eq!(value("ab你好", "han_share"), 0.5);
        assert_eq!(value(&"abc".repeat(100), "compression_ratio"), 300.0 / 16.0);
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
        assert_eq!(value("yes\n yes \nno", "duplicate_line_characters"), 3.0 / 12.0);
        assert_eq!(value("a b c d e f a b c d e f", "duplicate_5_share"), 0.5);
        assert_eq!(value("a b c d e f a b c d e f", "duplicate_7_share"), 0.0);
    }
}
