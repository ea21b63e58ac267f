//! Words met before and their ids: what makes most of a text a matter of looking up.

use rustc_hash::FxHashMap;

/// Pairs of slots, each a line of the cache, in the table of short words: 4 MB, of which the frequent words stay near.
const PAIRS: usize = 1 << 16;
/// Ids that a slot holds itself.
pub const INLINE: usize = 3;
/// The longest word of the table: 15 bytes and their number fill a key.
const SHORT: usize = 15;
/// The longest word that is kept at all.
const LONG: usize = 256;
/// Ids, and long words, from which on all is forgotten.
const FULL: usize = 1 << 20;
const FULL_LONG: usize = 1 << 15;

/// Where ids go.
pub trait Sink {
    /// The first `len` of `ids`.
    fn few(&mut self, ids: &[u32; INLINE], len: usize);
    /// All of `ids`.
    fn many(&mut self, ids: &[u32]);
}

impl Sink for Vec<u32> {
    #[inline]
    fn few(&mut self, ids: &[u32; INLINE], len: usize) {
        debug_assert!(len <= INLINE);
        self.reserve(INLINE);
        let old = self.len();
        // SAFETY: there is room for all of `ids`, and `len` of them, at most INLINE, have been written.
        unsafe {
            self.as_mut_ptr().add(old).cast::<[u32; INLINE]>().write(*ids);
            self.set_len(old + len);
        }
    }

    #[inline]
    fn many(&mut self, ids: &[u32]) {
        self.extend_from_slice(ids);
    }
}

/// The number of ids, which are not kept.
#[derive(Default)]
pub struct Count(pub usize);

impl Sink for Count {
    #[inline]
    fn few(&mut self, _: &[u32; INLINE], len: usize) {
        self.0 += len;
    }

    #[inline]
    fn many(&mut self, ids: &[u32]) {
        self.0 += ids.len();
    }
}

/// A word of at most [`SHORT`] bytes: the bytes, zeros, and their number last. Two words are never one key, no word is 0.
type Key = (u64, u64);

#[derive(Clone, Copy)]
#[repr(align(32))]
struct Slot {
    key: Key,
    /// The ids; of more than [`INLINE`], the first is their place among `more`.
    ids: [u32; INLINE],
    len: u32,
}

/// Short words in a table, where a new word takes the place of the one of two that was met longer ago; longer ones in
/// a map.
pub struct Words {
    slots: Box<[[Slot; 2]]>,
    long: FxHashMap<Box<[u8]>, (u32, u32)>,
    more: Vec<u32>,
}

impl Default for Words {
    fn default() -> Self {
        let empty = Slot { key: (0, 0), ids: [0; INLINE], len: 0 };
        Self { slots: vec![[empty; 2]; PAIRS].into(), long: FxHashMap::default(), more: Vec::new() }
    }
}

impl Words {
    /// Put the ids of the word `text[start..end]` into `sink`: those remembered, else those that `make` gives.
    #[inline]
    pub fn take<'m, S: Sink>(&mut self, text: &str, start: usize, end: usize, sink: &mut S, make: impl FnOnce(&str) -> &'m [u32]) {
        if end - start > SHORT {
            return self.take_long(&text[start..end], sink, make);
        }
        let key = key(text.as_bytes(), start, end);
        let pair = &mut self.slots[place(key)];
        let slot = if pair[0].key == key {
            &pair[0]
        } else if pair[1].key == key {
            pair.swap(0, 1);
            &pair[0]
        } else {
            let made = make(&text[start..end]);
            sink.many(made);
            return self.keep(key, made);
        };
        let len = slot.len as usize;
        if len <= INLINE {
            sink.few(&slot.ids, len);
        } else {
            sink.many(&self.more[slot.ids[0] as usize..][..len]);
        }
    }

    #[cold]
    fn keep(&mut self, key: Key, made: &[u32]) {
        let mut ids = [0; INLINE];
        if made.len() <= INLINE {
            ids[..made.len()].copy_from_slice(made);
        } else {
            ids[0] = self.store(made);
        }
        let [newer, older] = &mut self.slots[place(key)];
        *older = std::mem::replace(newer, Slot { key, ids, len: made.len() as u32 });
    }

    fn take_long<'m, S: Sink>(&mut self, word: &str, sink: &mut S, make: impl FnOnce(&str) -> &'m [u32]) {
        if let Some(&(start, len)) = self.long.get(word.as_bytes()) {
            return sink.many(&self.more[start as usize..][..len as usize]);
        }
        let made = make(word);
        sink.many(made);
        if word.len() <= LONG {
            let start = self.store(made);
            self.long.insert(word.as_bytes().into(), (start, made.len() as u32));
        }
    }

    /// Keep ids; forget everything first when too much has come together.
    fn store(&mut self, ids: &[u32]) -> u32 {
        if self.more.len() + ids.len() > FULL || self.long.len() >= FULL_LONG {
            self.more.clear();
            self.long.clear();
            self.slots.as_flattened_mut().iter_mut().for_each(|slot| slot.key = (0, 0));
        }
        self.more.extend_from_slice(ids);
        (self.more.len() - ids.len()) as u32
    }
}

#[inline]
fn key(text: &[u8], start: usize, end: usize) -> Key {
    let len = end - start;
    let bytes = match text.get(start..start + 16) {
        Some(bytes) => u128::from_le_bytes(bytes.try_into().unwrap_or_default()) & ((1 << (8 * len)) - 1),
        // The last words of a text.
        None => text[start..end].iter().rev().fold(0, |all, &byte| all << 8 | u128::from(byte)),
    };
    (bytes as u64, (bytes >> 64) as u64 | (len as u64) << 56)
}

#[inline]
fn place((low, high): Key) -> usize {
    let product = u128::from(low ^ 0xa076_1d64_78bd_642f) * u128::from(high ^ 0xe703_7ed1_a0b4_28db);
    ((product >> 64) as u64 ^ product as u64) as usize % PAIRS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_met_again_has_its_ids() {
        let texts: Vec<String> = (0..30_000_u32).map(|n| format!("{n}{}", "x".repeat(n as usize % 40))).collect();
        let mut words = Words::default();
        let mut made = 0;
        for round in 0..2 {
            for text in texts.iter().chain(&texts[..100]) {
                let wanted: Vec<u32> = text.bytes().take(text.len() % 6).map(u32::from).collect();
                let (mut ids, mut count) = (vec![7], Count::default());
                words.take(text, 0, text.len(), &mut ids, |_| {
                    made += 1;
                    &wanted
                });
                words.take(text, 0, text.len(), &mut count, |_| &wanted);
                assert_eq!((ids[0], &ids[1..], count.0), (7, &wanted[..], wanted.len()), "{round} {text}");
            }
        }
        assert!(made < 40_000, "{made} were made: little was remembered");
    }

    #[test]
    fn keys_tell_words_apart() {
        let text = "a\0\0bcdefghijklmnopqrstuvwxyz".as_bytes();
        let keys: std::collections::HashSet<Key> = (1..=SHORT).map(|end| key(text, 0, end)).collect();
        assert_eq!(keys.len(), SHORT);
        assert_eq!(key(text, 3, 10), key(&text[..10], 3, 10));
        assert_eq!(key(text, 12, 27), key(&text[..27], 12, 27));
    }
}
