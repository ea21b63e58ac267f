//! Exact duplicates, as the texts are or after a normalization.

use std::str::FromStr;

use rayon::prelude::*;
use unicode_normalization::{UnicodeNormalization, is_nfkc_quick};
use xxhash_rust::xxh3::xxh3_128;

use crate::classes::Table;
use crate::error::{Error, Result};
use crate::fields::Rows;
use crate::long::{self, Cuts};
use crate::parallel::Control;

/// What is folded before texts are compared. No level touches digits, operators or brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalization {
    /// Nothing.
    None,
    /// Case, and runs of white space.
    Space,
    /// NFKC, then sentence and quotation marks that do not stand between two letters or digits, case and white space.
    Unicode,
}

impl FromStr for Normalization {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "none" => Ok(Self::None),
            "space" => Ok(Self::Space),
            "unicode" => Ok(Self::Unicode),
            other => Err(Error::Option(format!("normalize: found \"{other}\", expected none, space or unicode"))),
        }
    }
}

/// Rows per piece of parallel work.
const GRAIN: usize = 1024;
/// Rows whose identities are held before they are looked up.
const BATCH: u32 = 1 << 18;

/// The first row that holds the same texts, per row; itself when there is none before it. A row counts as null,
/// and equals nothing, when all of its fields are null; beside others a null field equals an empty one.
///
/// A text is known by its xxh3-128, several fields by that of their hashes.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn exact_duplicates(rows: &Rows<'_>, normalization: Normalization, control: &Control) -> Result<Vec<u32>> {
    let mut table = Table::for_rows(rows.count());
    let (mut firsts, mut roots) = (Vec::new(), Vec::with_capacity(rows.count() as usize));
    for start in (0..rows.count()).step_by(BATCH as usize) {
        let end = rows.count().min(start.saturating_add(BATCH));
        let identities: Vec<Vec<Option<u128>>> = (start..end)
            .into_par_iter()
            .step_by(GRAIN)
            .map_init(Vec::new, |text, first| {
                control.check()?;
                let last = end.min(first.saturating_add(GRAIN as u32));
                let identities = (first..last).map(|row| identity(rows, row, normalization, text, control)).collect::<Result<_>>();
                control.advance((last - first) as usize);
                identities
            })
            .collect::<Result<_>>()?;
        for (identity, row) in identities.into_iter().flatten().zip(start..) {
            roots.push(identity.map_or(row, |identity| {
                let (number, new) = table.number(identity);
                if new {
                    firsts.push(row);
                }
                firsts[number as usize]
            }));
        }
    }
    Ok(roots)
}

fn identity(rows: &Rows<'_>, row: u32, normalization: Normalization, text: &mut Vec<u8>, control: &Control) -> Result<Option<u128>> {
    if rows.texts(row).all(|field| field.is_none()) {
        return Ok(None);
    }
    let mut whole = None;
    for field in rows.texts(row) {
        let raw = field.unwrap_or("");
        text.clear();
        let bytes = match normalization {
            Normalization::None => raw.as_bytes(),
            Normalization::Space => {
                long::parts(raw, Cuts::Words, control, |raw| {
                    if raw.is_ascii() {
                        fold_ascii::<false>(raw.as_bytes(), text)
                    } else {
                        fold(raw, text)
                    }
                    Ok(())
                })?;
                text.as_slice()
            }
            Normalization::Unicode => {
                long::parts(raw, Cuts::Words, control, |raw| {
                    // Nearly all texts are in NFKC already.
                    if raw.is_ascii() {
                        fold_ascii::<true>(raw.as_bytes(), text);
                    } else if is_nfkc_quick(raw.chars()) == unicode_normalization::IsNormalized::Yes {
                        fold(&unmark(raw), text);
                    } else {
                        fold(&unmark(&raw.nfkc().collect::<String>()), text);
                    }
                    Ok(())
                })?;
                text.as_slice()
            }
        };
        let hash = xxh3_128(bytes);
        whole = Some(whole.map_or(hash, |before: u128| xxh3_128(&[before.to_le_bytes(), hash.to_le_bytes()].concat())));
    }
    Ok(whole)
}

/// Append in lower case, with one space for every run of white space and none at the ends.
fn fold(raw: &str, text: &mut Vec<u8>) {
    let mut goes_on = !raw.starts_with(char::is_whitespace); // a text may be cut within a word, but never behind a space
    for piece in raw.split_whitespace() {
        if !text.is_empty() && !goes_on {
            text.push(b' ');
        }
        goes_on = false;
        if piece.is_ascii() {
            let start = text.len();
            text.extend_from_slice(piece.as_bytes());
            text[start..].make_ascii_lowercase();
        } else {
            text.extend_from_slice(piece.to_lowercase().as_bytes());
        }
    }
}

