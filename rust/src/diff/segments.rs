//! A text cut at UAX 29's word borders: words, runs of spaces, single marks; nothing is left out.

use unicode_segmentation::UnicodeSegmentation;

use crate::error::Result;
use crate::long::{self, Cuts, STEPS};
use crate::parallel::Control;
use crate::shingle::{joins, stands_alone};
use crate::text::count_characters;

/// The segments of one text: where each ends, in bytes and in characters (code points). Kept between texts.
#[derive(Debug, Default)]
pub struct Segments {
    bytes: Vec<u32>,
    characters: Vec<u32>,
}

impl Segments {
    /// Cut another text.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`].
    pub fn set(&mut self, text: &str, control: &Control) -> Result<()> {
        let Self { bytes, characters } = self;
        bytes.clear();
        bytes.push(0);
        let mut start = 0;
        long::parts(text, Cuts::Words, control, |part| {
            cut(part, start, bytes);
            start += part.len();
            Ok(())
        })?;
        characters.clear();
        if text.is_ascii() {
            characters.extend_from_slice(bytes);
            return Ok(());
        }
        characters.push(0);
        let (mut before, mut count) = (0, 0);
        for ends in bytes[1..].chunks(STEPS) {
            control.check()?;
            characters.extend(ends.iter().map(|&end| {
                count += count_characters(&text.as_bytes()[before as usize..end as usize]);
                before = end;
                count
            }));
        }
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - 1
    }

    /// One of them, of the text it was cut from.
    #[must_use]
    pub fn of<'t>(&self, text: &'t str, at: usize) -> &'t str {
        &text[self.bytes[at] as usize..self.bytes[at + 1] as usize]
    }

    /// Characters before a segment; before the one after the last, those of the text.
    #[must_use]
    pub fn start(&self, at: usize) -> u32 {
        self.characters[at]
    }
}

/// Where a segment ends in any case, and another begins; a carriage return and its line feed stand side by side.
const BREAKS: [char; 3] = [' ', '\n', '\r'];

/// Append where the segments of a part end that begins at `offset`.
fn cut(text: &str, offset: usize, ends: &mut Vec<u32>) {
    if text.is_ascii() {
        return ascii(text.as_bytes(), offset, ends);
    }
    // Between spaces and line ends: no rule looks across, unless something clings to the space.
    let apart =
        |part: &str| part.is_empty() || part.starts_with(stands_alone) && !part.ends_with(|c: char| !c.is_ascii() && c.is_whitespace());
    if !text.split(BREAKS).all(apart) {
        return general(text, offset, ends);
    }
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let breaks = &rest[..rest.len() - rest.trim_start_matches(BREAKS).len()];
        let part = &rest[breaks.len()..];
        let part = &part[..part.find(BREAKS).unwrap_or(part.len())];
        ascii(breaks.as_bytes(), offset + at, ends);
        at += breaks.len();
        if part.is_ascii() {
            ascii(part.as_bytes(), offset + at, ends);
        } else {
            general(part, offset + at, ends);
        }
        at += part.len();
    }
}

fn general(text: &str, offset: usize, ends: &mut Vec<u32>) {
    ends.extend(text.split_word_bound_indices().map(|(start, segment)| (offset + start + segment.len()) as u32));
}

/// The rules as far as ASCII goes: runs of letters, digits and `_`, joined as in [`joins`]; runs of spaces; CR LF; others alone.
fn ascii(text: &[u8], offset: usize, ends: &mut Vec<u32>) {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut at = 0;
    while at < text.len() {
        let first = text[at];
        at += 1;
        if is_word(first) {
            loop {
                while at < text.len() && is_word(text[at]) {
                    at += 1;
                }
                if !joins(text, at) {
                    break;
                }
                at += 2;
            }
        } else if first == b' ' {
            while text.get(at) == Some(&b' ') {
                at += 1;
            }
        } else if first == b'\r' && text.get(at) == Some(&b'\n') {
            at += 1;
        }
        ends.push((offset + at) as u32);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::Segments;
    use crate::parallel::Control;

    fn check(text: &str) {
        let mut segments = Segments::default();
        segments.set(text, &Control::default()).unwrap();
        let mut wanted = text.split_word_bounds();
        assert!((0..segments.len()).all(|at| Some(segments.of(text, at)) == wanted.next()), "{:?}", &text[..text.len().min(200)]);
        assert_eq!(wanted.next(), None);
        assert_eq!(segments.start(segments.len()) as usize, text.chars().count());
    }

    #[test]
    fn a_long_text_has_the_segments_of_the_whole() {
        for text in
            ["Don't  stop:\r\n3,5 it\n", "Don't  stop:\r\n3,5 e\u{301}\u{200d} x \u{301}今日本語は🇩🇪 🏽\u{a0}b\n\n", "今日本語は、é。"]
        {
            check(&text.repeat((3 << 20) / text.len()));
        }
    }

    proptest! {
        #[test]
        fn segments_are_uax_29s(text in "[a-zA-Z0-9_'.,:; \r\n\t-]{0,80}", any in "[ aZ1_'.:,\r\n\tßΣİ\u{301}\u{e34}\u{200d}\u{ad}“ℹカ日🏻🇩\u{a0}\u{2003}\u{85}-]{0,30}") {
            [format!("{text} é"), text, any].iter().for_each(|text| check(text));
        }
    }
}
