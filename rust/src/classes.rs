//! Rows with the same tokens, collapsed into one class: what the search for near duplicates works on.

use rayon::prelude::*;

use crate::error::Result;
use crate::fields::{NONE, Rows};
use crate::hash::mix;
use crate::minhash::Scratch;
use crate::parallel::Control;
use crate::search::Search;
use crate::shingle::Shingler;
use crate::spill::Keys;

/// Texts per piece of parallel work.
pub const GRAIN: usize = 256;
/// Rows that are signed before they are put into classes.
const BATCH: u32 = 1 << 16;

/// Rows grouped by the token sequences of all their fields.
#[derive(Debug)]
pub struct Classes {
    /// Class per row, [`NONE`] for a row without a text. Classes are numbered in order of their first row.
    pub of: Vec<u32>,
    /// Rows of a class, ascending: `rows[starts[class]..starts[class + 1]]`.
    rows: Vec<u32>,
    starts: Vec<u32>,
}

impl Classes {
    /// Number of classes.
    #[must_use]
    pub fn count(&self) -> u32 {
        (self.starts.len() - 1) as u32
    }

    /// Rows of a class, ascending.
    #[must_use]
    pub fn members(&self, class: u32) -> &[u32] {
        &self.rows[self.starts[class as usize] as usize..self.starts[class as usize + 1] as usize]
    }

    /// The first row of a class.
    #[must_use]
    pub fn first(&self, class: u32) -> u32 {
        self.rows[self.starts[class as usize] as usize]
    }
}

/// The first occurrence of each identity, in 4 bytes a place: the identities themselves are kept once, in order.
#[derive(Debug)]
pub struct Table {
    identities: Vec<u128>,
    places: Vec<u32>,
}

impl Table {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self { identities: Vec::new(), places: vec![NONE; 1 << 10] }
    }

    /// Nothing seen yet, with places for as many identities as there are rows: no place is moved.
    #[must_use]
    pub fn for_rows(rows: u32) -> Self {
        Self { identities: Vec::new(), places: vec![NONE; (rows as usize * 4 / 3 + 2).next_power_of_two()] }
    }

    /// The number of an identity, in order of first occurrence, and whether this was the first.
    pub fn number(&mut self, identity: u128) -> (u32, bool) {
        if self.identities.len() * 4 >= self.places.len() * 3 {
            let size = self.places.len() * 2;
            self.places = Vec::new(); // the old places are gone before the new ones are there
            self.places = vec![NONE; size];
            for (number, &identity) in self.identities.iter().enumerate() {
                let place = self.place(identity);
                self.places[place] = number as u32;
            }
        }
        let place = self.place(identity);
        if self.places[place] != NONE {
            return (self.places[place], false);
        }
        let number = self.identities.len() as u32;
        self.places[place] = number;
        self.identities.push(identity);
        (number, true)
    }

    /// Where an identity stands, or where it would.
    fn place(&self, identity: u128) -> usize {
        let mask = self.places.len() - 1;
        let mut place = identity as usize & mask;
        while self.places[place] != NONE && self.identities[self.places[place] as usize] != identity {
            place = (place + 1) & mask;
        }
        place
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

/// The shingles of each field of a row, null where it is: sorted, without repeats.
pub type Sets = Vec<Option<Vec<u64>>>;

/// Turns rows into identities and band keys, one after the other.
pub struct Signer<'a> {
    search: &'a Search,
    order: &'a [usize],
    control: &'a Control,
    shingler: Shingler<'a>,
    scratch: Scratch,
    shingles: Vec<u64>,
}

impl<'a> Signer<'a> {
    /// A signer that keys rows by the first field of `order` that they have.
    #[must_use]
    pub fn new(search: &'a Search, order: &'a [usize], control: &'a Control) -> Self {
        let shingler = Shingler::new(search.shape, control);
        Self { search, order, control, shingler, scratch: Scratch::default(), shingles: Vec::new() }
    }

    /// Append one key per band of a row and give the identity of its token sequences; nothing of either where it
    /// has no text. Rows that have different fields share no key: an absent text is like no text that is there.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted).
    pub fn sign(&mut self, rows: &Rows<'_>, row: u32, keys: &mut Vec<u64>) -> Result<Option<u128>> {
        let Some((key_field, text)) = self.order.iter().find_map(|&field| Some((field, rows.text(row, field)?))) else { return Ok(None) };
        if rows.width() == 1 {
            self.shingles.clear();
            let identity = self.shingler.push(text, &mut self.shingles)?;
            self.search.permutations.keys(&self.shingles, &mut self.scratch, keys, self.control)?;
            return Ok(Some(identity));
        }
        let (mut whole, mut absent, start) = ([0_u64; 2], 0_u64, keys.len());
        for (field, text) in rows.texts(row).enumerate() {
            self.shingles.clear();
            let identity = match text {
                Some(text) => self.shingler.push(text, &mut self.shingles)?,
                None => {
                    absent |= 1 << field;
                    0
                }
            };
            if field == key_field {
                self.search.permutations.keys(&self.shingles, &mut self.scratch, keys, self.control)?;
            }
            // Sixty-four bits each way round: as good as an identity of the whole.
            let (low, high) = (identity as u64, (identity >> 64) as u64);
            whole = [mix(whole[0].rotate_left(17) ^ low) ^ high, mix(whole[1].rotate_left(29) ^ high).wrapping_add(low)];
        }
        // The fields that are absent count, too.
        keys[start..].iter_mut().for_each(|key| *key = mix(*key ^ absent));
        Ok(Some(u128::from(mix(whole[0] ^ absent)) << 64 | u128::from(mix(whole[1].wrapping_add(absent)))))
    }

