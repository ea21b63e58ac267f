//! datatrove's Gopher and FineWeb filters, as measures.

use super::Reader;
use super::pythonic::{self, is_letter, is_space, len};
use super::share;
use super::terminal::{is_punctuation, is_terminal};
use crate::parallel::Control;

/// What `gopher:datatrove` measures, repetition first, in the order of its rules.
pub const GOPHER: [&str; 22] = [
    "characters",
    "duplicate_paragraph_share",
    "duplicate_paragraph_characters",
    "duplicate_line_share",
    "duplicate_line_characters",
    "top_2_gram",
    "top_3_gram",
    "top_4_gram",
    "duplicate_5_gram",
    "duplicate_6_gram",
    "duplicate_7_gram",
    "duplicate_8_gram",
    "duplicate_9_gram",
    "duplicate_10_gram",
    "words",
    "mean_word_length",
    "hash_ratio",
    "ellipsis_ratio",
    "bullet_line_share",
    "ellipsis_line_share",
    "alphabetic_word_share",
    "stop_words",
];

/// What `fineweb` measures.
pub const FINEWEB: [&str; 5] = ["lines", "punctuated_line_share", "short_line_share", "duplicate_line_characters", "newline_ratio"];

const STOP_WORDS: [&str; 8] = ["the", "be", "to", "of", "and", "that", "have", "with"];
const SHORT_LINE: u64 = 30;

/// Measures of one text, [`GOPHER`].
pub fn gopher(reader: &mut Reader, text: &str, words: &[&str], control: &Control, out: &mut Vec<f64>) {
    let characters = len(text);
    out.push(characters as f64);
    let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let paragraphs = reader.parts.count(newlines + 1, control.going(apart(text.trim_matches(is_space), 2)));
    out.extend([share(paragraphs.later, paragraphs.all), share(paragraphs.later_characters, characters)]);
    let lines = reader.parts.count(newlines + 1, control.going(apart(text, 1)));
    out.extend([share(lines.later, lines.all), share(lines.later_characters, characters)]);
    reader.grams.set(control.going(words.iter().copied()));
    out.extend(reader.grams.top_joined(words, control).map(|top| share(top, characters)));
    out.extend(reader.grams.repeated_joined(control).map(|repeated| share(repeated, characters)));
    quality(reader, text, words, control, out);
}

fn quality(reader: &Reader, text: &str, words: &[&str], control: &Control, out: &mut Vec<f64>) {
    let (mut real, mut real_characters, mut alphabetic, mut stops) = (0, 0, 0, 0_u8);
    for (word, length) in control.going(words.iter().zip(reader.grams.lengths())) {
        // A word that begins with a letter of ASCII, as most do, is neither a symbol nor without letters.
        let letter = word.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        if letter || word.chars().any(|c| !is_punctuation(c)) {
            real += 1;
            real_characters += length;
        }
        alphabetic += u64::from(letter || word.chars().any(is_letter));
        if let Some(at) = STOP_WORDS.iter().position(|stop| stop == word) {
            stops |= 1 << at;
        }
    }
    let (mut lines, mut bullets, mut dotted) = (0, 0, 0);
    for line in control.going(pythonic::lines(text)) {
        lines += 1;
        bullets += u64::from(line.trim_start_matches(is_space).starts_with(['•', '-']));
        let end = line.trim_end_matches(is_space);
        dotted += u64::from(end.ends_with("...") || end.ends_with('…'));
    }
    let hashes = memchr::memchr_iter(b'#', text.as_bytes()).count() as u64;
    let ellipses = (text.matches("...").count() + text.matches('…').count()) as u64;
    let all = words.len() as u64;
    out.extend([
        real as f64,
        share(real_characters, real),
        share(hashes, all),
        share(ellipses, all),
        share(bullets, lines),
        share(dotted, lines),
        share(alphabetic, all),
        f64::from(stops.count_ones()),
    ]);
}

/// What stands between runs of at least `least` newlines, as `re.split` gives it: ends may be empty.
fn apart(text: &str, least: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let here = rest?;
        let bytes = here.as_bytes();
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'\n', &bytes[from..]).map(|at| from + at) {
            let run = bytes[at..].iter().take_while(|&&byte| byte == b'\n').count();
            if run >= least {
                rest = Some(&here[at + run..]);
                return Some(&here[..at]);
            }
            from = at + run;
        }
        rest = None;
        Some(here)
    })
}

/// Measures of one text, [`FINEWEB`].
pub fn fineweb(reader: &mut Reader, text: &str, words: &[&str], control: &Control, out: &mut Vec<f64>) {
    let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64;
    let (mut lines, mut punctuated, mut short) = (0, 0, 0);
    for line in control.going(filled(text)) {
        lines += 1;
        punctuated += u64::from(line.ends_with(is_terminal));
        short += u64::from(line.len() as u64 <= SHORT_LINE || len(line) <= SHORT_LINE);
    }
    let repeated = reader.parts.count(newlines as usize + 1, control.going(filled(text))).later_characters;
    out.extend([
        lines as f64,
        share(punctuated, lines),
        share(short, lines),
        share(repeated, len(text) - newlines),
        share(newlines, words.len() as u64),
    ]);
}

/// Lines that are not blank.
fn filled(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.trim_start_matches(is_space).is_empty())
}
