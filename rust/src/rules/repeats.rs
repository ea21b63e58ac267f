//! Repeats among the words of a text, as the systems count them. Where work is stopped, numbers are cut short: the caller asks
//! the control block before it uses them.

use super::pythonic::len;
use crate::counter::Counter;
use crate::hash::short;
use crate::parallel::Control;

/// 2^61 - 1, the prime that polynomial hashes are taken by.
const PRIME: u64 = (1 << 61) - 1;
const BASE: u64 = 0x0c93_7a1b_5d84_e2f7;

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let sum = (product as u64 & PRIME) + (product >> 61) as u64;
    if sum >= PRIME { sum - PRIME } else { sum }
}

fn plus(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

/// A text's hash such that that of two texts, one behind the other, follows from theirs.
#[derive(Clone, Copy, Default)]
struct Joinable {
    value: u64,
    /// The base to the power of the text's bytes.
    power: u64,
}

impl Joinable {
    const SPACE: Self = Self { value: b' ' as u64 + 1, power: BASE };

    fn new(text: &str) -> Self {
        text.bytes().fold(Self { value: 0, power: 1 }, |hash, byte| hash.then(Self { value: u64::from(byte) + 1, power: BASE }))
    }

    #[inline]
    fn then(self, next: Self) -> Self {
        Self { value: plus(times(self.value, next.power), next.value), power: times(self.power, next.power) }
    }
}

/// n-grams of words, with what is remembered from n - 1.
#[derive(Default)]
pub struct Grams {
    words: Vec<Joinable>,
    /// Characters of the words before each.
    before: Vec<u64>,
    /// The n-gram that starts at each word.
    now: Vec<Joinable>,
    n: usize,
    counter: Counter,
    /// Class of each n-gram ([`Grams::alike`]).
    classes: Vec<u32>,
    first: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Grams {
    /// Take the words of another text.
    pub fn set<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        self.before.clear();
        self.before.push(0);
        let mut sum = 0;
        self.before.extend(words.map(|word| {
            sum += len(word);
            sum
        }));
    }

    /// Characters of all words.
    pub fn characters(&self) -> u64 {
        self.before[self.before.len() - 1]
    }

    /// Characters of every word.
    pub fn lengths(&self) -> impl Iterator<Item = u64> {
        self.before.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// Begin with single words, to be joined by a space or by nothing.
    fn begin(&mut self, words: &[&str], control: &Control) {
        self.words.clear();
        self.words.extend(control.going(words.iter()).map(|word| Joinable::new(word)));
        self.restart();
    }

    fn restart(&mut self) {
        self.now.clear();
        self.now.extend_from_slice(&self.words);
        self.n = 1;
    }

    /// Make the n-grams from the shorter ones.
    fn grow(&mut self, n: usize, spaced: bool) {
        while self.n < n {
            let count = (self.words.len()).saturating_sub(self.n);
            for (at, gram) in self.now[..count].iter_mut().enumerate() {
                let head = if spaced { gram.then(Joinable::SPACE) } else { *gram };
                *gram = head.then(self.words[at + self.n]);
            }
            self.now.truncate(count);
            self.n += 1;
        }
    }

    /// datatrove's `find_top_duplicate` for n = 2, 3, 4: count and characters (spaces between words included) of the most
    /// frequent n-gram, the first of equally frequent ones; 0 where there is none.
    pub fn top_joined(&mut self, words: &[&str], control: &Control) -> [u64; 3] {
        self.begin(words, control);
        [2, 3, 4].map(|n| {
            if control.check().is_err() {
                return 0;
            }
            self.grow(n, true);
            self.counter.clear(self.now.len());
            let (mut best, mut best_at) = (0, 0);
            self.first.clear();
            for (at, gram) in control.going(self.now.iter().enumerate()) {
                let class = self.counter.add(gram.value);
                if class as usize == self.first.len() {
                    self.first.push(at as u32);
                }
            }
            for (class, &at) in self.first.iter().enumerate() {
                let count = self.counter.count(class as u32);
                if count > best {
                    (best, best_at) = (count, at as usize);
                }
            }
            if best == 0 { 0 } else { u64::from(best) * (self.before[best_at + n] - self.before[best_at] + n as u64 - 1) }
        })
    }

    /// datatrove's `find_all_duplicate` for n = 5 to 10: characters of n-grams (nothing between their words) that came before,
    /// counted without overlap. Follows [`top_joined`](Self::top_joined).
    pub fn repeated_joined(&mut self, control: &Control) -> [u64; 6] {
        self.restart();
        [5, 6, 7, 8, 9, 10].map(|n| {
            if control.check().is_err() {
                return 0;
            }
            self.grow(n, false);
            self.counter.clear(self.now.len());
            let (mut next, mut repeated) = (0, 0);
            for (at, gram) in control.going(self.now.iter().enumerate()) {
                if at >= next && self.counter.seen(gram.value) {
                    repeated += self.before[at + n] - self.before[at];
                    next = at + n;
                }
            }
            repeated
        })
    }

    /// dolma's counts, by n-gram as a tuple of words, n = 2 to 10: for 2, 3 and 4 count x characters of the most frequent one (the
    /// first of equally frequent ones), beyond that the characters of all that occur more than once, and of all.
    pub fn alike(&mut self, words: &[&str], control: &Control) -> ([u64; 3], [(u64, u64); 6]) {
        self.counter.clear(words.len());
        self.classes.clear();
        for word in control.going(words.iter()) {
            let class = self.counter.add(short(word.as_bytes()));
            self.classes.push(class);
        }
        let (mut top, mut repeated) = ([0; 3], [(0, 0); 6]);
        if control.check().is_err() {
            return (top, repeated); // the classes are not of all words
        }
        self.unique_are_none(words.len());
        for n in 2..=10.min(words.len()) {
            if control.check().is_err() {
                break;
            }
            let total = words.len() + 1 - n;
            // An n-gram can only repeat where both of its (n - 1)-grams do.
            self.counter.clear(total);
            self.first.clear();
            for at in control.going(0..total) {
                let (left, right) = (self.classes[at], self.classes[at + 1]);
                self.classes[at] = NONE;
                if left != NONE && right != NONE {
                    let class = self.counter.add(u64::from(left) << 32 | u64::from(right));
                    self.classes[at] = class;
                    if class as usize == self.first.len() {
                        self.first.push(at as u32);
                    }
                }
            }
            if control.check().is_err() {
                break; // the classes of some are those of the shorter ones
            }
            let characters = |at: usize| self.before[at + n] - self.before[at];
            if let Some(top) = top.get_mut(n - 2) {
                let (mut best, mut best_at) = (1, 0);
                for (class, &at) in self.first.iter().enumerate() {
                    let count = self.counter.count(class as u32);
                    if count > best {
                        (best, best_at) = (count, at as usize);
                    }
                }
                *top = u64::from(best) * characters(best_at);
            } else {
                let all = (0..total).map(characters).sum();
                let more = |(class, &at): (usize, &u32)| match u64::from(self.counter.count(class as u32)) {
                    1 => 0,
                    count => count * characters(at as usize),
                };
                repeated[n - 5] = (self.first.iter().enumerate().map(more).sum(), all);
            }
            self.unique_are_none(total);
        }
        (top, repeated)
    }

    fn unique_are_none(&mut self, total: usize) {
        for class in &mut self.classes[..total] {
            if *class != NONE && self.counter.count(*class) == 1 {
                *class = NONE;
            }
        }
    }
}

/// Lines or paragraphs that came before, as numbers and as characters, and how many there are.
#[derive(Default)]
pub struct Parts {
    counter: Counter,
    /// Characters of a class's text.
    lengths: Vec<u64>,
}

/// What [`Parts`] counts.
#[derive(Clone, Copy)]
pub struct Counted {
    /// Parts in all.
    pub all: u64,
    /// Parts that equal an earlier one.
    pub later: u64,
    /// Characters of those.
    pub later_characters: u64,
    /// Parts that have an equal, the first of them included.
    pub alike: u64,
    /// Characters of those.
    pub alike_characters: u64,
}

impl Parts {
    /// Count the parts; `most` is at least their number.
    pub fn count<'a>(&mut self, most: usize, parts: impl Iterator<Item = &'a str>) -> Counted {
        self.counter.clear(most);
        self.lengths.clear();
        let mut found = Counted { all: 0, later: 0, later_characters: 0, alike: 0, alike_characters: 0 };
        for part in parts {
            found.all += 1;
            let class = self.counter.add(short(part.as_bytes())) as usize;
            if class == self.lengths.len() {
                self.lengths.push(len(part));
            }
        }
        for (class, &length) in self.lengths.iter().enumerate() {
            let times = u64::from(self.counter.count(class as u32));
            if times > 1 {
                found.later += times - 1;
                found.later_characters += (times - 1) * length;
                found.alike += times;
                found.alike_characters += times * length;
            }
        }
        found
    }
}
