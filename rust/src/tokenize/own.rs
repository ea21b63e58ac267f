//! Our own way: known pre-tokenizers written out, words looked up, new ones merged. For configurations that it reproduces
//! exactly (see `recipe.rs`); three to ten times the speed of the crates.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use unicode_normalization::UnicodeNormalization;

use super::added::{Added, Part};
use super::bert::Bert;
use super::letters::is_composed;
use super::merges::{Merges, Work};
use super::patterns::Pattern;
use super::sentences::{MARK, Sentences};
use super::words::{Sink, Words};
use super::{Options, recent};

/// One configuration.
#[derive(Clone)]
pub struct Own {
    pub parts: Arc<Parts>,
    pub prefix: Prefix,
}

/// What stays the same for texts that go on where others ended.
pub struct Parts {
    /// Texts are brought into normal form C.
    pub compose: bool,
    /// Tokens found in the text as it is.
    pub raw: Option<Added>,
    /// Tokens found in what normalization makes of the rest.
    pub normalized: Option<Added>,
    pub model: Model,
    /// What the post-processor puts around a text.
    pub around: (Vec<u32>, Vec<u32>),
    pub pool: Pool,
}

/// The space before a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    None,
    /// Before every stretch between added tokens, spaces or not.
    Every,
    /// Before every stretch that does not start with one.
    Missing,
    /// Before a text that does not start with one.
    First,
}

pub enum Model {
    Bytes(Bytes),
    Sentences(Sentences),
    Bert(Bert),
}

/// Byte-level BPE.
pub struct Bytes {
    pub pattern: Pattern,
    pub merges: Merges,
    /// The token of each byte; [`u32::MAX`] for none: such a byte is passed over.
    pub symbols: Box<[u32; 256]>,
    /// Every token by its bytes, for models that take a word that is a token for that token.
    pub whole: Option<FxHashMap<Box<[u8]>, u32>>,
}

/// What one worker needs, kept from call to call.
#[derive(Default)]
pub struct Scratch {
    words: Words,
    symbols: Vec<u32>,
    work: Work,
    prefixed: String,
}

/// Scratches that no worker has at the moment.
#[derive(Default)]
pub struct Pool(Mutex<Vec<Scratch>>);

impl Pool {
    /// Call `task` with a scratch. Never waits: in a forked child another thread may hold the lock for ever.
    pub fn with<T>(&self, task: impl FnOnce(&mut Scratch) -> T) -> T {
        let mut scratch = self.0.try_lock().ok().and_then(|mut free| free.pop()).unwrap_or_default();
        let done = task(&mut scratch);
        if let Ok(mut free) = self.0.try_lock() {
            free.push(scratch);
        }
        done
    }
}

impl Own {
    /// The same for texts that go on where others ended.
    pub fn continuation(&self) -> Self {
        Self { parts: self.parts.clone(), prefix: Prefix::None }
    }

    /// Put the ids of `text` into `sink`. False, and nothing done, for a text that normalizes otherwise in the Unicode of
    /// the Python package.
    pub fn encode(&self, text: &str, options: Options, scratch: &mut Scratch, sink: &mut impl Sink) -> bool {
        let parts = &*self.parts;
        let compose = parts.compose && !is_composed(text);
        let decompose = matches!(&parts.model, Model::Bert(bert) if bert.strip);
        if (compose || decompose) && recent::holds(text) {
            return false;
        }
        if options.special_tokens {
            sink.many(&parts.around.0);
        }
        split(parts.raw.as_ref(), text, options, |part| match part {
            Part::Token(id) => sink.many(&[id]),
            Part::Text(start, end) => {
                let stretch = &text[start..end];
                let stretch = if compose { Cow::Owned(stretch.nfc().collect()) } else { Cow::Borrowed(stretch) };
                split(parts.normalized.as_ref(), &stretch, options, |part| match part {
                    Part::Token(id) => sink.many(&[id]),
                    Part::Text(from, to) => self.stretch(&stretch[from..to], start + from == 0, scratch, sink),
                });
            }
        });
        if options.special_tokens {
            sink.many(&parts.around.1);
        }
        true
    }

    /// A stretch between added tokens.
    fn stretch(&self, text: &str, first: bool, scratch: &mut Scratch, sink: &mut impl Sink) {
        let add = match self.prefix {
            Prefix::None => false,
            Prefix::Every => true,
            Prefix::First if !first => false,
            Prefix::Missing | Prefix::First => match &self.parts.model {
                Model::Sentences(_) => !text.starts_with([' ', MARK]),
                Model::Bytes(_) | Model::Bert(_) => !text.starts_with(' '),
            },
        };
        let Scratch { words, symbols, work, prefixed } = scratch;
        let text = if add {
            prefixed.clear();
            prefixed.push(' ');
            prefixed.push_str(text);
            prefixed
        } else {
            text
        };
        match &self.parts.model {
            Model::Bytes(model) => model.pattern.pieces(text, |start, end| {
                words.take(text, start, end, sink, |word| {
                    model.encode(word.as_bytes(), symbols, work);
                    symbols
                });
            }),
            Model::Sentences(model) => model.pieces(text, |start, end| {
                words.take(text, start, end, sink, |piece| {
                    model.symbols(piece, symbols);
                    model.merges.apply(symbols, work);
                    symbols
                });
            }),
            Model::Bert(model) => model.pieces(text, |start, end| {
                words.take(text, start, end, sink, |piece| {
                    model.encode(piece, symbols);
                    symbols
                });
            }),
        }
    }
}

fn split(added: Option<&Added>, text: &str, options: Options, mut take: impl FnMut(Part)) {
    match added {
        Some(added) => added.split(text, options.parse_special, take),
        None if text.is_empty() => {}
        None => take(Part::Text(0, text.len())),
    }
}

impl Bytes {
    fn encode(&self, word: &[u8], symbols: &mut Vec<u32>, work: &mut Work) {
        symbols.clear();
        if let Some(&id) = self.whole.as_ref().and_then(|whole| whole.get(word)) {
            symbols.push(id);
            return;
        }
        symbols.extend(word.iter().map(|&byte| self.symbols[usize::from(byte)]).filter(|&symbol| symbol != u32::MAX));
        self.merges.apply(symbols, work);
    }
}
