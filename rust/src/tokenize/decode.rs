//! Ids back to text: the decoders of nearly all files, each token's part made once. Equal to 0.23, for which see `Decoder`
//! in `tokenizers/src/decoders`; a file with another decoder goes there.

use rustc_hash::FxHashSet;
use serde_json::Value;
use unicode_normalization::is_nfc;

use super::gaps;
use super::vocabulary::Vocabulary;
use crate::error::Result;
use crate::parallel::Control;

/// Ids between two looks at the control.
const PART: usize = 1 << 18;

/// A decoder, its tokens decoded one by one.
pub struct Decoder {
    kind: Kind,
    tokens: Vec<Option<Token>>,
}

/// How the tokens of a row make up its text.
enum Kind {
    /// Bytes one after another, read as UTF-8.
    Bytes,
    /// Texts one after another, the first in another form.
    Texts,
    /// Texts and single bytes one after another; bytes that are no UTF-8 are told one by one. As many spaces are taken off
    /// the start.
    Fallback { strip: usize },
}

struct Token {
    special: bool,
    /// Its bytes.
    text: Box<[u8]>,
    /// Those of the first token of a row, where they differ.
    first: Option<Box<[u8]>>,
    /// It stands for one byte.
    byte: bool,
}

type Make = Box<dyn Fn(&str) -> Made>;
/// What a decoder makes of a token: its bytes, those of a first one where they differ, whether it stands for a byte.
type Made = (Vec<u8>, Option<Vec<u8>>, bool);

impl Decoder {
    /// From the root of a `tokenizer.json`; `None` for what only 0.23 decodes.
    pub fn read(root: &Value, vocabulary: &Vocabulary) -> Option<Self> {
        let added = root["added_tokens"].as_array().map_or(&[][..], Vec::as_slice);
        // 0.23 decodes these to what the normalizer makes of them.
        let kept = |content: &str| root["normalizer"].is_null() || root["normalizer"]["type"] == "NFC" && is_nfc(content);
        if added.iter().any(|token| token["normalized"] != false && !token["content"].as_str().is_some_and(kept)) {
            return None;
        }
        let node = &root["decoder"];
        let known = |names: &[&str]| node.as_object().is_some_and(|node| node.keys().all(|key| names.contains(&key.as_str())));
        let (kind, make): (Kind, Make) = match node["type"].as_str()? {
            "ByteLevel" => (Kind::Bytes, bytes()),
            "WordPiece" if known(&["type", "prefix", "cleanup"]) => {
                (Kind::Texts, word_piece(node["prefix"].as_str()?.to_owned(), node["cleanup"].as_bool()?))
            }
            "Metaspace" if known(&["type", "replacement", "prepend_scheme", "split"]) => {
                let mut mark = node["replacement"].as_str()?.chars();
                let (mark, None) = (mark.next()?, mark.next()) else { return None };
                let drop = match node["prepend_scheme"].as_str()? {
                    "always" | "first" => true,
                    "never" => false,
                    _ => return None,
                };
                (Kind::Texts, metaspace(mark, drop))
            }
            "Sequence" => sentence(node["decoders"].as_array()?)?,
            _ => return None,
        };
        let special: FxHashSet<&str> =
            added.iter().filter(|token| token["special"] == true).filter_map(|token| token["content"].as_str()).collect();
        let size = vocabulary.ids().max().map_or(0, |id| id as usize + 1);
        if size > 4 * vocabulary.len() + (1 << 16) {
            return None; // ids with great gaps
        }
        let mut tokens: Vec<Option<Token>> = Vec::new();
        tokens.resize_with(size, || None);
        for id in vocabulary.ids() {
            let token = vocabulary.token(id)?;
            let (text, first, byte) = make(token);
            let first = first.filter(|first| *first != text).map(Vec::into_boxed_slice);
            tokens[id as usize] = Some(Token { special: special.contains(token), text: text.into(), first, byte });
        }
        Some(Self { kind, tokens })
    }

    /// The text of a row; ids that no token has are passed over.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted).
    pub fn text(&self, ids: &[u32], skip_special: bool, control: &Control) -> Result<String> {
        let (mut made, mut single, mut first) = (Vec::with_capacity(ids.len() * 5), Vec::new(), true);
        for ids in ids.chunks(PART) {
            control.check()?;
            for &id in ids {
                let Some(Some(token)) = self.tokens.get(id as usize) else { continue };
                if skip_special && token.special {
                    continue;
                }
                if token.byte {
                    single.extend_from_slice(&token.text);
                    continue;
                }
                if !single.is_empty() {
                    spell(&mut single, &mut made);
                }
                match &token.first {
                    Some(text) if first => made.extend_from_slice(text),
                    _ => made.extend_from_slice(&token.text),
                }
                first = false;
            }
        }
        spell(&mut single, &mut made);
        if let Kind::Fallback { strip } = self.kind {
            made.drain(..made.iter().take(strip).take_while(|&&byte| byte == b' ').count());
        }
        Ok(match self.kind {
            Kind::Bytes => String::from_utf8(made).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            // All parts are texts.
            Kind::Texts | Kind::Fallback { .. } => String::from_utf8(made).unwrap_or_default(),
        })
    }
}

