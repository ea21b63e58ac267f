//! Where a span may begin and end: at words and marks, at sentences, or between token ids.

use unicode_segmentation::UnicodeSegmentation;

use crate::error::Result;
use crate::long::{self, Cuts};
use crate::parallel::Control;
use crate::shingle::{joins, stands_alone};
use crate::text::{count_characters, unspaced};

/// What a span is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Words and single marks (UAX 29 segments that are not white space); every character of a script without spaces.
    Word,
    /// Sentences (UAX 29), and lines.
    Sentence,
}

/// What the least length counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Code points.
    Character,
    /// Words that hold a letter or digit.
    Word,
}

/// A piece that is never cut: half open, in bytes, and the measure before it and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub start: u32,
    pub end: u32,
    pub from: u32,
    pub to: u32,
}

/// Append the pieces of `text`.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn pieces(text: &str, border: Border, measure: Measure, pieces: &mut Vec<Piece>, control: &Control) -> Result<()> {
    let (first, mut start) = (pieces.len(), 0);
    long::parts(text, Cuts::Words, control, |part| {
        words(part, start, pieces);
        start += part.len();
        Ok(())
    })?;
    let found = &mut pieces[first..];
    match measure {
        Measure::Character => characters(text, found),
        Measure::Word => {
            let mut count = 0;
            for piece in &mut *found {
                piece.from = count;
                count += u32::from(is_word(&text[piece.start as usize..piece.end as usize]));
                piece.to = count;
            }
        }
    }
    if border == Border::Sentence {
        let mut kept = first;
        let mut at = first;
        for (count, (start, sentence)) in text.split_sentence_bound_indices().enumerate() {
            if count.is_multiple_of(1024) {
                control.check()?;
            }
            let end = start + sentence.len();
            let begin = at;
            while at < pieces.len() && (pieces[at].start as usize) < end {
                at += 1;
            }
            if at > begin {
                pieces[kept] = Piece { end: pieces[at - 1].end, to: pieces[at - 1].to, ..pieces[begin] };
                kept += 1;
            }
        }
        pieces.truncate(kept);
    }
    Ok(())
}

/// Code points before and after each piece.
fn characters(text: &str, pieces: &mut [Piece]) {
    if text.is_ascii() {
        pieces.iter_mut().for_each(|piece| (piece.from, piece.to) = (piece.start, piece.end));
        return;
    }
    let (mut at, mut count) = (0, 0);
    let mut upto = |end: u32| {
        count += count_characters(&text.as_bytes()[at as usize..end as usize]);
        at = end;
        count
    };
    pieces.iter_mut().for_each(|piece| (piece.from, piece.to) = (upto(piece.start), upto(piece.end)));
}

fn is_word(piece: &str) -> bool {
    piece.chars().any(char::is_alphanumeric)
}

fn words(text: &str, offset: usize, pieces: &mut Vec<Piece>) {
    if text.is_ascii() {
        return ascii(text.as_bytes(), offset, pieces);
    }
    // Between spaces and line ends: no rule of segmentation looks across, unless something clings to the space.
    let parts = || text.split([' ', '\n']);
    if !parts().all(|part| part.is_empty() || part.starts_with(stands_alone)) {
        return general(text, offset, pieces);
    }
    let mut at = offset;
    for part in parts() {
        if part.is_ascii() {
            ascii(part.as_bytes(), at, pieces);
        } else {
            general(part, at, pieces);
        }
        at += part.len() + 1;
    }
}

fn general(text: &str, offset: usize, pieces: &mut Vec<Piece>) {
    let mut push = |start: usize, end: usize| {
        pieces.push(Piece { start: (offset + start) as u32, end: (offset + end) as u32, from: 0, to: 0 });
    };
    for (start, segment) in text.split_word_bound_indices() {
        if segment.chars().all(char::is_whitespace) {
            continue;
        }
        if !segment.is_ascii() && segment.chars().any(unspaced) {
            segment.grapheme_indices(true).for_each(|(at, one)| push(start + at, start + at + one.len()));
        } else {
            push(start, start + segment.len());
        }
    }
}

/// The rules of UAX 29 as far as ASCII goes: runs of letters, digits and `_`, joined as in [`joins`]; other marks one by one.
fn ascii(text: &[u8], offset: usize, pieces: &mut Vec<Piece>) {
    let mut at = 0;
    while at < text.len() {
        let start = at;
        at += 1;
        match KIND[usize::from(text[start])] {
            SPACE => continue,
            MARK => {}
            _ => loop {
                while at < text.len() && KIND[usize::from(text[at])] == WORD {
                    at += 1;
                }
                if !joins(text, at) {
                    break;
                }
                at += 2;
            },
        }
        pieces.push(Piece { start: (offset + start) as u32, end: (offset + at) as u32, from: 0, to: 0 });
    }
}

