//! The codes of a block: Huffman's, with zlib's ways where lengths are equally good or too long.

/// Symbols of literals and lengths, of distances, and of code lengths.
const SIZES: [usize; 3] = [286, 30, 19];
const LIMITS: [u8; 3] = [15, 15, 7];
const END: usize = 256;
/// Literals and matches in a block.
const FULL: usize = (1 << 14) - 1;

/// Extra bits of a length's code, from 257.
const LENGTH_EXTRA: [u8; 29] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/// Order in which the lengths of code lengths are sent.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The code of each match length less 3.
const LENGTH_CODES: [u8; 256] = {
    let mut codes = [0; 256];
    let (mut code, mut at) = (0, 0);
    while code < 28 {
        let mut left = 1 << LENGTH_EXTRA[code];
        while left > 0 && at < 256 {
            codes[at] = code as u8;
            at += 1;
            left -= 1;
        }
        code += 1;
    }
    codes[255] = 28;
    codes
};

/// The code of a distance, and its extra bits.
const fn distance_code(distance: usize) -> usize {
    let less = distance - 1;
    if less < 4 {
        return less;
    }
    let top = less.ilog2() as usize;
    2 * top + (less >> (top - 1) & 1)
}

const fn distance_extra(code: usize) -> usize {
    if code < 4 { 0 } else { code / 2 - 1 }
}

const fn fixed(symbol: usize) -> usize {
    match symbol {
        0..=143 | 280.. => 8,
        144..=255 => 9,
        _ => 7,
    }
}

/// What a block holds, by symbol.
pub struct Block {
    literals: [u16; 286],
    distances: [u16; 30],
    symbols: usize,
}

impl Default for Block {
    fn default() -> Self {
        Self { literals: [0; 286], distances: [0; 30], symbols: 0 }
    }
}

impl Block {
    pub fn clear(&mut self) {
        *self = Self::default();
        self.literals[END] = 1;
    }

    /// Add a literal; whether the block is full.
    #[inline]
    pub fn literal(&mut self, byte: u8) -> bool {
        self.literals[usize::from(byte)] += 1;
        self.symbols += 1;
        self.symbols == FULL
    }

    /// Add a match; whether the block is full.
    #[inline]
    pub fn matched(&mut self, length: usize, distance: usize) -> bool {
        self.literals[END + 1 + usize::from(LENGTH_CODES[length - 3])] += 1;
        self.distances[distance_code(distance)] += 1;
        self.symbols += 1;
        self.symbols == FULL
    }

    /// Bits of the block by the fixed codes and by codes of its own, their description included; the 3 bits of its kind are not.
    pub fn bits(&self, trees: &mut [Tree; 3]) -> (usize, usize) {
        let [literals, distances, lengths] = trees;
        literals.build(&self.literals);
        distances.build(&self.distances);
        let extra: usize =
            LENGTH_EXTRA.iter().zip(&self.literals[END + 1..]).map(|(&bits, &times)| usize::from(bits) * usize::from(times)).sum();
        let far: usize = self.distances.iter().enumerate().map(|(code, &times)| distance_extra(code) * usize::from(times)).sum();
        let by_fixed: usize = self.literals.iter().enumerate().map(|(symbol, &times)| fixed(symbol) * usize::from(times)).sum::<usize>()
            + self.distances.iter().map(|&times| 5 * usize::from(times)).sum::<usize>();
        let mut sent = [0; 19];
        let mut repeats = 0;
        for tree in [&*literals, &*distances] {
            repeats += tree.describe(&mut sent);
        }
        lengths.build(&sent);
        let last = (3..19).rev().find(|&at| lengths.lens[ORDER[at]] != 0).unwrap_or(2);
        let header = 3 * (last + 1) + 14;
        let own = literals.cost(&self.literals) + distances.cost(&self.distances) + lengths.cost(&sent) + repeats + header;
        (by_fixed + extra + far, own + extra + far)
    }
}

/// Code lengths of one alphabet, and what it takes to find them.
pub struct Tree {
    size: usize,
    limit: u8,
    lens: Vec<u8>,
    /// The highest symbol with a code.
    last: usize,
    parents: Vec<u16>,
    /// Nodes as [`node`] packs them, the lightest first.
    heap: Vec<u64>,
    /// Nodes in the order in which they were joined.
    joined: Vec<u16>,
}

/// Trees of literals, distances and code lengths.
pub fn all() -> [Tree; 3] {
    [0, 1, 2].map(|kind| {
        let nodes = 2 * SIZES[kind] + 1;
        Tree {
            size: SIZES[kind],
            limit: LIMITS[kind],
            lens: vec![0; nodes],
            last: 0,
            parents: vec![0; nodes],
            heap: Vec::with_capacity(nodes),
            joined: Vec::with_capacity(nodes),
        }
    })
}

/// A node of the heap: how often, then how deep, decides; last its number.
const fn node(times: u64, depth: u64, number: usize) -> u64 {
    times << 24 | depth << 16 | number as u64
}