/// Bytes that were tokens of their own: their text, or a sign for each of them.
fn spell(single: &mut Vec<u8>, made: &mut Vec<u8>) {
    if std::str::from_utf8(single).is_ok() {
        made.extend_from_slice(single);
    } else {
        single.iter().for_each(|_| made.extend_from_slice("\u{fffd}".as_bytes()));
    }
    single.clear();
}

/// GPT-2's: each character is a byte; a token with another one is the text that it is.
fn bytes() -> Make {
    let names: rustc_hash::FxHashMap<String, u8> = gaps::names().zip(0..=255).collect();
    Box::new(move |token| {
        let mut spelt = [0; 4];
        let bytes: Option<Vec<u8>> = token.chars().map(|c| names.get(c.encode_utf8(&mut spelt) as &str).copied()).collect();
        (bytes.unwrap_or_else(|| token.as_bytes().to_vec()), None, false)
    })
}

/// BERT's: a space before each token that does not go on with a word.
fn word_piece(prefix: String, clean: bool) -> Make {
    Box::new(move |token| {
        let done = |text: String| if clean { cleanup(&text).into_bytes() } else { text.into_bytes() };
        let later = token.strip_prefix(prefix.as_str()).map_or_else(|| format!(" {token}"), str::to_owned);
        (done(later), Some(done(token.to_owned())), false)
    })
}

/// `cleanup` of 0.23, token by token.
fn cleanup(text: &str) -> String {
    let pairs = [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" do not", " don't"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The mark is a space; that of the first token is dropped.
fn metaspace(mark: char, drop: bool) -> Make {
    Box::new(move |token| {
        let text = |gap: &str| {
            let mut spelt = [0; 4];
            token.replace(mark.encode_utf8(&mut spelt) as &str, gap).into_bytes()
        };
        (text(" "), Some(text(if drop { "" } else { " " })), false)
    })
}

/// SentencePiece's as Llama's files spell it: a replacement, bytes, all fused, spaces stripped from the start.
fn sentence(steps: &[Value]) -> Option<(Kind, Make)> {
    let names: Vec<&str> = steps.iter().map(|step| step["type"].as_str().unwrap_or_default()).collect();
    let strip = match names[..] {
        ["Replace", "ByteFallback", "Fuse"] => 0,
        ["Replace", "ByteFallback", "Fuse", "Strip"] if steps[3]["content"] == " " && steps[3]["stop"] == 0 => {
            usize::try_from(steps[3]["start"].as_u64()?).ok()?
        }
        _ => return None,
    };
    let from = steps[0]["pattern"]["String"].as_str().filter(|from| !from.is_empty())?.to_owned();
    let to = steps[0]["content"].as_str()?.to_owned();
    let make = move |token: &str| {
        let text = token.replace(&from, &to);
        let code = (text.len() == 6).then(|| text.strip_prefix("<0x")?.strip_suffix('>')).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => (vec![byte], None, true),
            None => (text.into_bytes(), None, false),
        }
    };
    Some((Kind::Fallback { strip }, Box::new(make)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(decoder: &Value, tokens: &[&str], rows: &[&[u32]], skip: bool) -> Vec<String> {
        let vocab: serde_json::Map<String, Value> = tokens.iter().zip(0..).map(|(token, id)| ((*token).to_owned(), json!(id))).collect();
        let added = json!([{"id": tokens.len(), "content": "§", "special": false, "normalized": false},
                           {"id": tokens.len() + 1, "content": "<s>", "special": true, "normalized": false}]);
        let root = json!({"model": {"vocab": vocab}, "decoder": decoder, "added_tokens": added, "normalizer": null});
        let made = Decoder::read(&root, &Vocabulary::new(&root)).expect("a decoder that is known");
        rows.iter().map(|ids| made.text(ids, skip, &Control::default()).unwrap()).collect()
    }

    #[test]
    fn bytes_and_what_spells_some() {
        let level = json!({"type": "ByteLevel", "add_prefix_space": true});
        let found = texts(&level, &["a", "Ġb", "Ã", "©", "ж"], &[&[0, 1, 2, 3, 4, 99], &[2, 0], &[5, 6], &[]], true);
        assert_eq!(found, ["a b\u{e9}ж", "\u{fffd}a", "\u{fffd}", ""]);
        assert_eq!(texts(&level, &["a"], &[&[2, 0]], false), ["<s>a"]);
    }

    #[test]
    fn pieces_of_words_and_of_sentences() {
        let pieces = json!({"type": "WordPiece", "prefix": "##", "cleanup": true});
        assert_eq!(texts(&pieces, &["##b", "a", ".", "'"], &[&[0, 1, 0, 2], &[6, 1], &[1, 3, 3]], false), ["##b ab.", "a", "a ' '"]);
        let steps = json!([{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                           {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]);
        let sentence = json!({"type": "Sequence", "decoders": steps});
        let rows: [&[u32]; 4] = [&[0, 0], &[1, 2, 0], &[1, 0, 2], &[3, 1]];
        assert_eq!(texts(&sentence, &["▁a", "<0xC3>", "<0xA9>", "▁▁"], &rows, true), ["a a", "é a", "\u{fffd} a\u{fffd}", " \u{fffd}"]);
        let marks = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
        assert_eq!(texts(&marks, &["▁a▁"], &[&[0, 0]], true), ["a a "]);
    }
}
