//! The two crates.

use std::sync::Arc;

use serde_json::Value;
use tokenizers::pipeline::{EncodeOptions, Override, PipelineToken, PipelineTokenizer};
use tokenizers_reference::Tokenizer as Reference;

use super::gaps::Gaps;
use super::{Options, recent};
use crate::error::{Error, Result};

/// Names of the two.
pub const NEW: &str = "tokenizers 1.0";
pub const OLD: &str = "tokenizers 0.23";

/// One way to encode; made for one reading of special tokens where the implementation fixes it.
pub enum Backend {
    /// tokenizers 1.0: no offsets, no allocation per call. With the bytes that its vocabulary lacks.
    Pipeline(PipelineTokenizer, Arc<Option<Gaps>>),
    /// tokenizers 0.23, the implementation of the Python package, and why 1.0 does not do.
    Reference(Box<Reference>, String),
}

impl Backend {
    /// Build from the text of a `tokenizer.json`: 1.0 where it gives the ids that 0.23 gives, else 0.23.
    pub fn new(text: &str, parse_special: bool) -> Result<Self> {
        match pipeline(text) {
            Ok((pipeline, gaps)) => Ok(Self::Pipeline(pipeline, Arc::new(gaps))),
            Err(why) => Self::reference(text, parse_special, why),
        }
    }

    /// Build 0.23; `why` not 1.0.
    pub fn reference(text: &str, parse_special: bool, why: String) -> Result<Self> {
        match text.parse::<Reference>() {
            Ok(mut reference) => {
                reference.set_encode_special_tokens(!parse_special);
                Ok(Self::Reference(Box::new(reference), why))
            }
            Err(error) => Err(Error::Input(format!("expected a tokenizer.json; found one that cannot be built: {error} (and: {why})"))),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Pipeline(..) => NEW,
            Self::Reference(..) => OLD,
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Pipeline(..) => None,
            Self::Reference(_, why) => Some(why),
        }
    }

    /// The same backend for the other reading of special tokens, where it serves both.
    pub fn shared(&self) -> Option<Self> {
        match self {
            Self::Pipeline(pipeline, gaps) => Some(Self::Pipeline(pipeline.clone(), gaps.clone())),
            Self::Reference(..) => None,
        }
    }

    /// Whether 0.23 may give other ids for `text`.
    pub fn is_unsure_of(&self, text: &str) -> bool {
        match self {
            Self::Pipeline(_, gaps) => recent::holds(text) || gaps.as_ref().as_ref().is_some_and(|gaps| gaps.meet(text)),
            Self::Reference(..) => false,
        }
    }

    /// Append the ids of `text`.
    pub fn encode(&self, text: &str, options: Options, ids: &mut Vec<PipelineToken>) -> std::result::Result<(), String> {
        match self {
            Self::Pipeline(pipeline, _) => {
                let options = EncodeOptions {
                    add_special_tokens: options.special_tokens,
                    encode_special_tokens: !options.parse_special,
                    padding: Override::Off,
                    truncation: Override::Off,
                };
                pipeline.encode_into(text, &options, ids).map_err(|error| error.to_string())
            }
            Self::Reference(reference, _) => {
                let encoding = reference.encode_fast(text, options.special_tokens).map_err(|error| error.to_string())?;
                ids.extend(encoding.get_ids().iter().map(|&id| PipelineToken::from(id)));
                Ok(())
            }
        }
    }

    pub fn decode(&self, ids: &[u32], skip_special: bool) -> std::result::Result<String, String> {
        match self {
            Self::Pipeline(pipeline, _) => pipeline.decode(ids, skip_special).map_err(|error| error.to_string()),
            Self::Reference(reference, _) => reference.decode(ids, skip_special).map_err(|error| error.to_string()),
        }
    }
}

/// Short texts of several scripts: a component that 1.0 reads but cannot run (a `Split` on a pattern that it does not
/// know by heart) fails on the first of them.
const TRIAL: [&str; 5] = ["a", " b 1.\n", "é", "中", "🙂"];

fn pipeline(text: &str) -> std::result::Result<(PipelineTokenizer, Option<Gaps>), String> {
    let mut root: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if let Some(why) = differs(&root) {
        return Err(format!("tokenizers 1.0 encodes otherwise: {why}"));
    }
    let gaps = Gaps::fill(&mut root);
    tokenizers::canonicalize_value(&mut root).map_err(|error| error.to_string())?;
    let pipeline = tokenizers::from_json(&root.to_string()).map_err(|error| error.to_string())?;
    let options = EncodeOptions::no_specials();
    TRIAL.iter().try_for_each(|text| pipeline.encode_into(text, &options, &mut Vec::new())).map_err(|error| error.to_string())?;
    Ok((pipeline, gaps))
}

/// What 1.0 reads but encodes otherwise than 0.23, found by comparing both on random text.
fn differs(root: &Value) -> Option<&'static str> {
    let added = root["added_tokens"].as_array().map_or(&[][..], Vec::as_slice);
    let any = |test: &dyn Fn(&Value) -> bool| added.iter().any(test);
    let model = &root["model"];
    let affix = |name: &str| model["merges"].is_array() && model[name].as_str().is_some_and(|affix| !affix.is_empty());
    if any(&|token| token["single_word"] == true) {
        return Some("an added token that must stand alone (single_word)");
    }
    // 1.0 runs Metaspace before it looks for these tokens, 0.23 after.
    if any(&|token| token["normalized"] == true) && has(&root["pre_tokenizer"], &|node| node["type"] == "Metaspace") {
        return Some("added tokens in normalized text beside a Metaspace pre-tokenizer");
    }
    // Decoding, too: 0.23 does not know the normalized form for special.
    if any(&|token| token["normalized"] == true && token["special"] == true) && !root["normalizer"].is_null() {
        return Some("special tokens in normalized text");
    }
    if affix("end_of_word_suffix") || affix("continuing_subword_prefix") {
        return Some("a BPE with marked word parts");
    }
    // Two engines with Unicode tables of different years.
    let classes =
        |node: &Value| node["pattern"]["Regex"].as_str().is_some_and(|pattern| pattern.contains(['\\', '.', '[']) || !pattern.is_ascii());
    if has(&root["normalizer"], &|node| node["type"] == "Replace" && classes(node)) {
        return Some("a Replace normalizer of character classes");
    }
    None
}

/// Whether a component or one of those it is made of passes `test`.
fn has(node: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    let members = ["normalizers", "pretokenizers"].iter().filter_map(|key| node[key].as_array()).flatten();
    test(node) || members.into_iter().any(|member| has(member, test))
}
