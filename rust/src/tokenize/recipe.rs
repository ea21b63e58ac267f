//! Which configurations our own way reproduces exactly, and how they are read.

use std::collections::HashSet;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::added::{Added, Token};
use super::bert::Bert;
use super::gaps::names;
use super::letters::is_composed;
use super::merges::Merges;
use super::own::{Bytes, Model, Own, Parts, Pool, Prefix};
use super::patterns::Pattern;
use super::sentences::{MARK, Sentences};
use super::vocabulary::Vocabulary;

type Read<T> = Result<T, String>;

/// How a text becomes words.
enum Cut {
    Bytes(Pattern),
    /// Characters; whether every mark starts a word.
    Sentences(bool),
    Bert,
}

impl Own {
    /// From the root of a `tokenizer.json`; else why not.
    pub fn read(root: &Value, vocabulary: &Vocabulary) -> Read<Self> {
        let mut stages = Stages::default();
        stages.normalizer(&root["normalizer"])?;
        let cut = stages.cut(&root["pre_tokenizer"])?;
        let around = around(&root["post_processor"])?;
        let (raw, normalized) = added(root, vocabulary, &stages)?;
        let model = match cut {
            Cut::Bert => word_piece(&root["model"], &root["normalizer"])?,
            cut => pairs(&root["model"], cut)?,
        };
        let parts = Parts { compose: stages.compose, raw, normalized, model, around, pool: Pool::default() };
        Ok(Self { parts: parts.into(), prefix: stages.prefix })
    }
}

fn kind(node: &Value) -> &str {
    node["type"].as_str().unwrap_or_default()
}

/// The members of a sequence, or the one that stands alone.
fn members<'a>(node: &'a Value, key: &str) -> Vec<&'a Value> {
    match node[key].as_array() {
        Some(nodes) if kind(node) == "Sequence" => nodes.iter().flat_map(|node| members(node, key)).collect(),
        _ if node.is_null() => Vec::new(),
        _ => vec![node],
    }
}

struct Stages {
    compose: bool,
    /// The normalizer puts marks in the place of spaces.
    spaces: bool,
    /// It is BERT's.
    bert: bool,
    prefix: Prefix,
}

impl Default for Stages {
    fn default() -> Self {
        Self { compose: false, spaces: false, bert: false, prefix: Prefix::None }
    }
}

impl Stages {
    fn normalizer(&mut self, node: &Value) -> Read<()> {
        let members = members(node, "normalizers");
        for node in &members {
            match kind(node) {
                "BertNormalizer" if members.len() == 1 => self.bert = true,
                "NFC" if !self.spaces && self.prefix == Prefix::None => self.compose = true,
                "Prepend" if !self.spaces && !self.compose && node["prepend"] == MARK.to_string() && self.prefix == Prefix::None => {
                    self.prefix = Prefix::Every;
                }
                "Replace" if node["pattern"]["String"] == " " && node["content"] == MARK.to_string() && !self.compose => self.spaces = true,
                other => return Err(format!("the normalizer {other}")),
            }
        }
        if self.prefix == Prefix::Every && !self.spaces { Err("the normalizer Prepend".into()) } else { Ok(()) }
    }

    fn cut(&mut self, node: &Value) -> Read<Cut> {
        let members = members(node, "pretokenizers");
        match members.as_slice() {
            [bert] if kind(bert) == "BertPreTokenizer" && self.bert => Ok(Cut::Bert),
            _ if self.bert => Err("BERT's normalizer without its pre-tokenizer".into()),
            [] if self.spaces => Ok(Cut::Sentences(false)),
            // There is nothing left to split.
            [split] if self.spaces && kind(split) == "Split" && split["pattern"]["String"] == " " => Ok(Cut::Sentences(false)),
            [metaspace] if kind(metaspace) == "Metaspace" && !self.spaces && !self.compose => self.metaspace(metaspace),
            [bytes] if is_byte_level(bytes, true) && !self.spaces => {
                if bytes["add_prefix_space"] != false {
                    self.prefix = Prefix::Missing;
                }
                Ok(Cut::Bytes(Pattern::Gpt2))
            }
            [digits, bytes] if kind(digits) == "Digits" && is_byte_level(bytes, true) && !self.spaces => {
                let known = digits["individual_digits"] == true && bytes["add_prefix_space"] == false;
                if known { Ok(Cut::Bytes(Pattern::Gpt2Digits)) } else { Err("digits in groups, or a prefix before each".into()) }
            }
            [split, bytes] if kind(split) == "Split" && is_byte_level(bytes, false) && !self.spaces => {
                let plain = split["behavior"] == "Isolated" && split["invert"] == false && bytes["add_prefix_space"] == false;
                let pattern = split["pattern"]["Regex"].as_str().and_then(Pattern::known).filter(|_| plain);
                pattern.map(Cut::Bytes).ok_or_else(|| "a Split on a pattern that is not written out".into())
            }
            members => {
                let kinds: Vec<&str> = members.iter().map(|node| kind(node)).collect();
                Err(format!("the pre-tokenizer {}", if kinds.is_empty() { "null".into() } else { kinds.join(" and ") }))
            }
        }
    }

