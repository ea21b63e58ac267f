//! datatrove's C4 filter, as measures.

use super::pythonic::{self, is_digit, is_space, len};
use super::{Given, english};
use crate::parallel::Control;

/// What `c4` measures. Of lines that pass all tests before: the first with "lorem ipsum", and with a curly bracket (from 1; 0
/// when there is none); of lines that are kept, how many, and their sentences.
pub const C4: [&str; 4] = ["lorem_ipsum_line", "curly_bracket_line", "sentences", "kept_lines"];

const LEAST_WORDS: usize = 3;
const LONGEST_WORD: u64 = 1000;
const POLICY: [&str; 6] = ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"];

/// Measures of one text, [`C4`]; `Err` says where given sentences and lines part.
pub fn c4(text: &str, given: Option<&[&str]>, scratch: &mut String, control: &Control, out: &mut Vec<f64>) -> Result<(), String> {
    let mut given = given.map(Given::new);
    let (mut lorem, mut curly, mut sentences, mut kept) = (0_u32, 0_u32, 0, 0);
    for (number, raw) in (1..).zip(control.going(pythonic::lines(text))) {
        let line = raw.trim_matches(is_space);
        let cut = uncited(line);
        let told = match &mut given {
            Some(given) => Some(given.sentences(&cut)?),
            None => None,
        };
        if !sound(line, &cut) {
            continue;
        }
        lower(&cut, scratch);
        if scratch.contains("lorem ipsum") {
            lorem = if lorem == 0 { number } else { lorem };
        } else if scratch.contains("javascript") {
        } else if cut.contains('{') {
            curly = if curly == 0 { number } else { curly };
        } else if !POLICY.iter().any(|phrase| scratch.contains(phrase)) {
            sentences += told.unwrap_or_else(|| english::sentences(&cut, control));
            kept += 1;
        }
    }
    if let Some(given) = given {
        given.end()?;
    }
    out.extend([f64::from(lorem), f64::from(curly), sentences as f64, f64::from(kept)]);
    Ok(())
}

/// Whether a line has words enough, none too long, and an end.
fn sound(line: &str, cut: &str) -> bool {
    cut.ends_with(['.', '?', '!', '"', '\''])
        && !cut.ends_with("...")
        && pythonic::split(line).take(LEAST_WORDS).count() == LEAST_WORDS
        && (line.len() as u64 <= LONGEST_WORD || pythonic::split(line).all(|word| len(word) <= LONGEST_WORD))
}

fn lower(line: &str, scratch: &mut String) {
    scratch.clear();
    if line.is_ascii() {
        scratch.push_str(line);
        scratch.make_ascii_lowercase();
    } else {
        scratch.push_str(&line.to_lowercase());
    }
}

/// A line without citation marks: `[3]`, `[]`, `[edit]`, `[citation needed]`.
fn uncited(line: &str) -> std::borrow::Cow<'_, str> {
    let Some(first) = mark(line) else { return line.into() };
    let (mut made, mut next, mut rest) = (String::with_capacity(line.len()), Some(first), line);
    while let Some((at, size)) = next {
        made.push_str(&rest[..at]);
        rest = &rest[at + size..];
        next = mark(rest);
    }
    made.push_str(rest);
    made.into()
}

/// Place and bytes of the first citation mark.
fn mark(text: &str) -> Option<(usize, usize)> {
    memchr::memchr_iter(b'[', text.as_bytes()).find_map(|at| {
        let rest = &text[at + 1..];
        let inside = rest.trim_start_matches(is_digit);
        let inside = ["edit]", "citation needed]"].iter().find_map(|word| rest.strip_prefix(word)).or_else(|| inside.strip_prefix(']'))?;
        Some((at, text.len() - at - inside.len()))
    })
}