const MARK: u8 = 0;
const SPACE: u8 = 1;
const WORD: u8 = 2;
const KIND: [u8; 128] = {
    let mut table = [MARK; 128];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        if c.is_ascii_alphanumeric() || c == b'_' {
            table[byte] = WORD;
        } else if matches!(c, b'\t'..=b'\r' | b' ') {
            table[byte] = SPACE;
        }
        byte += 1;
    }
    table
};

/// Whether a piece of `text` may end at byte `at`, as far as its neighbourhood tells.
pub fn ends(text: &str, at: usize, border: Border) -> bool {
    if border == Border::Sentence {
        let (before, after) = (text[..at].chars().next_back(), text[at..].chars().next());
        return after.is_none_or(|c| c == '\n' || c == '\r')
            || before.is_some_and(|c| matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '"' | '”' | ')'));
    }
    let (mut low, mut high) = (at.saturating_sub(64), text.len().min(at + 64));
    while !text.is_char_boundary(low) {
        low -= 1;
    }
    while !text.is_char_boundary(high) {
        high += 1;
    }
    let near = &text[low..high];
    let mut found = Vec::new();
    words(near, 0, &mut found);
    found.iter().any(|piece| piece.end as usize + low == at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Border, Measure, Piece, ascii, ends, general, pieces};
    use crate::parallel::Control;

    fn shown(text: &str, border: Border) -> Vec<&str> {
        let mut found = Vec::new();
        pieces(text, border, Measure::Character, &mut found, &Control::default()).unwrap();
        found.iter().map(|piece| &text[piece.start as usize..piece.end as usize]).collect()
    }

    #[test]
    fn words_marks_and_sentences() {
        assert_eq!(shown("Don't -- stop: 3.5\u{a0}Äpfel 今日", Border::Word), ["Don't", "-", "-", "stop", ":", "3.5", "Äpfel", "今", "日"]);
        assert_eq!(shown("One a. Two b!\n\n three. ", Border::Sentence), ["One a.", "Two b!", "three."]);
        assert_eq!(shown("今日。明日！x", Border::Sentence), ["今日。", "明日！", "x"]);
        assert!(shown(" \n", Border::Word).is_empty());
    }

    #[test]
    fn measures() {
        let text = "é, b ?";
        for (measure, want) in [(Measure::Character, [(0, 1), (1, 2), (3, 4), (5, 6)]), (Measure::Word, [(0, 1), (1, 1), (1, 2), (2, 2)])] {
            let mut found = Vec::new();
            pieces(text, Border::Word, measure, &mut found, &Control::default()).unwrap();
            assert_eq!(found.iter().map(|piece| (piece.from, piece.to)).collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn a_long_text_has_the_pieces_of_the_whole() {
        let text = "Don't  stop: 3,5 e\u{301}\u{200d} x \u{301}今日本語は🇩🇪\u{a0}b\n".repeat(50_000);
        assert!(text.len() > 2 << 20);
        let (mut found, mut plain) = (Vec::new(), Vec::new());
        pieces(&text, Border::Word, Measure::Character, &mut found, &Control::default()).unwrap();
        general(&text, 0, &mut plain);
        assert!(found.iter().map(|piece| (piece.start, piece.end)).eq(plain.iter().map(|piece| (piece.start, piece.end))));
    }

    proptest! {
        #[test]
        fn fast_pieces_are_the_pieces(text in "[a-z0-9_'.,:;A-Z \n\t\r\"-]{0,140}", any in "[ aZ1_'.:,\n\tßΣ\u{301}\u{e34}\u{200d}\u{ad}“カ日🏻🇩\u{a0}-]{0,30}") {
            let plain = |text: &str| { let mut found: Vec<Piece> = Vec::new(); general(text, 0, &mut found); found };
            let mut fast = Vec::new();
            ascii(text.as_bytes(), 0, &mut fast);
            prop_assert_eq!(fast, plain(&text), "{:?}", text);
            let mut found = Vec::new();
            super::words(&any, 0, &mut found);
            prop_assert_eq!(&found, &plain(&any), "{:?}", any);
            for at in (0..=any.len()).filter(|&at| any.is_char_boundary(at)) {
                prop_assert_eq!(ends(&any, at, Border::Word), found.iter().any(|piece| piece.end as usize == at), "{:?} {}", any, at);
            }
        }
    }
}
