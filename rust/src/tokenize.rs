//! Tokenizers of the `tokenizer.json` format: ids as the Python package `tokenizers` gives them, ten times faster.
//!
//! Two backends: the 1.0 crate where it gives the same ids, else 0.23, which is what the Python package runs. Padding, truncation and dropout in the file are not honoured: a row's ids are all its ids, always.

mod backend;
mod config;
mod gaps;
mod recent;
mod vocabulary;

use std::sync::OnceLock;

use tokenizers::pipeline::PipelineToken;

use crate::error::{Error, Result};
use crate::parallel::{Control, map};
use backend::Backend;
use config::Config;
pub use vocabulary::Added;
use vocabulary::Vocabulary;

/// Rows that one worker takes at a time.
const ROWS: usize = 64;

/// How texts become ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Put the post-processor's tokens around each text (BOS, `[CLS]`, ...).
    pub special_tokens: bool,
    /// Take text that spells a special token for that token. Never for text of foreign origin.
    pub parse_special: bool,
    /// The text goes on where an earlier span ended: no dummy prefix.
    pub continuation: bool,
}

/// Ids of many rows: row `k` has `ids[offsets[k]..offsets[k + 1]]`, and none where `valid[k]` is false.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// All ids, row after row.
    pub ids: Vec<u32>,
    /// Where each row starts, and the end of the last.
    pub offsets: Vec<i64>,
    /// False for null.
    pub valid: Vec<bool>,
}

/// One `tokenizer.json`.
pub struct Tokenizer {
    config: Config,
    vocabulary: Vocabulary,
    /// Built when first asked for: (start, parse), (start, plain), (continuation, parse), (continuation, plain).
    backends: [OnceLock<Result<Backend>>; 4],
    /// 0.23 in the same order, for texts that the Unicode tables of the two tell apart.
    references: [OnceLock<Result<Backend>>; 4],
}

impl Tokenizer {
    /// Read the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Input`] when it is no tokenizer that either backend takes.
    pub fn from_json(text: &str) -> Result<Self> {
        let (config, vocabulary) = Config::read(text)?;
        let tokenizer = Self { config, vocabulary, backends: Default::default(), references: Default::default() };
        tokenizer.backend_for(Options::default())?;
        Ok(tokenizer)
    }

    /// Where a text in this mode is encoded: (continuation differs from start, place among the backends).
    fn slot(&self, options: Options) -> (bool, usize) {
        // A continuation that is the same as a start shares its backend.
        let continuation = options.continuation && self.config.has_prefix();
        (continuation, usize::from(continuation) * 2 + usize::from(!options.parse_special))
    }

    fn backend_for(&self, options: Options) -> Result<&Backend> {
        if options.special_tokens && options.continuation {
            return Err(Error::Option(
                "special_tokens=True with continuation=True: expected one of them; what continues a text starts with no special token"
                    .into(),
            ));
        }
        let (continuation, slot) = self.slot(options);
        let backend = self.backends[slot].get_or_init(|| {
            let twin = self.backends[slot ^ 1].get().and_then(|twin| twin.as_ref().ok());
            match twin.and_then(Backend::shared) {
                Some(shared) => Ok(shared),
                None => Backend::new(self.config.text(continuation)?, options.parse_special),
            }
        });
        backend.as_ref().map_err(Clone::clone)
    }

    fn encode_one(&self, backend: &Backend, text: &str, options: Options, ids: &mut Vec<PipelineToken>) -> std::result::Result<(), String> {
        if !backend.is_unsure_of(text) {
            return backend.encode(text, options, ids);
        }
        let (continuation, slot) = self.slot(options);
        let build = || Backend::reference(self.config.text(continuation)?, options.parse_special, String::new());
        let reference = self.references[slot].get_or_init(build).as_ref().map_err(ToString::to_string)?;
        reference.encode(text, options, ids)
    }

