//! Hashes: of a row's content (xxh3-128 over length-prefixed fields), and of a word.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::error::Result;
use crate::parallel::{Control, map};

/// Rows per piece of parallel work.
const GRAIN: usize = 1024;

/// One 128-bit id per row over `fields` (columns of equal length; one of nothing but nulls may be empty). Missing, null and `""` are equal:
/// each field contributes its byte length (u64, little endian) and its bytes.
///
/// # Errors
/// [`crate::error::Error::Interrupted`].
pub fn row_ids(fields: &[Vec<Option<&str>>], control: &Control) -> Result<Vec<u128>> {
    let rows = fields.iter().map(Vec::len).max().unwrap_or(0);
    let ids = map(rows.div_ceil(GRAIN), |chunk| {
        control.check()?;
        let (mut content, within) = (Vec::new(), chunk * GRAIN..rows.min((chunk + 1) * GRAIN));
        control.advance(within.len());
        Ok(within.map(|row| row_id(&mut content, fields, row)).collect::<Vec<_>>())
    })?;
    Ok(ids.concat())
}

fn row_id(content: &mut Vec<u8>, fields: &[Vec<Option<&str>>], row: usize) -> u128 {
    content.clear();
    for field in fields {
        // A column of nothing but nulls need not be written out.
        let text = field.get(row).copied().flatten().unwrap_or("");
        content.extend_from_slice(&(text.len() as u64).to_le_bytes());
        content.extend_from_slice(text.as_bytes());
    }
    xxh3_128(content)
}

/// Ids as text, 32 hexadecimal digits each, one after another.
#[must_use]
pub fn hex(ids: &[u128]) -> Vec<u8> {
    let mut text = vec![0; 32 * ids.len()];
    for (id, digits) in ids.iter().zip(text.chunks_exact_mut(32)) {
        for (byte, pair) in id.to_be_bytes().into_iter().zip(digits.chunks_exact_mut(2)) {
            pair.copy_from_slice(&PAIRS[usize::from(byte)]);
        }
    }
    text
}

/// Every byte as two hexadecimal digits.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [b"0123456789abcdef"[byte >> 4], b"0123456789abcdef"[byte & 15]];
        byte += 1;
    }
    pairs
};

/// One bijective mixing step (the finalizer of SplitMix64): neighbouring inputs give unrelated outputs.
#[inline]
#[must_use]
pub const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A 64-bit hash of a short text, such as a word: one wide product up to 16 bytes, xxh3 beyond.
#[inline]
#[must_use]
pub fn short(bytes: &[u8]) -> u64 {
    // Two reads that overlap where the text is shorter; the length tells such texts apart.
    let (head, tail) = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        if bytes.len() > 16 {
            return xxh3_64(bytes);
        }
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
    } else {
        (bytes.iter().fold(0, |all, &byte| all << 8 | u64::from(byte)), 0)
    };
    let product = u128::from(head ^ 0xa076_1d64_78bd_642f) * u128::from(tail ^ 0xe703_7ed1_a0b4_28db ^ (bytes.len() as u64) << 56);
    mix((product >> 64) as u64 ^ product as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{hex, row_ids, short};
    use crate::parallel::Control;

    #[test]
    fn null_equals_empty_and_borders_count() {
        let fields = [vec![None, Some(""), Some("ab"), Some("a")], vec![Some("c"), Some("c"), Some("c"), Some("bc")]];
        let ids = row_ids(&fields, &Control::default()).unwrap();
        assert_eq!(ids[0], ids[1]);
        assert_ne!(ids[2], ids[3]);
        assert_eq!(hex(&ids[2..]), format!("{:032x}{:032x}", ids[2], ids[3]).into_bytes());
    }

    #[test]
    fn short_texts_have_hashes_of_their_own() {
        let mut texts: Vec<Vec<u8>> = (0..40).map(|len| vec![0; len]).collect();
        texts.extend((0..=u16::MAX).map(|pair| pair.to_be_bytes().to_vec()));
        texts.extend((0..20_000_u32).map(|number| number.to_string().into_bytes()));
        texts.extend((0..20_000_u32).map(|number| format!("{number}--{number:07}").into_bytes()));
        let distinct: HashSet<&Vec<u8>> = texts.iter().collect();
        let hashes: HashSet<u64> = texts.iter().map(|text| short(text)).collect();
        assert_eq!(hashes.len(), distinct.len());
        // All bits move: the lower and upper halves are as good as distinct themselves.
        for shift in [0, 32] {
            let halves: HashSet<u32> = texts.iter().map(|text| (short(text) >> shift) as u32).collect();
            assert!(distinct.len() - halves.len() < 10);
        }
    }
}