const fn number(node: u64) -> usize {
    node as usize & 0xffff
}

/// zlib's order of nodes, in which one comes before another of the same weight.
#[inline(always)]
const fn smaller(a: u64, b: u64) -> bool {
    a >> 16 <= b >> 16
}

impl Tree {
    /// Find the code lengths of symbols that occur so often.
    fn build(&mut self, times: &[u16]) {
        self.heap.clear();
        self.heap.push(0); // the heap counts from 1
        self.lens[..self.size].fill(0);
        let mut highest = None;
        for (symbol, &times) in times.iter().enumerate() {
            if times != 0 {
                self.heap.push(node(u64::from(times), 0, symbol));
                highest = Some(symbol);
            }
        }
        // At least two codes; what the spare ones would cost is not counted.
        while self.heap.len() < 3 {
            let spare = match highest {
                None => 0,
                Some(last) if last < 2 => last + 1,
                Some(_) => 0,
            };
            highest = highest.max(Some(spare));
            self.heap.push(node(1, 0, spare));
        }
        self.last = highest.unwrap_or(0);
        for at in (1..=(self.heap.len() - 1) / 2).rev() {
            self.sink(at);
        }
        self.join();
        self.measure();
    }

    fn join(&mut self) {
        self.joined.clear();
        let mut joint = self.size;
        while self.heap.len() > 2 {
            let least = self.heap[1];
            self.heap[1] = self.heap.pop().unwrap_or(least);
            self.sink(1);
            let next = self.heap[1];
            for child in [least, next] {
                self.joined.push(number(child) as u16);
                self.parents[number(child)] = joint as u16;
            }
            let depth = (least >> 16 & 0xff).max(next >> 16 & 0xff) + 1;
            self.heap[1] = node((least >> 24) + (next >> 24), depth, joint);
            joint += 1;
            self.sink(1);
        }
        self.joined.push(number(self.heap[1]) as u16);
    }

    /// Code lengths from the tree, none above the limit.
    fn measure(&mut self) {
        let mut by_length = [0_u32; 17];
        let mut over = 0;
        let mut nodes = self.joined.iter().rev().map(|&node| usize::from(node));
        if let Some(root) = nodes.next() {
            self.lens[root] = 0;
        }
        for node in nodes {
            let mut bits = self.lens[usize::from(self.parents[node])] + 1;
            if bits > self.limit {
                bits = self.limit;
                over += 1;
            }
            self.lens[node] = bits;
            if node < self.size {
                by_length[usize::from(bits)] += 1;
            }
        }
        if over == 0 {
            return;
        }
        let limit = usize::from(self.limit);
        while over > 0 {
            let mut bits = limit - 1;
            while by_length[bits] == 0 {
                bits -= 1;
            }
            by_length[bits] -= 1;
            by_length[bits + 1] += 2;
            by_length[limit] -= 1;
            over -= 2;
        }
        // The rarest symbols get the longest codes.
        let mut leaves = self.joined.iter().map(|&node| usize::from(node)).filter(|&node| node < self.size);
        for bits in (1..=limit).rev() {
            for leaf in leaves.by_ref().take(by_length[bits] as usize) {
                self.lens[leaf] = bits as u8;
            }
        }
    }

    /// Restore the heap's order from `at` down.
    fn sink(&mut self, mut at: usize) {
        let heap = &mut self.heap[..];
        let node = heap[at];
        let mut child = 2 * at;
        while child < heap.len() {
            if child + 1 < heap.len() && smaller(heap[child + 1], heap[child]) {
                child += 1;
            }
            if smaller(node, heap[child]) {
                break;
            }
            heap[at] = heap[child];
            at = child;
            child *= 2;
        }
        heap[at] = node;
    }

    /// Count the code lengths, repeats as 16, 17 and 18; the extra bits of those.
    fn describe(&self, sent: &mut [u16; 19]) -> usize {
        let lens = &self.lens[..=self.last];
        let mut extra = 0;
        let mut before = None;
        let mut at = 0;
        while at < lens.len() {
            let len = lens[at];
            // A run of a length that was just sent may be repeated at once; another is sent first.
            let most = if len == 0 {
                138
            } else if before == Some(len) {
                6
            } else {
                7
            };
            let least = if len == 0 || before == Some(len) { 3 } else { 4 };
            let run = lens[at..].iter().take(most).take_while(|&&other| other == len).count();
            if run < least {
                sent[usize::from(len)] += run as u16;
            } else if len != 0 {
                sent[usize::from(len)] += u16::from(before != Some(len));
                sent[16] += 1;
                extra += 2;
            } else if run <= 10 {
                sent[17] += 1;
                extra += 3;
            } else {
                sent[18] += 1;
                extra += 7;
            }
            before = Some(len);
            at += run;
        }
        extra
    }

    fn cost(&self, times: &[u16]) -> usize {
        times.iter().zip(&self.lens).map(|(&times, &bits)| usize::from(times) * usize::from(bits)).sum()
    }
}
