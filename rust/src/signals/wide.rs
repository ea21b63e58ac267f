//! Counts of the characters beyond ASCII, and what each of them is, looked up once.

use super::script::{SCRIPTS, script};
use super::{kind, kind_of};

const ALL: usize = char::MAX as usize + 1;
const KNOWN: u16 = 1 << 7;

/// One place a character: of these tables the system gives memory only to the parts that are touched.
#[derive(Default)]
pub struct Wide {
    times: Vec<u32>,
    /// Bits of [`kind`], [`KNOWN`], and from bit 8 on the script, counted from 1.
    facts: Vec<u16>,
    /// Characters of this text, in the order in which they came.
    distinct: Vec<char>,
}

impl Wide {
    /// Forget the counts.
    pub fn clear(&mut self) {
        for c in self.distinct.drain(..) {
            self.times[c as usize] = 0;
        }
    }

    /// Count a character once more, and say its kind.
    #[inline]
    pub fn add(&mut self, c: char) -> u8 {
        if self.times.is_empty() {
            (self.times, self.facts) = (vec![0; ALL], vec![0; ALL]);
        }
        let at = c as usize;
        if self.times[at] == 0 {
            self.distinct.push(c);
            if self.facts[at] == 0 {
                self.facts[at] = facts(c);
            }
        }
        self.times[at] += 1;
        self.facts[at] as u8 & !(KNOWN as u8)
    }

    /// Kind, script and count of each distinct character.
    pub fn each(&self) -> impl Iterator<Item = (u8, Option<usize>, u32)> {
        self.distinct.iter().map(|&c| {
            let facts = self.facts[c as usize];
            (facts as u8 & !(KNOWN as u8), usize::from(facts >> 8).checked_sub(1), self.times[c as usize])
        })
    }
}

fn facts(c: char) -> u16 {
    let kind = kind_of(c);
    let script = if kind & kind::ALPHABETIC == 0 { None } else { script(c) };
    const { assert!(SCRIPTS.len() < 255 && kind::BORDER < KNOWN as u8) };
    u16::from(kind) | KNOWN | script.map_or(0, |at| at as u16 + 1) << 8
}
