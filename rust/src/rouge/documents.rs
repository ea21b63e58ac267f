//! Texts as numbered stems: each distinct text is read once, each distinct word stemmed once.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::words::{Words, stems};
use super::{CHUNK, Metric, Options, References, Tokens};
use crate::error::Result;
use crate::parallel::Control;
use crate::text;

/// Bytes of a line between two looks at the control.
const PART: usize = 1 << 20;

/// One distinct text: stems by number, where its lines end, its bigrams sorted.
pub struct Document {
    pub tokens: Vec<u32>,
    pub lines: Vec<u32>,
    pub bigrams: Vec<u64>,
}

/// The prediction and the references of a row, by the number of their text.
pub type Row = Option<(u32, Vec<u32>)>;

/// The distinct texts of some rows.
pub struct Block {
    pub documents: Vec<Document>,
    pub rows: Vec<Row>,
}

impl Block {
    /// Tokenise the texts of `rows`, each distinct one once.
    pub fn read(
        predictions: &[Option<&str>],
        references: &References,
        rows: std::ops::Range<usize>,
        options: &Options,
        words: &mut Words,
        control: &Control,
    ) -> Result<Self> {
        let (mut texts, mut seen) = (Vec::new(), FxHashMap::default());
        let rows = rows
            .map(|row| {
                let mut number = |text| {
                    *seen.entry(text).or_insert_with(|| {
                        texts.push(text);
                        u32::try_from(texts.len() - 1).unwrap_or(u32::MAX)
                    })
                };
                let references = &references.texts[references.borders[row]..references.borders[row + 1]];
                let prediction = predictions[row].filter(|_| !references.is_empty())?;
                Some((number(prediction), references.iter().map(|text| number(text)).collect()))
            })
            .collect();
        // One chunk a thread: each has a vocabulary of its own, which costs. What numbers words get changes no score.
        let threads = if options.parallel { rayon::current_num_threads() } else { 1 };
        let chunks: Vec<&[&str]> = texts.chunks(texts.len().div_ceil(threads).max(CHUNK)).collect();
        let read = map(options.parallel, &chunks, |texts| {
            let (vocabulary, documents) = tokenize(texts, options.tokens, control)?;
            let stemmed = options.stem.then(|| stems(&vocabulary));
            Ok((vocabulary, stemmed, documents))
        })?;
        // The one part that cannot be shared among threads: it looks at distinct stems alone.
        let numbered: Vec<_> = read
            .into_iter()
            .map(|(vocabulary, stemmed, documents)| {
                let numbers = match stemmed {
                    None => vocabulary.iter().map(|word| words.number(word)).collect(),
                    Some((stems, of)) => {
                        let numbers: Vec<u32> = stems.iter().map(|stem| words.number(stem)).collect();
                        of.into_iter().map(|stem| numbers[stem as usize]).collect::<Vec<u32>>()
                    }
                };
                (numbers, documents)
            })
            .collect();
        let bigrams = options.metrics.contains(&Metric::N(2));
        let documents = map(options.parallel, &numbered, |(numbers, documents)| {
            Ok(documents.iter().map(|(tokens, lines)| finish(numbers, tokens, lines, bigrams)).collect::<Vec<_>>())
        })?;
        Ok(Self { documents: documents.into_iter().flatten().collect(), rows })
    }
}

/// Tokens by number, and the ends of the lines that hold any.
type Numbered = (Vec<u32>, Vec<u32>);
/// The words of some texts, and the texts in their numbers.
type Read = (Words, Vec<Numbered>);

/// Tokens as numbers into a vocabulary of these texts alone; and the ends of the lines that hold any.
fn tokenize(texts: &[&str], tokens: Tokens, control: &Control) -> Result<Read> {
    let mut vocabulary = Words::default();
    let documents = texts
        .iter()
        .map(|text| {
            let (mut found, mut lines) = (Vec::with_capacity(text.len() / 5), Vec::new());
            for line in text.split('\n') {
                let before = found.len();
                for part in parts(line) {
                    control.check()?;
                    let mut take = |word: &[u8]| found.push(vocabulary.number(word));
                    match tokens {
                        Tokens::Google => text::google_tokens(part.as_bytes(), take),
                        Tokens::Unicode => text::units(part, text::Unit::Word, |word| take(word.as_bytes())),
                    }
                }
                if found.len() > before {
                    lines.push(u32::try_from(found.len()).unwrap_or(u32::MAX));
                }
            }
            Ok((found, lines))
        })
        .collect::<Result<_>>()?;
    Ok((vocabulary, documents))
}

/// A line in parts that can be read one by one: cut before a space, which neither a word nor its lower case reaches across.
fn parts(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let cut = line.as_bytes().get(PART..).and_then(|tail| memchr::memchr(b' ', tail)).map(|at| PART + at);
        rest = cut.map(|at| &line[at..]);
        Some(cut.map_or(line, |at| &line[..at]))
    })
}

fn finish(numbers: &[u32], tokens: &[u32], lines: &[u32], bigrams: bool) -> Document {
    let tokens: Vec<u32> = tokens.iter().map(|&token| numbers[token as usize]).collect();
    let mut pairs: Vec<u64> =
        if bigrams { tokens.windows(2).map(|pair| u64::from(pair[0]) << 32 | u64::from(pair[1])).collect() } else { Vec::new() };
    pairs.sort_unstable();
    Document { tokens, lines: lines.to_vec(), bigrams: pairs }
}

/// Work on every item, on the pool or in the calling thread; results in order.
pub fn map<T: Sync, R: Send>(parallel: bool, items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    if parallel { items.par_iter().map(&work).collect() } else { items.iter().map(work).collect() }
}

#[cfg(test)]
mod tests {
    use super::{PART, parts};

    #[test]
    fn parts_make_up_the_line() {
        assert_eq!(parts("a b").collect::<Vec<_>>(), ["a b"]);
        assert_eq!(parts("").collect::<Vec<_>>(), [""]);
        let line = format!("{} {} c", "ä".repeat(PART), "b".repeat(PART));
        let found: Vec<&str> = parts(&line).collect();
        assert_eq!(found.concat(), line);
        assert_eq!(found.iter().map(|part| part.len()).collect::<Vec<_>>(), [2 * PART, PART + 1, 2]);
    }
}
