//! A file read block by block: memory holds a block, whatever the size of the file; the answer is that of reading it whole.

use std::ops::Range;

use super::read::{Before, read_block};
use super::{Index, Layout, STRETCH};
use crate::error::Result;
use crate::parallel::Control;

/// Records of a file whose bytes come in chunks.
///
/// An element that does not end in the bytes at hand waits for the next chunk; so does damage whose end is not in
/// sight, which can be everything that is left.
#[derive(Default)]
pub struct Stream {
    before: Before,
    /// Bytes of an element that has not ended.
    rest: Vec<u8>,
    /// Bytes to gather before looking again: what did not end in a block is looked at anew only when it has doubled.
    wanted: usize,
}

/// The records that ended in a block.
pub struct Block {
    /// The bytes that the index points into.
    pub bytes: Vec<u8>,
    /// Its records, numbered and counted through the file.
    pub index: Index,
    /// Bytes of the file before `bytes`.
    pub offset: u64,
}

impl Stream {
    /// How the records lie in the file, as far as it is known.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.before.layout.unwrap_or(Layout::Empty)
    }

    /// Take the next chunk and give the records that end in it. `last`: the file ends there.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`].
    pub fn push(&mut self, chunk: &[u8], last: bool, control: &Control) -> Result<Block> {
        self.push_in_stretches(chunk, last, STRETCH, control)
    }

    pub(super) fn push_in_stretches(&mut self, chunk: &[u8], last: bool, stretch: usize, control: &Control) -> Result<Block> {
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.reserve_exact(chunk.len());
        bytes.extend_from_slice(chunk);
        let offset = self.before.bytes;
        if bytes.len() < self.wanted && !last {
            self.rest = bytes;
            return Ok(Block { bytes: Vec::new(), index: Index::default(), offset });
        }
        let (index, end) = read_block(&bytes, &mut self.before, last, stretch, control)?;
        self.rest = bytes[end..].to_vec();
        self.wanted = 2 * self.rest.len();
        Ok(Block { bytes, index, offset })
    }
}

/// Records of a file that lies in memory as a whole (mapped, say), a window of it at a time.
#[derive(Default)]
pub struct Windows {
    before: Before,
    ended: bool,
}

impl Windows {
    /// How the records lie in the file, as far as it is known.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.before.layout.unwrap_or(Layout::Empty)
    }

    /// Give the bytes that come next, `size` of them or one record that is longer, and the records that end there, which
    /// the next window takes on from; `None` at the end of the file.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`].
    pub fn next(&mut self, file: &[u8], size: usize, control: &Control) -> Result<Option<(Range<usize>, Index)>> {
        self.next_in_stretches(file, size, STRETCH, control)
    }

    fn next_in_stretches(&mut self, file: &[u8], size: usize, stretch: usize, control: &Control) -> Result<Option<(Range<usize>, Index)>> {
        let start = usize::try_from(self.before.bytes).expect("the file is in memory");
        let mut size = size;
        while !self.ended {
            let window = start..file.len().min(start.saturating_add(size));
            self.ended = window.end == file.len();
            let (index, end) = read_block(&file[window.clone()], &mut self.before, self.ended, stretch, control)?;
            if end > 0 || self.ended {
                return Ok(Some((window, index)));
            }
            size *= 2; // what did not end is looked at anew only when it has doubled
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Reject;
    use crate::json::read::read_in_stretches;
    use crate::json::read::tests::document;

    type Placed = (Vec<(u64, u64, u64, Vec<u8>)>, Vec<(u64, Vec<u8>, Reject)>);

    /// Records and rejects by their place in the file, with their bytes.
    fn placed(index: &Index, bytes: &[u8], offset: u64) -> Placed {
        let text = |start, end| bytes[start..end].to_vec();
        let records = index.records.iter().map(|it| (it.record, it.line, offset + it.start as u64, text(it.start, it.end)));
        let rejects =
            index.rejects.iter().map(|it| (offset + it.start as u64, text(it.start, it.end), Reject { start: 0, end: 0, ..it.clone() }));
        (records.collect(), rejects.collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn blocks_never_show(bytes in document(), size in 1..60_usize, stretch in 1..40_usize) {
            let control = Control::default();
            let (whole, _) = read_in_stretches(&bytes, usize::MAX / 2, &control).unwrap();
            let expected = placed(&whole, &bytes, 0);
            let mut stream = Stream::default();
            let mut chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            chunks.push(&[]);
            let (mut records, mut rejects) = (Vec::new(), Vec::new());
            for (k, chunk) in chunks.iter().enumerate() {
                let block = stream.push_in_stretches(chunk, k + 1 == chunks.len(), stretch, &control).unwrap();
                let (more, damaged) = placed(&block.index, &block.bytes, block.offset);
                records.extend(more);
                rejects.extend(damaged);
            }
            prop_assert_eq!((records, rejects), expected.clone());
            let mut windows = Windows::default();
            let (mut records, mut rejects) = (Vec::new(), Vec::new());
            while let Some((window, index)) = windows.next_in_stretches(&bytes, size, stretch, &control).unwrap() {
                let (more, damaged) = placed(&index, &bytes[window.clone()], window.start as u64);
                records.extend(more);
                rejects.extend(damaged);
            }
            prop_assert_eq!((records, rejects), expected);
        }
    }
}
