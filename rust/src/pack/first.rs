//! First fit: open bins in order, under a tree of maxima.

/// Children of a node.
const WIDE: usize = 16;

/// Free tokens of every bin, and above them the most that is free in each 16 of the level below.
pub struct Open {
    capacity: u32,
    levels: Vec<Vec<u32>>,
    /// The last sequence and its bin: bins before that one hold no other of the same length.
    last: (u32, usize),
}

impl Open {
    pub fn new(capacity: u32) -> Self {
        Self { capacity, levels: vec![Vec::new()], last: (0, 0) }
    }

    /// The first bin that holds so many more tokens, which are put into it. Lengths may only fall from call to call.
    pub fn place(&mut self, length: u32) -> u32 {
        let (before, at) = self.last;
        let known = before == length && self.levels[0].get(at).is_some_and(|&free| free >= length);
        let bin = if known { at } else { self.find(length).unwrap_or_else(|| self.open()) };
        self.take(bin, length);
        self.last = (length, bin);
        bin as u32
    }

    fn find(&self, length: u32) -> Option<usize> {
        self.levels.iter().rev().try_fold(0, |above, level| {
            let start = above * WIDE;
            let children = level.get(start..level.len().min(start + WIDE))?;
            children.iter().position(|&free| free >= length).map(|child| start + child)
        })
    }

    fn open(&mut self) -> usize {
        let bin = self.levels[0].len();
        let mut at = bin;
        for level in &mut self.levels {
            if at == level.len() {
                level.push(self.capacity);
            } else {
                level[at] = self.capacity;
            }
            at /= WIDE;
        }
        // The root's children are at most 16: a full level gets one above it.
        if self.levels[self.levels.len() - 1].len() > WIDE {
            let below = &self.levels[self.levels.len() - 1];
            self.levels.push(below.chunks(WIDE).map(|children| children.iter().copied().max().unwrap_or(0)).collect());
        }
        bin
    }

    fn take(&mut self, bin: usize, length: u32) {
        self.levels[0][bin] -= length;
        let mut at = bin;
        for depth in 1..self.levels.len() {
            let start = at / WIDE * WIDE;
            let below = &self.levels[depth - 1];
            let most = below[start..below.len().min(start + WIDE)].iter().copied().max().unwrap_or(0);
            at /= WIDE;
            if self.levels[depth][at] == most {
                return;
            }
            self.levels[depth][at] = most;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Open;

    proptest! {
        #[test]
        fn the_first_bin_with_room(mut lengths in proptest::collection::vec(1_u32..=100, 0..2000)) {
            lengths.sort_unstable_by(|a, b| b.cmp(a));
            let (mut open, mut free) = (Open::new(100), Vec::new());
            for length in lengths {
                let bin = free.iter().position(|&left| left >= length).unwrap_or_else(|| { free.push(100); free.len() - 1 });
                free[bin] -= length;
                prop_assert_eq!(open.place(length) as usize, bin);
            }
        }
    }
}
