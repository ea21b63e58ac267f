//! Exact duplicates, as the texts are or after a normalization.

use std::str::FromStr;

use rayon::prelude::*;
use unicode_normalization::{UnicodeNormalization, is_nfkc_quick};
use xxhash_rust::xxh3::Xxh3;

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
/// Texts are known by xxh3-128 over length-prefixed fields.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn exact_duplicates(rows: &Rows<'_>, normalization: Normalization, control: &Control) -> Result<Vec<u32>> {
    let mut table = Table::new();
    let (mut firsts, mut roots) = (Vec::new(), Vec::with_capacity(rows.count() as usize));
    for start in (0..rows.count()).step_by(BATCH as usize) {
        let end = rows.count().min(start.saturating_add(BATCH));
        let identities: Vec<Vec<Option<u128>>> = (start..end)
            .into_par_iter()
            .step_by(GRAIN)
            .map_init(
                || (Xxh3::new(), String::new()),
                |(state, text), first| {
                    control.check()?;
                    let last = end.min(first.saturating_add(GRAIN as u32));
                    let identities =
                        (first..last).map(|row| identity(rows, row, normalization, state, text, control)).collect::<Result<_>>();
                    control.advance((last - first) as usize);
                    identities
                },
            )
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

fn identity(
    rows: &Rows<'_>,
    row: u32,
    normalization: Normalization,
    state: &mut Xxh3,
    text: &mut String,
    control: &Control,
) -> Result<Option<u128>> {
    if rows.texts(row).all(|field| field.is_none()) {
        return Ok(None);
    }
    state.reset();
    for field in rows.texts(row) {
        let raw = field.unwrap_or("");
        text.clear();
        let bytes = match normalization {
            Normalization::None => raw.as_bytes(),
            Normalization::Space => {
                long::parts(raw, Cuts::Words, control, |raw| {
                    fold(raw, text);
                    Ok(())
                })?;
                text.as_bytes()
            }
            Normalization::Unicode => {
                long::parts(raw, Cuts::Words, control, |raw| {
                    // Nearly all texts are in NFKC already.
                    if is_nfkc_quick(raw.chars()) == unicode_normalization::IsNormalized::Yes {
                        fold(&unmark(raw), text);
                    } else {
                        fold(&unmark(&raw.nfkc().collect::<String>()), text);
                    }
                    Ok(())
                })?;
                text.as_bytes()
            }
        };
        state.update(&(bytes.len() as u64).to_le_bytes());
        state.update(bytes);
    }
    Ok(Some(state.digest128()))
}

/// Append in lower case, with one space for every run of white space and none at the ends.
fn fold(raw: &str, text: &mut String) {
    let mut goes_on = !raw.starts_with(char::is_whitespace); // a text may be cut within a word, but never behind a space
    for piece in raw.split_whitespace() {
        if !text.is_empty() && !goes_on {
            text.push(' ');
        }
        goes_on = false;
        if piece.is_ascii() {
            let start = text.len();
            text.push_str(piece);
            text[start..].make_ascii_lowercase();
        } else {
            text.push_str(&piece.to_lowercase());
        }
    }
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
    use unicode_normalization::UnicodeNormalization;
    use xxhash_rust::xxh3::Xxh3;

    use super::{Normalization, exact_duplicates, fold, identity, unmark};
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
        let (mut plain, control) = (String::new(), Control::default());
        fold(&unmark(&one.nfkc().collect::<String>()), &mut plain);
        let columns = [vec![Some(one.as_str())], vec![Some(plain.as_str())]];
        let [id, wanted] = [0, 1].map(|column| {
            let (rows, mut text) = (Rows::new(&columns[column..=column]).unwrap(), String::new());
            let normalization = [Normalization::Unicode, Normalization::None][column];
            identity(&rows, 0, normalization, &mut Xxh3::new(), &mut text, &control).unwrap()
        });
        assert_eq!(id, wanted);
    }

    #[test]
    fn fields_keep_their_borders_and_nulls_equal_nothing() {
        let fields =
            [vec![Some("a"), Some("ab"), None, None, Some("a"), Some("a")], vec![Some("bc"), Some("c"), None, None, None, Some("")]];
        assert_eq!(exact_duplicates(&Rows::new(&fields).unwrap(), Normalization::None, &Control::default()).unwrap(), [0, 1, 2, 3, 4, 4]);
    }
}