    fn metaspace(&mut self, node: &Value) -> Read<Cut> {
        let scheme = node["prepend_scheme"].as_str().unwrap_or_default();
        let agrees = node["add_prefix_space"] != false || scheme == "never";
        self.prefix = match scheme {
            "never" => Prefix::None,
            "first" => Prefix::First,
            "always" => Prefix::Missing,
            _ => return Err("a Metaspace of old".into()),
        };
        match node["split"].as_bool() {
            Some(words) if node["replacement"] == MARK.to_string() && agrees => Ok(Cut::Sentences(words)),
            _ => Err("a Metaspace of old".into()),
        }
    }
}

fn is_byte_level(node: &Value, regex: bool) -> bool {
    kind(node) == "ByteLevel" && node["use_regex"].as_bool().unwrap_or(true) == regex
}

/// The added tokens of both stages.
fn added(root: &Value, vocabulary: &Vocabulary, stages: &Stages) -> Read<(Option<Added>, Option<Added>)> {
    let (mut raw, mut normalized) = (Vec::new(), Vec::new());
    let mut known = HashSet::new();
    for entry in root["added_tokens"].as_array().map_or(&[][..], Vec::as_slice) {
        let Some(content) = entry["content"].as_str().filter(|content| !content.is_empty()) else { continue };
        let is = |name: &str| entry[name] == true;
        let id = vocabulary.id(content).ok_or_else(|| format!("the added token {content:?} without an id"))?;
        if is("single_word") || !known.insert(content) || raw.iter().chain(&normalized).any(|token: &Token| token.id == id) {
            return Err(format!("the added token {content:?}, which stands alone or twice"));
        }
        let normal = is("normalized");
        if normal && (stages.spaces || stages.bert || stages.compose && !is_composed(content)) {
            return Err(format!("the added token {content:?}, which is normalized"));
        }
        let token = Token { id, content: content.to_owned(), special: is("special"), left: is("lstrip"), right: is("rstrip") };
        if normal { normalized.push(token) } else { raw.push(token) }
    }
    let made = |tokens: Vec<Token>| {
        if tokens.is_empty() { Ok(None) } else { Added::new(tokens).map(Some).ok_or_else(|| "the added tokens".to_owned()) }
    };
    Ok((made(raw)?, made(normalized)?))
}

/// Ids that the post-processor puts before and behind a text.
fn around(node: &Value) -> Read<(Vec<u32>, Vec<u32>)> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for node in members(node, "processors") {
        let token = |key: &str| as_id(&node[key][1]).map(|id| vec![id]).ok_or_else(|| format!("a post-processor without {key}"));
        let (first, last) = match kind(node) {
            "ByteLevel" => continue,
            "BertProcessing" | "RobertaProcessing" => (token("cls")?, token("sep")?),
            "TemplateProcessing" => template(node)?,
            other => return Err(format!("the post-processor {other}")),
        };
        before = [first, before].concat();
        after = [after, last].concat();
    }
    Ok((before, after))
}

fn template(node: &Value) -> Read<(Vec<u32>, Vec<u32>)> {
    let unknown = || "a post-processor's template".to_owned();
    let (mut before, mut after, mut seen) = (Vec::new(), Vec::new(), false);
    for piece in node["single"].as_array().ok_or_else(unknown)? {
        if let Some(token) = piece["SpecialToken"]["id"].as_str() {
            let ids = node["special_tokens"][token]["ids"].as_array().ok_or_else(unknown)?;
            let ids = ids.iter().map(as_id).collect::<Option<Vec<_>>>().ok_or_else(unknown)?;
            if seen { after.extend(ids) } else { before.extend(ids) }
        } else if piece["Sequence"]["id"] == "A" && !seen {
            seen = true;
        } else {
            return Err(unknown());
        }
    }
    if seen { Ok((before, after)) } else { Err(unknown()) }
}

fn as_id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| u32::try_from(id).ok()).filter(|&id| id != u32::MAX)
}