    /// Encode every row in parallel.
    ///
    /// # Errors
    /// [`Error::Input`] for a text that the model cannot encode, [`Error::Interrupted`].
    pub fn encode(&self, texts: &[Option<&str>], options: Options, control: &Control) -> Result<Encoded> {
        let backend = self.backend_for(options)?;
        let parts = in_chunks(texts, control, |first, texts| {
            let mut ids = Vec::with_capacity(texts.iter().flatten().map(|text| text.len() / 3).sum());
            let mut ends = Vec::with_capacity(texts.len());
            for (row, text) in texts.iter().enumerate() {
                if let Some(text) = text {
                    self.encode_one(backend, text, options, &mut ids).map_err(|error| at_row(first + row, &error))?;
                }
                ends.push(ids.len());
            }
            Ok((ids, ends))
        })?;
        let mut encoded = Encoded {
            ids: Vec::with_capacity(parts.iter().map(|(ids, _)| ids.len()).sum()),
            offsets: Vec::with_capacity(texts.len() + 1),
            valid: texts.iter().map(Option::is_some).collect(),
        };
        encoded.offsets.push(0);
        for (ids, ends) in parts {
            let base = encoded.ids.len();
            encoded.offsets.extend(ends.into_iter().map(|end| (base + end) as i64));
            encoded.ids.extend_from_slice(PipelineToken::cast_slice(&ids));
        }
        Ok(encoded)
    }

    /// Count the ids of every row without keeping them.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn count(&self, texts: &[Option<&str>], options: Options, control: &Control) -> Result<Vec<Option<u32>>> {
        let backend = self.backend_for(options)?;
        let parts = in_chunks(texts, control, |first, texts| {
            let mut ids = Vec::new();
            let count = |(row, text): (usize, &Option<&str>)| {
                let Some(text) = text else { return Ok(None) };
                ids.clear();
                self.encode_one(backend, text, options, &mut ids).map_err(|error| at_row(first + row, &error))?;
                Ok(Some(u32::try_from(ids.len()).unwrap_or(u32::MAX)))
            };
            texts.iter().enumerate().map(count).collect::<Result<Vec<_>>>()
        })?;
        Ok(parts.concat())
    }

    /// Text of every row of ids; ids that no token has are passed over, as in Python.
    ///
    /// # Errors
    /// [`Error::Input`] when the file's decoder cannot decode a row, [`Error::Interrupted`].
    pub fn decode(&self, rows: &[Option<&[u32]>], skip_special: bool, control: &Control) -> Result<Vec<Option<String>>> {
        let backend = self.backend_for(Options::default())?;
        let parts = in_chunks(rows, control, |first, rows| {
            let text = |(row, ids): (usize, &Option<&[u32]>)| {
                ids.map(|ids| backend.decode(ids, skip_special).map_err(|error| at_row(first + row, &error))).transpose()
            };
            rows.iter().enumerate().map(text).collect::<Result<Vec<_>>>()
        })?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// The id of a token, added ones included.
    #[must_use]
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.vocabulary.id(token)
    }

    /// The token of an id, as the vocabulary spells it.
    #[must_use]
    pub fn id_to_token(&self, id: u32) -> Option<&str> {
        self.vocabulary.token(id)
    }

    /// Number of distinct tokens, added ones included.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// Tokens that the file adds to its model, by id.
    #[must_use]
    pub fn added(&self) -> &[Added] {
        self.vocabulary.added()
    }

    /// Which implementation runs: `tokenizers 1.0` or `tokenizers 0.23`.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend_for(Options::default()).map_or("none", Backend::name)
    }

    /// Why it is not 1.0.
    #[must_use]
    pub fn backend_reason(&self) -> Option<&str> {
        self.backend_for(Options::default()).ok().and_then(Backend::reason)
    }
}

/// `kernel(first row, rows)` for every chunk of rows.
fn in_chunks<R: Sync, T: Send>(rows: &[R], control: &Control, kernel: impl Fn(usize, &[R]) -> Result<T> + Sync) -> Result<Vec<T>> {
    map(rows.len().div_ceil(ROWS), |chunk| {
        control.check()?;
        let first = chunk * ROWS;
        let rows = &rows[first..rows.len().min(first + ROWS)];
        let done = kernel(first, rows)?;
        control.advance(rows.len());
        Ok(done)
    })
}

fn at_row(row: usize, error: &str) -> Error {
    Error::Input(format!("row {row}: cannot be tokenized: {error}"))
}
