//! Byte-level vocabularies that lack some bytes (SmolLM2 has no token for eight of them). 1.0 refuses such a file; 0.23
//! passes over the bytes. Here 1.0 gets stand-ins for them, and a text that holds one of the bytes goes to 0.23.

use serde_json::Value;

/// Which bytes have no token.
pub struct Gaps([bool; 256]);

impl Gaps {
    /// Find the gaps of a byte-level BPE and fill them in `root`. `None` when there are none, or when stand-ins would
    /// move the ids of other tokens or could be met without their byte standing in the text.
    pub fn fill(root: &mut Value) -> Option<Self> {
        let byte_level = |node: &Value| node["type"] == "ByteLevel";
        let pre_tokenizer = &root["pre_tokenizer"];
        let last = pre_tokenizer["pretokenizers"].as_array().and_then(|members| members.last());
        let plain = root["normalizer"].is_null() && root["model"]["unk_token"].is_null();
        if !plain || !(byte_level(pre_tokenizer) || last.is_some_and(byte_level)) {
            return None;
        }
        let contents: Vec<&Value> = root["added_tokens"].as_array()?.iter().map(|token| &token["content"]).collect();
        let known = |vocab: &Value| contents.iter().all(|content| content.as_str().is_some_and(|content| vocab.get(content).is_some()));
        if !known(&root["model"]["vocab"]) {
            return None;
        }
        let vocab = root["model"]["vocab"].as_object_mut()?;
        let mut gaps = [false; 256];
        let mut next = vocab.values().filter_map(Value::as_u64).max()? + 1;
        for (byte, name) in names().enumerate() {
            if !vocab.contains_key(&name) {
                gaps[byte] = true;
                vocab.insert(name, Value::from(next));
                next += 1;
            }
        }
        gaps.contains(&true).then_some(Self(gaps))
    }

    /// Whether `text` holds a byte without a token.
    pub fn meet(&self, text: &str) -> bool {
        text.bytes().any(|byte| self.0[usize::from(byte)])
    }
}

/// What GPT-2 calls each byte: printable ones as they are, the others from U+0100 on.
pub fn names() -> impl Iterator<Item = String> {
    let mut others = 0x100..;
    (0..=255_u8).map(move |byte| {
        let printable = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        let code = if printable { u32::from(byte) } else { others.next().unwrap_or_default() };
        char::from_u32(code).unwrap_or_default().to_string()
    })
}