    /// The shingles of each field of a row.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted).
    pub fn sets(&mut self, rows: &Rows<'_>, row: u32) -> Result<Sets> {
        rows.texts(row).map(|text| text.map(|text| self.shingler.set(text)).transpose()).collect()
    }
}

/// Sign rows in order and hand them to `take`, with their keys; rows without a text are left out.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted), and what `take` fails with.
pub fn signed(
    rows: &Rows<'_>,
    order: &[usize],
    search: &Search,
    control: &Control,
    mut take: impl FnMut(u32, u128, &[u64]) -> Result<()>,
) -> Result<()> {
    let bands = search.permutations.bands();
    // Many bands make long keys: a batch holds 64 MB of them at most.
    let batch = BATCH.min(((8 << 20) / bands as u32).max(1));
    for start in (0..rows.count()).step_by(batch as usize) {
        let end = rows.count().min(start.saturating_add(batch));
        let pieces: Vec<(Vec<Option<u128>>, Vec<u64>)> = (start..end)
            .into_par_iter()
            .step_by(GRAIN)
            .map_init(
                || Signer::new(search, order, control),
                |signer, first| {
                    let last = end.min(first.saturating_add(GRAIN as u32));
                    let mut keys = Vec::with_capacity((last - first) as usize * bands);
                    let mut identities = Vec::with_capacity((last - first) as usize);
                    for row in first..last {
                        control.check()?;
                        identities.push(signer.sign(rows, row, &mut keys)?);
                    }
                    control.advance((last - first) as usize);
                    Ok((identities, keys))
                },
            )
            .collect::<Result<_>>()?;
        let mut row = start;
        for (identities, keys) in pieces {
            let mut keys = keys.chunks_exact(bands);
            for identity in identities {
                if let (Some(identity), Some(keys)) = (identity, identity.and_then(|_| keys.next())) {
                    take(row, identity, keys)?;
                }
                row += 1;
            }
        }
    }
    Ok(())
}

/// Group rows by their token sequences, and note the band keys of each class.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted); [`Error::Option`](crate::error::Error::Option) when keys cannot be spilled.
pub fn classes(rows: &Rows<'_>, order: &[usize], search: &Search, control: &Control) -> Result<(Classes, Keys)> {
    let mut keys = Keys::new(search.permutations.bands(), search.room.keys(), &search.room.folder);
    let mut of = vec![NONE; rows.count() as usize];
    let mut table = Table::new();
    let mut starts: Vec<u32> = vec![0];
    signed(rows, order, search, control, |row, identity, of_row| {
        let (class, new) = table.number(identity);
        if new {
            starts.push(0);
            keys.push(of_row)?;
        }
        of[row as usize] = class;
        Ok(())
    })?;
    drop(table);
    keys.close()?;
    // Count, sum up, fill: the place of the next member of a class runs from its start to the next one's.
    for &class in of.iter().filter(|&&class| class != NONE) {
        starts[class as usize + 1] += 1;
    }
    for class in 1..starts.len() {
        starts[class] += starts[class - 1];
    }
    let mut rows = vec![0; starts[starts.len() - 1] as usize];
    for (row, &class) in of.iter().enumerate().rev() {
        if class != NONE {
            let end = &mut starts[class as usize + 1];
            *end -= 1;
            rows[*end as usize] = row as u32;
        }
    }
    // Now each entry is the start of the class before it.
    starts.remove(0);
    starts.push(rows.len() as u32);
    Ok((Classes { of, rows, starts }, keys))
}

#[cfg(test)]
mod tests {
    use super::{Table, classes};
    use crate::fields::{Column, NONE, Rows};
    use crate::hash::mix;
    use crate::minhash::{Bands, Permutations};
    use crate::parallel::Control;
    use crate::search::{Room, Search};
    use crate::shingle::Shape;

    #[test]
    fn numbers_are_given_in_order_and_kept() {
        let identity = |i: u64| u128::from(mix(i)) << 64 | u128::from(i % 7);
        let mut table = Table::new();
        for i in 0..5_000 {
            assert_eq!(table.number(identity(i)), (i as u32, true));
        }
        for i in 0..5_000 {
            assert_eq!(table.number(identity(i)), (i as u32, false));
        }
    }

    #[test]
    fn members_are_ascending_and_nulls_are_none() {
        let texts: [Column<'_>; 2] = [
            vec![Some("a"), None, Some("b"), Some("A!"), None, Some("a"), None],
            vec![None, None, Some("x"), None, Some("a"), Some("x"), Some("A")],
        ];
        let search = Search {
            shape: Shape::new(1, "word").unwrap(),
            permutations: Permutations::new(Bands::choose(0.7, 128).unwrap(), 0),
            threshold: 0.7,
            room: Room::default(),
        };
        let (classes, keys) = classes(&Rows::new(&texts).unwrap(), &[0, 1], &search, &Control::default()).unwrap();
        assert_eq!(classes.of, [0, NONE, 1, 0, 2, 3, 2]);
        assert_eq!((0..classes.count()).map(|class| classes.members(class)).collect::<Vec<_>>(), [&[0, 3][..], &[2], &[4, 6], &[5]]);
        assert_eq!((classes.first(2), keys.band(0, &Control::default()).unwrap().len()), (4, 4));
        // The same token in another field, or beside other fields, shares no key.
        let first = keys.band(0, &Control::default()).unwrap();
        assert!(first[0] != first[2] && first[0] != first[3]);
    }
}