/// BPE.
fn pairs(node: &Value, cut: Cut) -> Read<Model> {
    if !node["merges"].is_array() || !matches!(kind(node), "BPE" | "") {
        return Err(format!("the model {}", kind(node)));
    }
    let affix = |name: &str| node[name].as_str().is_some_and(|affix| !affix.is_empty());
    if affix("end_of_word_suffix") || affix("continuing_subword_prefix") || !node["dropout"].is_null() {
        return Err("a BPE with marked word parts".into());
    }
    let ids = ids(node)?;
    let (merges, products) = merges(node, &ids)?;
    let whole = node["ignore_merges"] == true;
    match cut {
        Cut::Bert => Err("a BPE of BERT".into()),
        Cut::Bytes(pattern) => {
            let plain = node["unk_token"].is_null() && node["byte_fallback"] != true;
            let symbols: Vec<u32> = names().map(|name| ids.get(name.as_str()).copied().unwrap_or(u32::MAX)).collect();
            if !plain && symbols.contains(&u32::MAX) {
                return Err("bytes without a token".into());
            }
            let symbols = symbols.try_into().map_err(|_| "not 256 bytes")?;
            let bytes: FxHashMap<char, u8> = names().zip(0..=255).filter_map(|(name, byte)| Some((name.chars().next()?, byte))).collect();
            let spelt = |token: &str| token.chars().map(|c| bytes.get(&c).copied()).collect::<Option<Box<[u8]>>>();
            let whole = whole.then(|| ids.iter().filter_map(|(token, &id)| Some((spelt(token)?, id))).collect());
            Ok(Model::Bytes(Bytes { pattern, merges: Merges::new(&merges), symbols, whole }))
        }
        Cut::Sentences(words) => {
            let bytes: Option<Vec<u32>> = (0..=255).map(|byte| ids.get(format!("<0x{byte:02X}>").as_str()).copied()).collect();
            let bytes: [u32; 256] = bytes
                .filter(|_| node["byte_fallback"] == true)
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or("a BPE over characters without tokens for all bytes")?;
            if whole || merges.keys().any(|(left, right)| bytes.contains(left) || bytes.contains(right)) {
                return Err("a BPE over characters that takes whole words or merges bytes".into());
            }
            let characters = ids.iter().filter_map(|(token, &id)| {
                let mut chars = token.chars();
                Some((chars.next().filter(|_| chars.next().is_none())?, id))
            });
            Ok(Model::Sentences(Sentences::new(Merges::new(&merges), characters, bytes, products.iter().map(String::as_str), words)))
        }
    }
}

/// The model's vocabulary.
fn ids(node: &Value) -> Read<FxHashMap<&str, u32>> {
    let vocab = node["vocab"].as_object().ok_or("no vocabulary")?;
    let ids: FxHashMap<&str, u32> = vocab.iter().filter_map(|(token, id)| Some((token.as_str(), as_id(id)?))).collect();
    if ids.len() < vocab.len() { Err("ids that are no numbers".into()) } else { Ok(ids) }
}

fn word_piece(node: &Value, normalizer: &Value) -> Read<Model> {
    let (unknown, prefix) = (node["unk_token"].as_str(), node["continuing_subword_prefix"].as_str());
    let most = node["max_input_chars_per_word"].as_u64();
    let (Some(unknown), Some(prefix), Some(most), "WordPiece" | "") = (unknown, prefix, most, kind(node)) else {
        return Err(format!("the model {}", kind(node)));
    };
    let ids = ids(node)?;
    let is = |name: &str| normalizer[name].as_bool().ok_or_else(|| format!("BERT's normalizer without {name}"));
    let lower = is("lowercase")?;
    Ok(Model::Bert(Bert {
        clean: is("clean_text")?,
        chinese: is("handle_chinese_chars")?,
        strip: normalizer["strip_accents"].as_bool().unwrap_or(lower),
        lower,
        unknown: *ids.get(unknown).ok_or("an unknown token that is not in the vocabulary")?,
        most: usize::try_from(most).unwrap_or(usize::MAX),
        longest: ids.keys().map(|token| token.len()).max().unwrap_or(0),
        tails: ids.iter().filter_map(|(token, &id)| Some((token.strip_prefix(prefix)?.into(), id))).collect(),
        heads: ids.iter().map(|(&token, &id)| (token.into(), id)).collect(),
    }))
}

type Pairs = FxHashMap<(u32, u32), (u32, u32)>;

/// Rank and product by pair, and the spellings of the products.
fn merges(node: &Value, ids: &FxHashMap<&str, u32>) -> Read<(Pairs, Vec<String>)> {
    let entries = node["merges"].as_array().ok_or("no merges")?;
    let mut merges = Pairs::default();
    merges.reserve(entries.len());
    let mut products = Vec::with_capacity(entries.len());
    for (entry, rank) in entries.iter().zip(0..) {
        let pair = match entry {
            Value::String(pair) => pair.split_once(' '),
            pair => pair[0].as_str().zip(pair[1].as_str()).filter(|_| pair.as_array().is_some_and(|pair| pair.len() == 2)),
        };
        let unknown = || format!("merge {rank}, whose tokens are not in the vocabulary");
        let (left, right) = pair.filter(|(_, right)| entry.is_array() || !right.contains(' ')).ok_or_else(unknown)?;
        let product = [left, right].concat();
        let id = |token: &str| ids.get(token).copied().ok_or_else(unknown);
        merges.insert((id(left)?, id(right)?), (rank, id(&product)?));
        products.push(product);
    }
    Ok((merges, products))
}
