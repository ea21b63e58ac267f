//! Repeats among the words of a text, n-gram by n-gram: each length looks only where the one before repeats.

use crate::counter::Counter;
use crate::hash::short;
use crate::parallel::Control;

/// The longest n-gram.
pub const LONGEST: usize = 10;
/// Units of a loop: 1 to this many words.
const LONGEST_UNIT: usize = 6;
const NONE: u32 = u32::MAX;

/// Scratch space and what was found.
#[derive(Default)]
pub struct Repeats {
    counter: Counter,
    /// Class of the n-gram that starts at each word; [`NONE`] for one that does not repeat.
    classes: Vec<u32>,
    /// Where each class was first seen.
    first: Vec<u32>,
    /// Starts of repeating n-grams.
    alive: Vec<u32>,
    /// Characters of the words before each.
    before: Vec<u64>,
    /// By n: n-grams equal to an earlier one / n-grams.
    pub repeated: [f64; LONGEST + 1],
    /// By n: count x characters of the most frequent n-gram (of equally frequent ones the longest), words joined by a space.
    pub top: [u64; LONGEST + 1],
    /// By n: characters of words within an n-gram equal to an earlier one.
    pub covered: [u64; LONGEST + 1],
    /// The most words that one unit of 1 to 6 words covers by following itself at once; 0 when none does.
    pub longest_loop: u32,
}

impl Repeats {
    /// Read the words of a text: how many, and their characters. Cut short when stopped.
    pub fn read<'a>(&mut self, most: usize, words: impl Iterator<Item = &'a str>, control: &Control) -> (u64, u64) {
        self.counter.clear(most);
        self.classes.clear();
        self.before.clear();
        self.before.push(0);
        let mut characters = 0;
        for word in words {
            self.classes.push(self.counter.add(short(word.as_bytes())));
            characters += super::count(word);
            self.before.push(characters);
        }
        let words = self.classes.len();
        self.longest_loop = self.loops();
        (self.repeated, self.top, self.covered) = ([0.0; LONGEST + 1], [0; LONGEST + 1], [0; LONGEST + 1]);
        self.repeated[1] = super::share((words - self.counter.distinct()) as u64, words as u64);
        self.alive.clear();
        self.alive.extend(0..words as u32);
        self.keep_repeating();
        for n in 2..=LONGEST.min(words) {
            if self.alive.is_empty() || control.check().is_err() {
                break;
            }
            self.longer(n);
            self.keep_repeating();
        }
        (words as u64, characters)
    }

    /// Forget what does not repeat: no longer n-gram that starts there can.
    fn keep_repeating(&mut self) {
        let Self { counter, classes, alive, .. } = self;
        alive.retain(|&at| {
            let class = &mut classes[at as usize];
            let repeats = *class != NONE && counter.count(*class) > 1;
            if !repeats {
                *class = NONE;
            }
            repeats
        });
    }

    /// From (n - 1)-grams to n-grams: one can only repeat where both of its halves do.
    fn longer(&mut self, n: usize) {
        let total = self.classes.len() + 1 - n;
        self.counter.clear(self.alive.len());
        self.first.clear();
        let (mut repeats, mut covered, mut covered_to) = (0, 0, 0);
        for &at in &self.alive {
            let at = at as usize;
            let right = if at < total { self.classes[at + 1] } else { NONE };
            let left = std::mem::replace(&mut self.classes[at], NONE);
            if right == NONE {
                continue;
            }
            let class = self.counter.add(u64::from(left) << 32 | u64::from(right));
            self.classes[at] = class;
            if class as usize == self.first.len() {
                self.first.push(at as u32);
            } else {
                repeats += 1;
                covered += self.before[at + n] - self.before[at.max(covered_to)];
                covered_to = at + n;
            }
        }
        self.repeated[n] = super::share(repeats, total as u64);
        self.covered[n] = covered;
        let characters = |at: usize| self.before[at + n] - self.before[at] + n as u64 - 1;
        let weigh = |(class, &at): (usize, &u32)| (self.counter.count(class as u32), characters(at as usize));
        let (count, length) = self.first.iter().enumerate().map(weigh).filter(|&(count, _)| count > 1).max().unwrap_or_default();
        self.top[n] = u64::from(count) * length;
    }

    fn loops(&self) -> u32 {
        let words = &self.classes;
        if self.counter.distinct() == words.len() {
            return 0;
        }
        let mut longest = 0;
        for unit in 1..=LONGEST_UNIT.min(words.len() / 2) {
            let mut run = 0;
            for (word, earlier) in words[unit..].iter().zip(words) {
                run = if word == earlier { run + 1 } else { 0 };
                if run >= unit {
                    longest = longest.max(run + unit);
                }
            }
        }
        longest as u32
    }
}
