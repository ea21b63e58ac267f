//! What is too long to be worked on in one go: texts in parts, lists in pieces, so that Ctrl-C is heard within them.

use crate::error::Result;
use crate::parallel::{Control, map};

/// Bytes of a text between two looks at the control.
const PART: usize = 1 << 20;
/// Steps of an inner loop, a few nanoseconds each, between two looks.
pub const STEPS: usize = 1 << 20;
/// Numbers that are sorted in one go.
const PIECE: usize = 1 << 21;

/// Where else a text may be cut but before spaces and line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cuts {
    /// Nowhere.
    Spaces,
    /// Between two Han characters, too: where each is a word of its own.
    Words,
    /// Before East Asian stops and commas, too.
    Marks,
}

/// Call `work` with each part of `text`: all of it at once if it is short, else stretches of about a megabyte.
///
/// A part begins at a space or line end that no white space stands before, and takes it along. Such a place is a border of
/// words (UAX 29), and neither case nor any normalization looks across it.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted), and those of `work`.
#[inline]
pub fn parts<'a>(text: &'a str, cuts: Cuts, control: &Control, mut work: impl FnMut(&'a str) -> Result<()>) -> Result<()> {
    let mut rest = text;
    loop {
        let end = if rest.len() <= PART { rest.len() } else { cut(rest, PART, cuts) };
        let (part, others) = rest.split_at(end);
        work(part)?;
        if others.is_empty() {
            return Ok(());
        }
        control.check()?;
        rest = others;
    }
}

/// The first place behind `size` bytes where `text` may be cut, or its end.
#[cold]
fn cut(text: &str, size: usize, cuts: Cuts) -> usize {
    let mut at = size;
    while !text.is_char_boundary(at) {
        at += 1;
    }
    let mut before = ' ';
    for c in text[at..].chars() {
        let space = matches!(c, ' ' | '\n') && !before.is_whitespace();
        let other = match cuts {
            Cuts::Spaces => false,
            Cuts::Words => is_han(c) && is_han(before),
            Cuts::Marks => matches!(c, '。' | '、'),
        };
        if space || other {
            return at;
        }
        before = c;
        at += c.len_utf8();
    }
    at
}

/// Han characters that nothing composes with.
fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

/// The distinct ones of some numbers, ascending.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn distinct(mut numbers: Vec<u64>, control: &Control) -> Result<Vec<u64>> {
    if numbers.len() <= PIECE {
        numbers.sort_unstable();
        numbers.dedup();
        return Ok(numbers);
    }
    distinct_of(&[&numbers], control)
}

/// The distinct ones of the numbers of several lists, ascending: pieces are sorted and then merged.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn distinct_of(lists: &[&[u64]], control: &Control) -> Result<Vec<u64>> {
    let pieces: Vec<&[u64]> = lists.iter().flat_map(|numbers| numbers.chunks(PIECE)).collect();
    let mut sorted = map(pieces.len(), |k| {
        control.check()?;
        let mut numbers = pieces[k].to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    })?;
    while sorted.len() > 1 {
        sorted = map(sorted.len().div_ceil(2), |k| merge(&sorted[2 * k..sorted.len().min(2 * k + 2)], control))?;
    }
    Ok(sorted.pop().unwrap_or_default())
}

/// One or two ascending lists as one, without repeats.
fn merge(lists: &[Vec<u64>], control: &Control) -> Result<Vec<u64>> {
    let [one, other] = lists else { return Ok(lists.concat()) };
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let (mut i, mut j) = (0, 0);
    while i < one.len() && j < other.len() {
        control.check()?;
        for _ in 0..STEPS {
            let (Some(&x), Some(&y)) = (one.get(i), other.get(j)) else { break };
            merged.push(x.min(y));
            i += usize::from(x <= y);
            j += usize::from(y <= x);
        }
    }
    merged.extend_from_slice(&one[i..]);
    merged.extend_from_slice(&other[j..]);
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    fn all(text: &str, cuts: Cuts) -> Vec<&str> {
        let mut found = Vec::new();
        parts(text, cuts, &Control::default(), |part| {
            found.push(part);
            Ok(())
        })
        .unwrap();
        assert_eq!(found.concat(), text);
        found
    }

    #[test]
    fn parts_make_up_the_text() {
        for short in ["", "a b", " ", "今日"] {
            assert_eq!(all(short, Cuts::Words), [short]);
        }
        let text = format!("{}  {} c", "ä".repeat(PART), "b".repeat(PART));
        assert_eq!(all(&text, Cuts::Spaces).iter().map(|part| part.len()).collect::<Vec<_>>(), [2 * PART, PART + 2, 2]);
        let han = "今日は".repeat(PART / 8);
        assert_eq!(all(&han, Cuts::Spaces).len(), 1);
        assert!(all(&han, Cuts::Words).iter().skip(1).all(|part| part.starts_with('日')));
        assert_eq!(all(&han, Cuts::Words).len(), 2);
        assert!(all(&"は。".repeat(PART / 3), Cuts::Marks).iter().skip(1).all(|part| part.starts_with('。')));
    }

    #[test]
    fn a_cut_lies_before_a_lone_space() {
        assert_eq!(cut("ab  c\r\n d\ne", 1, Cuts::Spaces), 2);
        assert_eq!(cut("ab  c\r\n d\ne", 3, Cuts::Spaces), 9);
        assert_eq!(cut("a\u{3000} b\u{300} c", 2, Cuts::Words), 8);
        assert_eq!(cut("a今 b", 1, Cuts::Words), 4);
        assert_eq!(cut("abc", 2, Cuts::Words), 3);
    }

    #[test]
    fn stopped_between_two_parts() {
        let (text, control) = ("word ".repeat(PART), Control::default());
        let mut seen = 0;
        let stopped = parts(&text, Cuts::Spaces, &control, |_| {
            seen += 1;
            control.stop();
            Ok(())
        });
        assert!(stopped.is_err() && seen == 1);
        assert!(distinct((0..3 * PIECE as u64).collect(), &control).is_err());
    }

    #[test]
    fn many_numbers_are_distinct_and_ascending() {
        for count in [0, 7, 3 * PIECE + 1] {
            let numbers: Vec<u64> = (0..count).map(|k| mix(k as u64) % (PIECE as u64 / 2)).collect();
            let mut wanted = numbers.clone();
            wanted.sort_unstable();
            wanted.dedup();
            assert_eq!(distinct(numbers, &Control::default()).unwrap(), wanted);
        }
    }
}
