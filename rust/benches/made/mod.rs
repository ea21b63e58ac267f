//! Made-up instruction data and tokenizers, for the benchmarks beside it.
#![allow(dead_code)] // each of them uses some

use serde_json::{Value, json};
use tunesmith::hash::mix;

/// Sentences of 10 to 120 words of a Zipf-like vocabulary.
pub fn texts(count: u64) -> Vec<String> {
    (0..count)
        .map(|row| {
            let words = 10 + mix(row) % 111;
            let mut text = String::new();
            for place in 0..words {
                let draw = mix(row * 1000 + place);
                let word = draw % (1 << (draw >> 60).min(12));
                text.push_str(["the", "write", "Describe", "a", "list", "of", "energy", "story"][(word % 8) as usize]);
                if word >= 8 {
                    text.push_str(&(word / 8).to_string());
                }
                text.push_str(if draw.is_multiple_of(11) { ". " } else { " " });
            }
            text
        })
        .collect()
}

/// Every text, none of them null.
pub fn column(texts: &[String]) -> Vec<Option<&str>> {
    texts.iter().map(|text| Some(text.as_str())).collect()
}

/// Bytes of all texts.
pub fn bytes(texts: &[String]) -> u64 {
    texts.iter().map(|text| text.len() as u64).sum()
}

fn vocabulary(tokens: impl Iterator<Item = String>) -> serde_json::Map<String, Value> {
    let mut made = serde_json::Map::new();
    for token in tokens {
        let id = made.len();
        made.entry(token).or_insert(json!(id));
    }
    made
}

/// Pairs of a consonant and a vowel, of which all words above have some.
fn pairs() -> impl Iterator<Item = (char, char)> {
    ('a'..='z').flat_map(|left| "aeiou".chars().map(move |right| (left, right)))
}

/// Byte-level BPE, as GPT-2's.
pub fn byte_level() -> String {
    let mut others = 0x100..;
    let letters: Vec<String> = (0..=255_u8)
        .map(|byte| {
            let printable = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
            let code = if printable { u32::from(byte) } else { others.next().unwrap_or_default() };
            char::from_u32(code).unwrap_or_default().to_string()
        })
        .collect();
    let merges: Vec<String> = pairs().map(|(left, right)| format!("{left} {right}")).collect();
    let vocab = vocabulary(letters.into_iter().chain(merges.iter().map(|merge| merge.replace(' ', ""))));
    let level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
    json!({"version": "1.0", "added_tokens": [], "pre_tokenizer": level, "decoder": level, "model": model}).to_string()
}

/// BPE over characters, as Llama 2's.
pub fn sentences() -> String {
    let merges: Vec<String> = pairs().flat_map(|(left, right)| [format!("{left} {right}"), format!("▁ {left}{right}")]).collect();
    let bytes = (0..=255_u8).map(|byte| format!("<0x{byte:02X}>"));
    let letters = (' '..='~').skip(1).chain(['▁']).map(String::from);
    let tokens = std::iter::once("<unk>".to_owned()).chain(bytes).chain(letters);
    let vocab = vocabulary(tokens.chain(merges.iter().map(|merge| merge.replace(' ', ""))));
    let replace = |from: &str, to: &str| json!({"type": "Replace", "pattern": {"String": from}, "content": to});
    let normalizer = json!({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")]});
    let strip = json!({"type": "Strip", "content": " ", "start": 1, "stop": 0});
    let decoder = json!({"type": "Sequence", "decoders": [replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}, strip]});
    let model = json!({"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "vocab": vocab, "merges": merges});
    json!({"version": "1.0", "added_tokens": [], "normalizer": normalizer, "decoder": decoder, "model": model}).to_string()
}

/// WordPiece, as BERT's.
pub fn bert() -> String {
    let letters = || ('!'..='~').map(String::from);
    let pairs = || pairs().map(|(left, right)| format!("{left}{right}"));
    let heads = letters().chain(pairs());
    let tails = letters().chain(pairs()).map(|token| format!("##{token}"));
    let vocab = vocabulary(std::iter::once("[UNK]".to_owned()).chain(heads).chain(tails));
    let normalizer =
        json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true});
    let model = json!({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab});
    let (before, decoder) = (json!({"type": "BertPreTokenizer"}), json!({"type": "WordPiece", "prefix": "##", "cleanup": true}));
    json!({"version": "1.0", "added_tokens": [], "normalizer": normalizer, "pre_tokenizer": before, "decoder": decoder, "model": model})
        .to_string()
}