/// [`fold`] of an ASCII text, after [`unmark`] where `MARKS`, in one pass.
fn fold_ascii<const MARKS: bool>(raw: &[u8], text: &mut Vec<u8>) {
    let mut end = text.len();
    text.resize(end + raw.len(), 0); // a space that is written was read, as was every other byte
    let mut space = false;
    for (at, &byte) in raw.iter().enumerate() {
        if byte.is_ascii_whitespace() || byte == 0x0B {
            space = true;
            continue;
        }
        let mut kept = byte.to_ascii_lowercase();
        if MARKS && matches!(byte, b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'"' | b'`') {
            let joins = |at: usize| raw.get(at).is_some_and(u8::is_ascii_alphanumeric);
            if !joins(at.wrapping_sub(1)) || !joins(at + 1) {
                continue;
            }
            kept = if byte == b'`' { b'\'' } else { byte };
        }
        if space && end > 0 {
            text[end] = b' ';
            end += 1;
        }
        space = false;
        text[end] = kept;
        end += 1;
    }
    text.truncate(end);
}

/// Sentence and quotation marks, Western and East Asian (full-width ones are ASCII after NFKC).
fn is_mark(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '"' | '`' | '´' | '¡' | '¿' | '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›'
        | '…' | '、' | '。' | '「'..='』' | '・' | '।' | '۔' | '؟' | '،' | '؛')
}

/// Drop marks unless they stand between two letters or digits ("3.5", "don't"), where curly apostrophes become straight.
fn unmark(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if !is_mark(c) {
            kept.push(c);
        } else if before.is_some_and(char::is_alphanumeric) && rest.peek().is_some_and(|c| c.is_alphanumeric()) {
            kept.push(if matches!(c, '\u{2018}' | '\u{2019}' | '\u{201b}' | '`' | '´') { '\'' } else { c });
        }
        before = Some(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::{Normalization, exact_duplicates, fold, fold_ascii, identity, unmark};
    use crate::fields::Rows;
    use crate::parallel::Control;

    fn roots(texts: &[&str], normalization: Normalization) -> Vec<u32> {
        exact_duplicates(&Rows::new(&[texts.iter().copied().map(Some).collect()]).unwrap(), normalization, &Control::default()).unwrap()
    }

    #[test]
    fn levels() {
        let texts = ["Say hi.", "say  HI.\n", "Say “hi”!", "Ｓay hi", "Say hi there"];
        assert_eq!(roots(&texts, Normalization::None), [0, 1, 2, 3, 4]);
        assert_eq!(roots(&texts, Normalization::Space), [0, 0, 2, 3, 4]);
        assert_eq!(roots(&texts, Normalization::Unicode), [0, 0, 0, 0, 4]);
    }

    #[test]
    fn numbers_and_operators_are_never_folded() {
        let texts = ["3.5 + 2", "35 + 2", "3.5 - 2", "3.5 + 2?", "(3.5) + 2"];
        assert_eq!(roots(&texts, Normalization::Unicode), [0, 1, 2, 0, 4]);
    }

    #[test]
    fn a_long_text_is_folded_as_a_whole() {
        let words = ["No.", "“x”", "e\u{301}Ｓ", "ΣΑΣ", "'", "3,5", "\n", "日本。語語語語語語語語語語"];
        let text = |gap: &str| words.join(gap).repeat(80_000);
        let (one, other) = (text(" "), text("  "));
        assert!(one.len() > 1 << 21);
        assert_eq!(roots(&[&one, &other], Normalization::Space), [0, 0]);
        assert_eq!(roots(&[&one, &other], Normalization::Unicode), [0, 0]);
        let (mut plain, control) = (Vec::new(), Control::default());
        fold(&unmark(&one.nfkc().collect::<String>()), &mut plain);
        let plain = String::from_utf8(plain).unwrap();
        let columns = [vec![Some(one.as_str())], vec![Some(plain.as_str())]];
        let [id, wanted] = [0, 1].map(|column| {
            let (rows, mut text) = (Rows::new(&columns[column..=column]).unwrap(), Vec::new());
            let normalization = [Normalization::Unicode, Normalization::None][column];
            identity(&rows, 0, normalization, &mut text, &control).unwrap()
        });
        assert_eq!(id, wanted);
    }

    proptest! {
        #[test]
        fn ascii_folds_as_all_texts_do(before in "[a ]{0,2}", text in "[aZ1`'\"., \t\x0B\r\n?+_-]{0,40}", any in "[\\x00-\x7F]{0,40}") {
            for text in [text, any] {
                let mut found: [Vec<u8>; 4] = std::array::from_fn(|_| before.as_bytes().to_vec());
                let [fast, general, fast_marked, general_marked] = &mut found;
                fold_ascii::<false>(text.as_bytes(), fast);
                fold(&text, general);
                fold_ascii::<true>(text.as_bytes(), fast_marked);
                fold(&unmark(&text), general_marked);
                prop_assert_eq!(fast, general);
                prop_assert_eq!(fast_marked, general_marked);
            }
        }
    }

    #[test]
    fn fields_keep_their_borders_and_nulls_equal_nothing() {
        let fields =
            [vec![Some("a"), Some("ab"), None, None, Some("a"), Some("a")], vec![Some("bc"), Some("c"), None, None, None, Some("")]];
        assert_eq!(exact_duplicates(&Rows::new(&fields).unwrap(), Normalization::None, &Control::default()).unwrap(), [0, 1, 2, 3, 4, 4]);
    }
}
