//! Words by number, and their stems.

use rustc_hash::FxHashMap;

use crate::porter;

/// Distinct words, numbered as they come.
#[derive(Default)]
pub struct Words {
    /// Short ones, nearly all, are keys by value: no pointer to follow, nothing to free.
    short: FxHashMap<u128, u32>,
    long: FxHashMap<Box<[u8]>, u32>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Words {
    /// How many there are; their numbers are below it.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The number of a word, which is a new one's where it was not there.
    pub fn number(&mut self, word: &[u8]) -> u32 {
        let next = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        let found = if word.len() <= 16 {
            // No word holds a zero byte, so the padding cannot confuse two.
            let mut bytes = [0; 16];
            bytes[..word.len()].copy_from_slice(word);
            *self.short.entry(u128::from_ne_bytes(bytes)).or_insert(next)
        } else if let Some(&number) = self.long.get(word) {
            number
        } else {
            self.long.insert(word.into(), next);
            next
        };
        if found == next {
            self.bytes.extend_from_slice(word);
            self.ends.push(self.bytes.len());
        }
        found
    }

    /// Every word, by number.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

/// The distinct stems of some words, and the number of the stem of each.
pub fn stems(words: &Words) -> (Words, Vec<u32>) {
    let (mut stems, mut stem) = (Words::default(), Vec::new());
    let numbers = words
        .iter()
        .map(|word| {
            stem.clear();
            stem.extend_from_slice(word);
            if word.len() > 3 && word.iter().all(u8::is_ascii_alphanumeric) {
                porter::stem(&mut stem);
            }
            stems.number(&stem)
        })
        .collect();
    (stems, numbers)
}

#[cfg(test)]
mod tests {
    use super::{Words, stems};

    #[test]
    fn equal_words_have_one_number() {
        let mut words = Words::default();
        let long = b"a-word-of-more-than-sixteen-bytes".as_slice();
        assert_eq!([b"a", b"b", long, b"a", long, b"".as_slice()].map(|word| words.number(word)), [0, 1, 2, 0, 2, 3]);
        assert_eq!(words.iter().collect::<Vec<_>>(), [b"a", b"b", long, b"".as_slice()]);
    }

    #[test]
    fn words_of_one_stem_have_one_number() {
        let mut words = Words::default();
        for word in [b"cat".as_slice(), b"running", b"runs", b"run"] {
            words.number(word);
        }
        let (stems, numbers) = stems(&words);
        assert_eq!(stems.iter().collect::<Vec<_>>(), [b"cat".as_slice(), b"run"]);
        assert_eq!(numbers, [0, 1, 1, 1]);
    }
}
