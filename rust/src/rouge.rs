//! ROUGE as google's `rouge_score` 0.1.2 computes it, bit for bit.
//!
//! C.-Y. Lin, "ROUGE: A package for automatic evaluation of summaries" (2004). A text that occurs more than once is
//! tokenised once, a word is stemmed once, n-grams are sorted keys, and subsequences are bit-parallel.

use crate::error::Result;
use crate::parallel::Control;

mod documents;
mod pair;
mod words;

use documents::{Block, Document, Row, map};
use pair::Scratch;
use words::Words;

/// One ROUGE type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Clipped n-gram overlap, n from 1 to 9.
    N(usize),
    /// Longest common subsequence over all tokens.
    L,
    /// Union of the longest common subsequences of the lines.
    Lsum,
}

/// What counts as a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// Runs of `[a-z0-9]` after lower-casing, as in `rouge_score`.
    Google,
    /// Words in every script: [`text::Unit::Word`].
    Unicode,
}

/// How to score.
#[derive(Debug, Clone)]
pub struct Options {
    /// The types, in the order of the scores.
    pub metrics: Vec<Metric>,
    /// Stem ASCII words longer than three characters.
    pub stem: bool,
    /// What counts as a token.
    pub tokens: Tokens,
    /// Use the pool; false inside Polars' streaming engine, which is parallel already.
    pub parallel: bool,
}

/// The score of one pair under one type.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    /// Hits over the prediction's total.
    pub precision: f64,
    /// Hits over the reference's total.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

impl Score {
    fn new(hits: usize, predicted: usize, referred: usize) -> Self {
        #[allow(clippy::cast_precision_loss)]
        let share = |total: usize| hits as f64 / total.max(1) as f64;
        let (precision, recall) = (share(predicted), share(referred));
        let f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
        Self { precision, recall, f1 }
    }
}

/// The references of every row: those of row `k` are `texts[borders[k]..borders[k + 1]]`; none makes the score null.
#[derive(Debug)]
pub struct References<'a> {
    /// All references, row after row.
    pub texts: Vec<&'a str>,
    /// Rows + 1 borders.
    pub borders: Vec<usize>,
}

/// Rows are taken in blocks of so many bytes: within one, a repeated text is tokenised once.
const BLOCK: usize = 64 << 20;
/// Texts, or rows, that one task takes at a time.
const CHUNK: usize = 256;

/// The scores of each row, one a metric; of several references, per metric the first with the highest F1.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn score(
    predictions: &[Option<&str>],
    references: &References,
    options: &Options,
    control: &Control,
) -> Result<Vec<Option<Vec<Score>>>> {
    let mut scores = Vec::with_capacity(predictions.len());
    let mut words = Words::default();
    while scores.len() < predictions.len() {
        let start = scores.len();
        let mut bytes = 0;
        let rows = (start..predictions.len())
            .take_while(|&row| {
                let within = bytes < BLOCK;
                bytes += predictions[row].map_or(0, str::len);
                bytes +=
                    references.texts[references.borders[row]..references.borders[row + 1]].iter().map(|text| text.len()).sum::<usize>();
                within
            })
            .count();
        let block = Block::read(predictions, references, start..start + rows, options, &mut words, control)?;
        let chunks: Vec<&[Row]> = block.rows.chunks(CHUNK).collect();
        let scored = map(options.parallel, &chunks, |rows| {
            let mut scratch = Scratch::new(words.len());
            rows.iter()
                .map(|row| {
                    control.check()?;
                    let scores = row.as_ref().map(|(prediction, references)| {
                        best(&mut scratch, &block.documents, *prediction, references, &options.metrics, control)
                    });
                    control.advance(1);
                    scores.transpose()
                })
                .collect::<Result<Vec<_>>>()
        })?;
        scores.extend(scored.into_iter().flatten());
    }
    Ok(scores)
}

fn best(
    scratch: &mut Scratch,
    documents: &[Document],
    prediction: u32,
    references: &[u32],
    metrics: &[Metric],
    control: &Control,
) -> Result<Vec<Score>> {
    let mut best: Vec<Score> = Vec::new();
    for &reference in references {
        let scores = scratch.pair(&documents[prediction as usize], &documents[reference as usize], metrics, control)?;
        if best.is_empty() {
            best = scores;
        } else {
            best.iter_mut().zip(scores).filter(|(old, new)| new.f1 > old.f1).for_each(|(old, new)| *old = new);
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::{Metric, Options, References, Tokens, score};
    use crate::parallel::Control;

    fn f1(prediction: &str, reference: &str, metric: Metric) -> f64 {
        let options = Options { metrics: vec![metric], stem: true, tokens: Tokens::Google, parallel: false };
        let references = References { texts: vec![reference], borders: vec![0, 1] };
        score(&[Some(prediction)], &references, &options, &Control::default()).unwrap()[0].as_ref().unwrap()[0].f1
    }

    #[test]
    fn the_example_of_rouge_score() {
        let (target, prediction) = ("The quick brown fox jumps over the lazy dog", "The quick brown dog jumps on the log.");
        assert_eq!(f1(prediction, target, Metric::N(1)), 2.0 * (6.0 / 8.0) * (6.0 / 9.0) / (6.0 / 8.0 + 6.0 / 9.0));
        assert_eq!(f1(prediction, target, Metric::L), 2.0 * (5.0 / 8.0) * (5.0 / 9.0) / (5.0 / 8.0 + 5.0 / 9.0));
    }

    #[test]
    fn a_null_or_a_row_without_references_is_null() {
        let options = Options { metrics: vec![Metric::L], stem: false, tokens: Tokens::Unicode, parallel: true };
        let references = References { texts: vec!["a", "今日", "b"], borders: vec![0, 1, 3, 3] };
        let scores = score(&[None, Some("今日"), Some("b")], &references, &options, &Control::default()).unwrap();
        assert!(scores[0].is_none() && scores[2].is_none());
        assert_eq!(scores[1].as_ref().unwrap()[0].f1, 1.0);
    }
}
