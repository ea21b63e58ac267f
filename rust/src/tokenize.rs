//! Tokenizers of the `tokenizer.json` format: ids as the Python package `tokenizers` gives them, many times faster.
//!
//! Three backends: our own where it reproduces the configuration, else the 1.0 crate where it gives the same ids, else 0.23,
//! which is what the Python package runs. Padding, truncation and dropout in the file are not honoured: a row's ids are
//! all its ids, always.

mod added;
mod backend;
mod bert;
mod config;
mod decode;
mod gaps;
mod letters;
mod merges;
mod own;
mod parts;
mod patterns;
mod recent;
mod recipe;
mod sentences;
mod vocabulary;
mod words;

use std::sync::OnceLock;

use tokenizers::pipeline::PipelineToken;

use crate::error::{Error, Result};
use crate::parallel::{Control, map};
use backend::Backend;
use config::Config;
use decode::Decoder;
use own::{Own, Scratch};
pub use vocabulary::Added;
use vocabulary::Vocabulary;
use words::{Count, Sink};

/// Name of our own backend.
const OWN: &str = "tunesmith";
/// Rows between two looks at the control.
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
    /// Built when first asked for; `None` where only 0.23 decodes.
    decoder: OnceLock<Option<Decoder>>,
    /// For a start and for a continuation; else why not.
    own: std::result::Result<[Own; 2], String>,
    /// 0.23 was asked for.
    slow: bool,
    /// Built when first asked for: (start, parse), (start, plain), (continuation, parse), (continuation, plain).
    backends: [OnceLock<Result<Backend>>; 4],
    /// 0.23 in the same order, for texts that the Unicode tables of the others take for something else.
    references: [OnceLock<Result<Backend>>; 4],
}

