//! The configuration, and its twin for text that continues an earlier span.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// Two configurations that differ in the dummy prefix alone.
pub struct Config {
    start: String,
    continuation: Continuation,
}

enum Continuation {
    /// The configuration puts nothing before a text.
    Same,
    /// It does.
    Without,
    /// It cannot be taken away; says why.
    Impossible(String),
}

/// The root of a `tokenizer.json`, without padding, truncation and dropout.
pub fn parse(text: &str) -> Result<Value> {
    let broken = |found: String| Error::Input(format!("expected a tokenizer.json: an object with a \"model\"; found {found}"));
    let mut root: Value = serde_json::from_str(text).map_err(|error| broken(format!("broken JSON: {error}")))?;
    if !root["model"].is_object() {
        let kind = if root.is_object() { "an object without it" } else { "another value" };
        return Err(broken(kind.to_owned()));
    }
    root["padding"] = Value::Null;
    root["truncation"] = Value::Null;
    if !root["model"]["dropout"].is_null() {
        root["model"]["dropout"] = Value::Null;
    }
    Ok(root)
}

impl Config {
    /// From the root.
    pub fn new(mut root: Value) -> Self {
        let start = root.to_string();
        let continuation = match without_prefix(&mut root) {
            Ok(true) => Continuation::Without,
            Ok(false) => Continuation::Same,
            Err(why) => Continuation::Impossible(why),
        };
        Self { start, continuation }
    }

    /// Whether a start and a continuation differ.
    pub fn has_prefix(&self) -> bool {
        !matches!(self.continuation, Continuation::Same)
    }

    /// The configuration as text.
    pub fn text(&self, continuation: bool) -> Result<Cow<'_, str>> {
        match &self.continuation {
            Continuation::Without if continuation => {
                let mut root = parse(&self.start)?;
                without_prefix(&mut root).map_err(Error::Option)?;
                Ok(root.to_string().into())
            }
            Continuation::Impossible(why) if continuation => Err(Error::Option(format!("continuation=True: {why}"))),
            _ => Ok(self.start.as_str().into()),
        }
    }
}

/// Take away what puts a space before a text; says whether there was anything.
fn without_prefix(root: &mut Value) -> std::result::Result<bool, String> {
    let normalizer = without_prepend(&mut root["normalizer"]);
    let pre_tokenizer = without_space(&mut root["pre_tokenizer"])?;
    Ok(normalizer || pre_tokenizer)
}

fn kind(node: &Value) -> &str {
    node["type"].as_str().unwrap_or_default()
}

fn without_prepend(node: &mut Value) -> bool {
    match kind(node) {
        "Prepend" => {
            *node = Value::Null;
            true
        }
        "Sequence" => {
            let Some(members) = node["normalizers"].as_array_mut() else { return false };
            let before = members.len();
            let nested =
                members.iter_mut().filter(|member| kind(member) == "Sequence").map(without_prepend).fold(false, |any, one| any | one);
            members.retain(|member| kind(member) != "Prepend");
            nested || members.len() < before
        }
        _ => false,
    }
}

fn without_space(node: &mut Value) -> std::result::Result<bool, String> {
    match kind(node) {
        "Metaspace" => {
            let had = node["prepend_scheme"].as_str().is_none_or(|scheme| scheme != "never");
            node["prepend_scheme"] = json!("never");
            node["add_prefix_space"] = json!(false);
            Ok(had)
        }
        "ByteLevel" => {
            // The Python package's default is true, and its files always say it.
            let had = node["add_prefix_space"].as_bool().unwrap_or(true);
            node["add_prefix_space"] = json!(false);
            Ok(had)
        }
        "Sequence" => {
            let Some(members) = node["pretokenizers"].as_array_mut() else { return Ok(false) };
            let cuts = members.iter().position(|member| matches!(kind(member), "WhitespaceSplit" | "Whitespace"));
            let adds = members.iter().position(|member| kind(member) == "Metaspace");
            if cuts.zip(adds).is_some_and(|(cuts, adds)| cuts < adds) {
                return Err("this tokenizer cuts text at white space and marks every word alike, so that the start of a word cannot be \
                            told from its continuation (the T5 and ALBERT family); use a tokenizer of a causal model"
                    .into());
            }
            members.iter_mut().map(without_space).try_fold(false, |any, one| Ok(any | one?))
        }
        _ => Ok(false),
    }
}
