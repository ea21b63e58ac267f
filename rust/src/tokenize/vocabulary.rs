//! Tokens and ids as the file spells them (a backend may keep the raw bytes instead).

use rustc_hash::FxHashMap;
use serde_json::Value;

/// A token that the file adds to its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its id.
    pub id: u32,
    /// Its text.
    pub content: String,
    /// A special token: passed over when text is decoded, and never parsed from text unless asked.
    pub special: bool,
}

/// Both directions.
#[derive(Debug, Default)]
pub struct Vocabulary {
    ids: FxHashMap<String, u32>,
    tokens: FxHashMap<u32, String>,
    added: Vec<Added>,
}

impl Vocabulary {
    /// From the root of a `tokenizer.json`.
    pub fn new(root: &Value) -> Self {
        let mut vocabulary = Self::default();
        match &root["model"]["vocab"] {
            Value::Object(vocab) => {
                vocab.iter().filter_map(|(token, id)| Some((token, as_id(id)?))).for_each(|(token, id)| vocabulary.insert(token, id));
            }
            // Unigram: [[token, score], ...], the id is the place.
            Value::Array(vocab) => {
                let tokens = vocab.iter().enumerate().filter_map(|(id, entry)| Some((entry[0].as_str()?, u32::try_from(id).ok()?)));
                tokens.for_each(|(token, id)| vocabulary.insert(token, id));
            }
            _ => {}
        }
        vocabulary.add(root["added_tokens"].as_array().map_or(&[], Vec::as_slice));
        vocabulary
    }

    fn insert(&mut self, token: &str, id: u32) {
        self.ids.insert(token.to_owned(), id);
        self.tokens.insert(id, token.to_owned());
    }

    /// Number added tokens as both implementations do: in the order of the file's ids; one that the model has keeps
    /// the model's id, any other gets the next free one.
    fn add(&mut self, entries: &[Value]) {
        let size = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        let mut entries: Vec<&Value> = entries.iter().collect();
        entries.sort_by_key(|entry| entry["id"].as_u64());
        for entry in entries {
            let Some(content) = entry["content"].as_str().filter(|content| !content.is_empty()) else { continue };
            let next = self.added.iter().map(|added| added.id + 1).max().map_or(size, |next| next.max(size));
            let id = self.id(content).unwrap_or(next);
            self.insert(content, id);
            self.added.retain(|added| added.id != id);
            self.added.push(Added { id, content: content.to_owned(), special: entry["special"].as_bool().unwrap_or(false) });
        }
        self.added.sort_by_key(|added| added.id);
    }

    pub fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    pub fn token(&self, id: u32) -> Option<&str> {
        self.tokens.get(&id).map(String::as_str)
    }

    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.tokens.keys().copied()
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn added(&self) -> &[Added] {
        &self.added
    }
}

fn as_id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| u32::try_from(id).ok())
}