/// What encodes in one mode.
enum Way<'a> {
    Own(&'a Own),
    Backend(&'a Backend),
}

impl Tokenizer {
    /// Read the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Input`] when it is no tokenizer that any backend takes.
    pub fn from_json(text: &str) -> Result<Self> {
        Self::with_backend(text, None)
    }

    /// [`from_json`](Self::from_json) with one backend named, or the fastest that takes the configuration.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json), and [`Error::Option`] when the backend named does not take the configuration.
    pub fn with_backend(text: &str, backend: Option<&str>) -> Result<Self> {
        let root = config::parse(text)?;
        let vocabulary = Vocabulary::new(&root);
        let own = match backend {
            None | Some(OWN) => Own::read(&root, &vocabulary).map(|own| [own.clone(), own.continuation()]),
            Some(other) => Err(format!("{other} was asked for")),
        };
        let slow = backend == Some(backend::OLD);
        let config = Config::new(root);
        let tokenizer =
            Self { config, vocabulary, decoder: OnceLock::new(), own, slow, backends: Default::default(), references: Default::default() };
        if tokenizer.own.is_err() {
            tokenizer.backend_for(Options::default())?;
        }
        match backend {
            Some(wanted) if tokenizer.backend() != wanted => {
                let why = tokenizer.backend_reason().unwrap_or_default();
                Err(Error::Option(format!("backend={wanted:?}: it does not take this configuration ({why}); leave it to us with None")))
            }
            _ => Ok(tokenizer),
        }
    }

    /// Where a text in this mode is encoded: (continuation differs from start, place among the backends).
    fn slot(&self, options: Options) -> (bool, usize) {
        // A continuation that is the same as a start shares its backend.
        let continuation = options.continuation && self.config.has_prefix();
        (continuation, usize::from(continuation) * 2 + usize::from(!options.parse_special))
    }

    fn way(&self, options: Options) -> Result<Way<'_>> {
        if options.special_tokens && options.continuation {
            return Err(Error::Option(
                "special_tokens=True with continuation=True: expected one of them; what continues a text starts with no special token"
                    .into(),
            ));
        }
        match &self.own {
            Ok(own) => Ok(Way::Own(&own[usize::from(options.continuation)])),
            Err(_) => self.backend_for(options).map(Way::Backend),
        }
    }

    fn backend_for(&self, options: Options) -> Result<&Backend> {
        let (continuation, slot) = self.slot(options);
        let backend = self.backends[slot].get_or_init(|| {
            let twin = self.backends[slot ^ 1].get().and_then(|twin| twin.as_ref().ok());
            match twin.and_then(Backend::shared) {
                Some(shared) => Ok(shared),
                None if self.slow => Backend::reference(&self.config.text(continuation)?, options.parse_special, String::new()),
                None => Backend::new(&self.config.text(continuation)?, options.parse_special),
            }
        });
        backend.as_ref().map_err(Clone::clone)
    }

    fn reference_for(&self, options: Options) -> std::result::Result<&Backend, String> {
        let (continuation, slot) = self.slot(options);
        let build = || Backend::reference(&self.config.text(continuation)?, options.parse_special, String::new());
        self.references[slot].get_or_init(build).as_ref().map_err(ToString::to_string)
    }

    /// Put the ids of each text that is not null into `sink`, in order; after each row call `done` with whether it has any.
    /// `first` is the row of the first text.
    fn each<S: Sink>(
        &self,
        way: &Way<'_>,
        options: Options,
        texts: &[Option<&str>],
        first: usize,
        sink: &mut S,
        mut done: impl FnMut(&mut S, bool),
    ) -> Result<()> {
        let mut tokens = Vec::new();
        let mut by = |backend: &Backend, text: &str, sink: &mut S| {
            tokens.clear();
            backend.encode(text, options, &mut tokens).map(|()| sink.many(PipelineToken::cast_slice(&tokens)))
        };
        let mut all = |mut scratch: Option<&mut Scratch>| {
            for (row, text) in texts.iter().enumerate() {
                let Some(text) = text else {
                    done(sink, false);
                    continue;
                };
                let other = match (way, &mut scratch) {
                    (Way::Own(own), Some(scratch)) => (!own.encode(text, options, scratch, sink)).then(|| self.reference_for(options)),
                    (Way::Backend(backend), _) if !backend.is_unsure_of(text) => Some(Ok(*backend)),
                    _ => Some(self.reference_for(options)),
                };
                if let Some(backend) = other {
                    let encoded = backend.and_then(|backend| by(backend, text, sink));
                    encoded.map_err(|error| Error::Input(format!("row {}: cannot be tokenized: {error}", first + row)))?;
                }
                done(sink, true);
            }
            Ok(())
        };
        match way {
            Way::Own(own) => own.parts.pool.with(|scratch| all(Some(scratch))),
            Way::Backend(_) => all(None),
        }
    }

    /// Encode every row in parallel.
    ///
    /// # Errors
    /// [`Error::Input`] for a text that the model cannot encode, [`Error::Interrupted`].
    pub fn encode(&self, texts: &[Option<&str>], options: Options, control: &Control) -> Result<Encoded> {
        let way = self.way(options)?;
        let parts = parts::map(texts, control, |first, texts, bytes| {
            let mut ids = Vec::with_capacity(bytes / 3);
            let mut ends = Vec::with_capacity(texts.len());
            for (step, texts) in texts.chunks(ROWS).enumerate() {
                control.check()?;
                self.each(&way, options, texts, first + step * ROWS, &mut ids, |ids, _| ends.push(ids.len()))?;
                control.advance(texts.len());
            }
            Ok((ids, ends))
        })?;
        let mut offsets = Vec::with_capacity(texts.len() + 1);
        offsets.push(0);
        let mut base = 0;
        for (ids, ends) in &parts {
            offsets.extend(ends.iter().map(|end| (base + end) as i64));
            base += ids.len();
        }
        let ids = parts::join(parts.into_iter().map(|(ids, _)| ids).collect());
        Ok(Encoded { ids, offsets, valid: texts.iter().map(Option::is_some).collect() })
    }

    /// Count the ids of every row without keeping them.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn count(&self, texts: &[Option<&str>], options: Options, control: &Control) -> Result<Vec<Option<u32>>> {
        let way = self.way(options)?;
        let parts = parts::map(texts, control, |first, texts, _| {
            let mut counts = Vec::with_capacity(texts.len());
            for (step, texts) in texts.chunks(ROWS).enumerate() {
                control.check()?;
                self.each(&way, options, texts, first + step * ROWS, &mut Count::default(), |count, valid| {
                    let ids = u32::try_from(std::mem::take(&mut count.0)).unwrap_or(u32::MAX);
                    counts.push(valid.then_some(ids));
                })?;
                control.advance(texts.len());
            }
            Ok(counts)
        })?;
        Ok(parts.concat())
    }

    /// Text of every row of ids; ids that no token has are passed over, as in Python.
    ///
    /// # Errors
    /// [`Error::Input`] when the file's decoder cannot decode a row, [`Error::Interrupted`].
    pub fn decode(&self, rows: &[Option<&[u32]>], skip_special: bool, control: &Control) -> Result<Vec<Option<String>>> {
        // What we do not decode, 0.23 does; 1.0 spells added tokens otherwise.
        let read = || Decoder::read(&config::parse(&self.config.text(false).ok()?).ok()?, &self.vocabulary);
        let decoder = self.decoder.get_or_init(read).as_ref();
        let other = decoder.is_none().then(|| self.reference_for(Options::default()).map_err(Error::Input)).transpose()?;
        let parts = map(rows.len().div_ceil(ROWS), |chunk| {
            control.check()?;
            let first = chunk * ROWS;
            let rows = &rows[first..rows.len().min(first + ROWS)];
            let text = |(row, ids): (usize, &Option<&[u32]>)| {
                let Some(ids) = *ids else { return Ok(None) };
                match (decoder, other) {
                    (Some(decoder), _) => decoder.text(ids, skip_special, control).map(Some),
                    (None, Some(other)) => other
                        .decode(ids, skip_special)
                        .map(Some)
                        .map_err(|error| Error::Input(format!("row {}: cannot be decoded: {error}", first + row))),
                    (None, None) => Ok(None),
                }
            };
            let texts = rows.iter().enumerate().map(text).collect::<Result<Vec<_>>>()?;
            control.advance(rows.len());
            Ok(texts)
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

    /// Which implementation runs: `tunesmith`, `tokenizers 1.0` or `tokenizers 0.23`.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        match &self.own {
            Ok(_) => OWN,
            Err(_) => self.backend_for(Options::default()).map_or("none", Backend::name),
        }
    }

    /// Why it is not a faster one.
    #[must_use]
    pub fn backend_reason(&self) -> Option<String> {
        let own = self.own.as_ref().err()?;
        let other = self.backend_for(Options::default()).ok().and_then(Backend::reason);
        Some(std::iter::once(own.as_str()).chain(other.filter(|why| !why.is_empty())).collect::<Vec<_>>().join("; "))
    }
}
