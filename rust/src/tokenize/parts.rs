//! Rows in parts of about equal size, and the ids of all parts in one buffer.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::error::Result;
use crate::parallel::{self, Control};

/// Parts for each thread, so that none waits long for the last.
const PARTS: usize = 4;
/// Bytes below which a part is not worth a thread's while.
const LEAST: usize = 1 << 16;

/// `kernel(first row, rows, their bytes)` of parts that make up `texts`, in order: one part where there is one thread.
pub fn map<T: Send>(
    texts: &[Option<&str>],
    control: &Control,
    kernel: impl Fn(usize, &[Option<&str>], usize) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    control.check()?;
    let bytes = |texts: &[Option<&str>]| texts.iter().flatten().map(|text| text.len()).sum::<usize>();
    let threads = if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 };
    let most = if threads == 1 { usize::MAX } else { (bytes(texts) / (threads * PARTS)).max(LEAST) };
    let (mut borders, mut size) = (vec![0], 0);
    for (row, text) in texts.iter().enumerate() {
        if size >= most {
            borders.push(row);
            size = 0;
        }
        size += text.map_or(0, str::len);
    }
    borders.push(texts.len());
    parallel::map(borders.len() - 1, |part| {
        let rows = &texts[borders[part]..borders[part + 1]];
        kernel(borders[part], rows, bytes(rows))
    })
}

/// All ids in one buffer: copied once, side by side; a single part is taken as it is.
pub fn join(mut parts: Vec<Vec<u32>>) -> Vec<u32> {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let total = parts.iter().map(Vec::len).sum();
    let mut all = Vec::with_capacity(total);
    let mut rest = &mut all.spare_capacity_mut()[..total];
    let mut copies: Vec<(&mut [MaybeUninit<u32>], Vec<u32>)> = Vec::with_capacity(parts.len());
    for part in parts {
        let (room, others) = rest.split_at_mut(part.len());
        copies.push((room, part));
        rest = others;
    }
    let copy = |(room, part): (&mut [MaybeUninit<u32>], Vec<u32>)| {
        for (to, from) in room.iter_mut().zip(part) {
            to.write(from);
        }
    };
    if rayon::current_thread_index().is_some() {
        copies.into_par_iter().for_each(copy)
    } else {
        copies.into_iter().for_each(copy)
    }
    // SAFETY: the parts fill all of the room.
    unsafe { all.set_len(total) };
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_whole() {
        let text = "x".repeat(1000);
        let texts: Vec<Option<&str>> = (0..1000).map(|row| (row % 7 > 0).then_some(text.as_str())).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        let rows = || map(&texts, &Control::default(), |first, rows, bytes| Ok((first, rows.len(), bytes))).expect("parts");
        let (one, two) = (rows(), pool.install(rows));
        assert_eq!(one, [(0, 1000, 857_000)]);
        assert!(two.len() > 4);
        assert!(two.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0));
        let join_all = || join((0..50).map(|part| (0..part).collect()).collect());
        let wanted: Vec<u32> = (0..50).flat_map(|part| 0..part).collect();
        assert_eq!(join_all(), wanted);
        assert_eq!(pool.install(join_all), wanted);
        assert!(join(Vec::new()).is_empty());
    }
}
