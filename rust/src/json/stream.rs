//! A file read block by block: memory holds a block, whatever the size of the file; the answer is that of reading it whole.

use super::read::{Before, read_block};
use super::{Index, STRETCH};
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::read::read_in_stretches;
    use crate::json::read::tests::document;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn blocks_never_show(bytes in document(), size in 1..60_usize, stretch in 1..40_usize) {
            let control = Control::default();
            let (whole, _) = read_in_stretches(&bytes, usize::MAX / 2, &control).unwrap();
            let mut stream = Stream::default();
            let (mut records, mut rejects) = (Vec::new(), Vec::new());
            let mut chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            chunks.push(&[]);
            for (k, chunk) in chunks.iter().enumerate() {
                let block = stream.push_in_stretches(chunk, k + 1 == chunks.len(), stretch, &control).unwrap();
                let text = |start, end| block.bytes[start..end].to_vec();
                records.extend(block.index.records.iter().map(|it| (it.record, it.line, block.offset + it.start as u64, text(it.start, it.end))));
                rejects.extend(block.index.rejects.into_iter().map(|it| {
                    (it.record, it.line, block.offset + it.start as u64, text(it.start, it.end), it.field, it.code, it.found, it.expected)
                }));
            }
            let text = |start, end| bytes[start..end].to_vec();
            let expected: Vec<_> = whole.records.iter().map(|it| (it.record, it.line, it.start as u64, text(it.start, it.end))).collect();
            prop_assert_eq!(expected, records);
            let expected: Vec<_> = whole.rejects.into_iter().map(|it| {
                (it.record, it.line, it.start as u64, text(it.start, it.end), it.field, it.code, it.found, it.expected)
            }).collect();
            prop_assert_eq!(expected, rejects);
        }
    }
}
