//! How small zlib would make a text: the length of its output at level 1, without the output.
//!
//! The same matches, blocks and code lengths as zlib's own (not those of its successors, which choose otherwise), so that the
//! number is that of `len(zlib.compress(text, 1))`; nothing is cleared between texts, and no bit is written.

mod trees;

use trees::{Block, Tree};

use crate::parallel::Control;

const WINDOW: usize = 1 << 15;
const SHORTEST: usize = 3;
const LONGEST: usize = 258;
/// Bytes that zlib keeps ahead, so that a match never looks beyond what was read.
const AHEAD: usize = LONGEST + SHORTEST + 1;
const FARTHEST: usize = WINDOW - AHEAD;
/// Level 1: how many earlier places are tried, what length is good enough, and up to which length places within a match are remembered.
const TRIES: usize = 4;
const NICE: usize = 8;
const REMEMBERED: usize = 4;
/// Header and checksum.
const FRAME: usize = 6;

/// Scratch space, reused from text to text.
pub struct Deflate {
    /// The last place of each hash, counted on from text to text: what is not above `base` is another text's.
    head: Vec<u32>,
    /// The place before, of the same hash.
    before: Vec<u32>,
    base: u32,
    block: Block,
    trees: [Tree; 3],
}

impl Default for Deflate {
    fn default() -> Self {
        Self { head: vec![0; WINDOW], before: vec![0; WINDOW], base: 1, block: Block::default(), trees: trees::all() }
    }
}

impl Deflate {
    /// `len(zlib.compress(text, 1))`; less when stopped.
    pub fn size(&mut self, text: &[u8], control: &Control) -> usize {
        // Places are 32 bits, as Arrow's texts are: when they run out, all begins anew.
        if text.len() >= (u32::MAX - self.base) as usize {
            self.head.fill(0);
            self.base = 1;
        }
        let bits = self.bits(text, control);
        self.base = self.base.saturating_add(u32::try_from(text.len() + 1).unwrap_or(u32::MAX));
        FRAME + bits.div_ceil(8)
    }

    fn bits(&mut self, text: &[u8], control: &Control) -> usize {
        self.block.clear();
        let (mut at, mut start, mut bits) = (0, 0, 0);
        // What zlib has read, and by how much its window has moved on.
        let (mut read, mut moved) = (text.len().min(2 * WINDOW), 0);
        loop {
            while read - at < AHEAD && read < text.len() {
                if at - moved >= WINDOW + FARTHEST {
                    moved += WINDOW;
                }
                read = text.len().min(moved + 2 * WINDOW);
            }
            let left = text.len() - at;
            if left == 0 {
                break;
            }
            let found = if left >= SHORTEST { self.longest(text, at, moved) } else { None };
            let full = if let Some((length, distance)) = found {
                let after = left - length;
                if length <= REMEMBERED && after >= SHORTEST {
                    (at + 1..at + length).for_each(|place| {
                        self.insert(text, place);
                    });
                }
                at += length;
                self.block.matched(length, distance)
            } else {
                at += 1;
                self.block.literal(text[at - 1])
            };
            if full {
                if control.check().is_err() {
                    break;
                }
                bits = self.flush(bits, (start >= moved).then_some(at - start));
                start = at;
            }
        }
        self.flush(bits, (start >= moved).then_some(at - start))
    }

    /// Remember a place; the one before it of the same hash, counted from `base`.
    #[inline]
    fn insert(&mut self, text: &[u8], at: usize) -> u32 {
        let hash = (usize::from(text[at]) << 10 ^ usize::from(text[at + 1]) << 5 ^ usize::from(text[at + 2])) & (WINDOW - 1);
        let last = self.head[hash];
        self.before[at & (WINDOW - 1)] = last;
        self.head[hash] = self.base + at as u32 + 1;
        last
    }

    /// Length and distance of a match at `at`, if any is found.
    #[inline]
    fn longest(&mut self, text: &[u8], at: usize, moved: usize) -> Option<(usize, usize)> {
        let mut place = self.insert(text, at);
        // The window's very first place cannot be told from none.
        let place_of = |place: u32, base: u32| place.checked_sub(base + 1).map(|place| place as usize).filter(|&place| place > moved);
        let mut there = place_of(place, self.base)?;
        if at - there > FARTHEST {
            return None;
        }
        let limit = (at - moved).saturating_sub(FARTHEST) + moved;
        let scan = &text[at..text.len().min(at + LONGEST)];
        let nice = NICE.min(scan.len());
        let (mut best, mut best_at) = (SHORTEST - 1, 0);
        for _ in 0..TRIES {
            let other = &text[there..];
            if other[best] == scan[best] && other[best - 1] == scan[best - 1] && other[..2] == scan[..2] {
                let length = same(scan, other);
                if length > best {
                    (best, best_at) = (length, there);
                    if length >= nice {
                        break;
                    }
                }
            }
            place = self.before[there & (WINDOW - 1)];
            match place_of(place, self.base) {
                Some(earlier) if earlier > limit => there = earlier,
                _ => break,
            }
        }
        (best >= SHORTEST).then_some((best, at - best_at))
    }

    /// Bits so far and of this block, whose `stored` bytes may be kept as they are.
    fn flush(&mut self, bits: usize, stored: Option<usize>) -> usize {
        let (fixed, own) = self.block.bits(&mut self.trees);
        self.block.clear();
        // zlib compares whole bytes.
        let (fixed_bytes, own_bytes) = ((fixed + 3).div_ceil(8), (own + 3).div_ceil(8));
        let least = own_bytes.min(fixed_bytes);
        match stored {
            Some(size) if size + 4 <= least => (bits + 3).next_multiple_of(8) + (4 + size) * 8,
            _ if fixed_bytes == least => bits + 3 + fixed,
            _ => bits + 3 + own,
        }
    }
}

/// How many bytes two texts have in common at their beginning, at most all of `scan`.
#[inline]
fn same(scan: &[u8], other: &[u8]) -> usize {
    let mut length = 0;
    while let (Some(a), Some(b)) = (scan[length..].first_chunk::<8>(), other[length..].first_chunk::<8>()) {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return length + differ.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    length + scan[length..].iter().zip(&other[length..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::Deflate;
    use crate::parallel::Control;

    #[test]
    fn sizes_are_those_of_zlib() {
        // From Python: len(zlib.compress(text, 1)), zlib 1.2.13.
        let mut deflate = Deflate::default();
        let mut size = |text: &[u8]| deflate.size(text, &Control::default());
        assert_eq!(size(b""), 8);
        assert_eq!(size(b"a"), 9);
        assert_eq!(size(&b"abc".repeat(100)), 16);
        assert_eq!(size(&(0..=255).collect::<Vec<u8>>()), 267);
        assert_eq!(size(&(0..200_000_u32).map(|n| (n % 251) as u8).collect::<Vec<u8>>()), 1837);
    }
}
