//! Which classes share a key in a band.

use rayon::prelude::*;

use crate::error::Result;
use crate::parallel::Control;

/// Groups of classes that share a key, each of two or more, ascending.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Runs {
    members: Vec<u32>,
    ends: Vec<u32>,
}

impl Runs {
    /// Group after group.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.members[start as usize..end as usize])
    }

    fn push(&mut self, group: impl Iterator<Item = u32>) {
        let start = self.members.len();
        self.members.extend(group);
        if self.members.len() < start + 2 {
            self.members.truncate(start);
        } else {
            self.ends.push(self.members.len() as u32);
        }
    }
}

/// The classes that share a key: `keys` holds that of each class.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted).
pub fn runs(keys: &[u64], control: &Control) -> Result<Runs> {
    let mut met = meeting(keys);
    control.check()?;
    // The upper half of the key and the class in one word: half the memory, and sorting moves words.
    met.par_sort_unstable();
    control.check()?;
    let key = |&entry: &u64| keys[entry as u32 as usize];
    let mut runs = Runs::default();
    for group in met.chunk_by(|one, other| one >> 32 == other >> 32).filter(|group| group.len() > 1) {
        if group.iter().all(|entry| key(entry) == key(&group[0])) {
            runs.push(group.iter().map(|&entry| entry as u32));
        } else {
            let mut sorted = group.to_vec();
            sorted.sort_by_key(key);
            sorted.chunk_by(|one, other| key(one) == key(other)).for_each(|group| runs.push(group.iter().map(|&entry| entry as u32)));
        }
    }
    Ok(runs)
}

/// The classes whose key may occur twice, behind the upper half of it. Nearly all keys occur once: two small bitmaps
/// find out which cannot meet before anything is sorted.
fn meeting(keys: &[u64]) -> Vec<u64> {
    let bits = (keys.len() * 8).next_power_of_two().max(64);
    let (mut once, mut again) = (vec![0_u64; bits / 64], vec![0_u64; bits / 64]);
    let place = |key: u64| ((key as usize & (bits - 1)) / 64, 1_u64 << (key % 64));
    for &key in keys {
        let (word, bit) = place(key);
        again[word] |= once[word] & bit;
        once[word] |= bit;
    }
    drop(once);
    let met = |&(&key, _): &(&u64, u64)| {
        let (word, bit) = place(key);
        again[word] & bit != 0
    };
    keys.iter().zip(0_u64..).filter(met).map(|(&key, class)| key >> 32 << 32 | class).collect()
}

#[cfg(test)]
mod tests {
    use super::runs;
    use crate::parallel::Control;

    #[test]
    fn groups_share_the_whole_key() {
        let (a, b) = (7 << 32 | 1, 7 << 32 | 9); // the same upper half
        let runs = runs(&[a, 5, b, a, 6 << 40, b, a, 7 << 32 | 2, 6 << 40], &Control::default()).unwrap();
        let mut groups: Vec<&[u32]> = runs.iter().collect();
        groups.sort_unstable();
        assert_eq!(groups, [&[0, 3, 6][..], &[2, 5], &[4, 8]]);
        assert_eq!(super::runs(&[], &Control::default()).unwrap().iter().count(), 0);
    }
}
