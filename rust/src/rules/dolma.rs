//! dolma's tagger `gopher_v1`, as measures.

use super::pythonic::is_letter;
use super::{Reader, share};
use crate::parallel::Control;

/// What `gopher:dolma` measures, in the order of its rules; the names are the tagger's own.
pub const GOPHER: [&str; 18] = [
    "word_count",
    "median_word_length",
    "symbol_to_word_ratio",
    "fraction_of_words_with_alpha_character",
    "required_word_count",
    "fraction_of_lines_starting_with_bullet_point",
    "fraction_of_lines_ending_with_ellipsis",
    "fraction_of_duplicate_lines",
    "fraction_of_characters_in_duplicate_lines",
    "fraction_of_characters_in_most_common_2grams",
    "fraction_of_characters_in_most_common_3grams",
    "fraction_of_characters_in_most_common_4grams",
    "fraction_of_characters_in_duplicate_5grams",
    "fraction_of_characters_in_duplicate_6grams",
    "fraction_of_characters_in_duplicate_7grams",
    "fraction_of_characters_in_duplicate_8grams",
    "fraction_of_characters_in_duplicate_9grams",
    "fraction_of_characters_in_duplicate_10grams",
];

/// Measures of one text, [`GOPHER`], to five decimals as the tagger writes them.
pub fn gopher(reader: &mut Reader, text: &str, words: &[&str], control: &Control, out: &mut Vec<f64>) {
    let from = out.len();
    reader.grams.set(control.going(words.iter().copied()));
    let (mut symbols, mut alphabetic, mut required) = (0, 0, 0);
    for word in control.going(words.iter()) {
        let plain = word.bytes().all(|byte| byte.is_ascii_alphabetic()) && !word.is_empty();
        symbols += u64::from(!plain && word.contains(['#', '…']));
        alphabetic += u64::from(plain || word.chars().any(is_letter));
        required += u64::from(matches!(*word, "the" | "be" | "to" | "of" | "and" | "that" | "have" | "with"));
    }
    let (mut lines, mut bullets, mut dotted) = (0, 0, 0);
    for line in control.going(text.split('\n')) {
        lines += 1;
        bullets += u64::from(line.starts_with(['*', '-']));
        dotted += u64::from(line.ends_with('…'));
    }
    let repeated = reader.parts.count(lines as usize, control.going(text.split('\n')));
    let all = words.len() as u64;
    let characters = reader.grams.characters();
    let (top, later) = reader.grams.alike(words, control);
    let median = median(&mut reader.lengths, reader.grams.lengths());
    out.extend([
        all as f64,
        median,
        share(symbols, all),
        share(alphabetic, all),
        required as f64,
        share(bullets, lines),
        share(dotted, lines),
        share(repeated.alike, repeated.all),
        repeated.alike_characters as f64 / characters.max(1) as f64,
    ]);
    out.extend(top.map(|top| share(top, characters)));
    out.extend(later.map(|(part, all)| share(part, all)));
    if text.is_empty() {
        out[from..].fill(0.0);
    }
    for value in &mut out[from..] {
        *value = rounded(*value);
    }
}

fn median(lengths: &mut Vec<u64>, all: impl Iterator<Item = u64>) -> f64 {
    lengths.clear();
    lengths.extend(all);
    if lengths.is_empty() {
        return 0.0;
    }
    let (size, middle) = (lengths.len(), lengths.len() / 2);
    let (below, &mut high, _) = lengths.select_nth_unstable(middle);
    match below.iter().max() {
        Some(&low) if size % 2 == 0 => (low + high) as f64 / 2.0,
        _ => high as f64,
    }
}

/// Python's `round(value, 5)`: the nearest decimal of the exact binary value, halves to even.
fn rounded(value: f64) -> f64 {
    let scaled = value * 1e5;
    if scaled.fract() == 0.0 && value.fract() == 0.0 {
        value
    } else if (scaled.fract() - 0.5).abs() > 1e-6 {
        scaled.round() / 1e5
    } else {
        format!("{value:.5}").parse().unwrap_or(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{median, rounded};

    #[test]
    fn rounds_as_python_does() {
        // 1/64 and 3/64 lie exactly between two decimals, 0.285235 beside.
        assert_eq!([1.0 / 64.0, 3.0 / 64.0, 0.285_235, 2.0 / 3.0, 4.0].map(rounded), [0.01562, 0.04688, 0.28524, 0.66667, 4.0]);
    }

    #[test]
    fn medians() {
        let of = |lengths: &[u64]| median(&mut Vec::new(), lengths.iter().copied());
        assert_eq!([of(&[]), of(&[3]), of(&[5, 1]), of(&[9, 1, 4]), of(&[4, 1, 3, 2])], [0.0, 3.0, 3.0, 4.0, 2.5]);
    }
}
