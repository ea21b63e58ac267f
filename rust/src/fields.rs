//! Rows of one or several text columns, on one side or on two: what the search for duplicates looks at.

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Result};
use crate::parallel::Control;

/// No row, no class.
pub const NONE: u32 = u32::MAX;
/// Fields are told apart by a bit each.
const MOST_FIELDS: usize = 64;

/// One field of every row.
pub type Column<'a> = Vec<Option<&'a str>>;

/// Row numbers must fit 32 bits.
///
/// # Errors
/// [`Error::Input`] for 2^32 - 1 rows or more.
pub fn check_rows(rows: usize) -> Result<()> {
    if rows >= NONE as usize {
        return Err(Error::Input(format!("found {rows} texts, expected fewer than {NONE}; work on parts")));
    }
    Ok(())
}

/// Rows of one list, or of two lists one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    before: &'a [Column<'a>],
    after: &'a [Column<'a>],
    border: usize,
    count: usize,
}

impl<'a> Rows<'a> {
    /// The rows of `texts`, a column per field.
    ///
    /// # Errors
    /// [`Error::Input`] for columns of different lengths, for no field or more than 64, and for 2^32 - 1 rows or more.
    pub fn new(texts: &'a [Column<'a>]) -> Result<Self> {
        Self::two_sided(&[], texts)
    }

    /// The rows of `against`, then those of `texts`; the latter begin at [`border`](Self::border).
    ///
    /// # Errors
    /// As [`new`](Self::new), and for sides of different numbers of fields.
    pub fn two_sided(against: &'a [Column<'a>], texts: &'a [Column<'a>]) -> Result<Self> {
        if texts.is_empty() || texts.len() > MOST_FIELDS {
            return Err(Error::Input(format!("found {} columns of text, expected 1 to {MOST_FIELDS}", texts.len())));
        }
        if !against.is_empty() && against.len() != texts.len() {
            return Err(Error::Input(format!(
                "found {} columns of text on one side and {} on the other, expected as many",
                texts.len(),
                against.len()
            )));
        }
        for side in [against, texts] {
            if let Some(other) = side.iter().find(|column| column.len() != side[0].len()) {
                return Err(Error::Input(format!("expected columns of equal length, found {} and {} rows", side[0].len(), other.len())));
            }
        }
        let border = against.first().map_or(0, Vec::len);
        let count = border + texts[0].len();
        check_rows(count)?;
        Ok(Self { before: against, after: texts, border, count })
    }

    /// Number of rows, of both sides.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count as u32
    }

    /// The first row of the second list.
    #[must_use]
    pub fn border(&self) -> u32 {
        self.border as u32
    }

    /// Number of fields.
    #[must_use]
    pub fn width(&self) -> usize {
        self.after.len()
    }

    /// One field of a row.
    #[must_use]
    pub fn text(&self, row: u32, field: usize) -> Option<&'a str> {
        let row = row as usize;
        if row < self.border { self.before[field][row] } else { self.after[field][row - self.border] }
    }

    /// All fields of a row.
    pub fn texts(&self, row: u32) -> impl Iterator<Item = Option<&'a str>> {
        (0..self.width()).map(move |field| self.text(row, field))
    }

    /// Bytes of a row's texts.
    #[must_use]
    pub fn bytes(&self, row: u32) -> usize {
        self.texts(row).flatten().map(str::len).sum()
    }

    /// The fields, the one with the most distinct texts first (by a count that is near enough, and the same every
    /// time): rows that agree in it are the fewest, so that candidates are sought there.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn order(&self, control: &Control) -> Result<Vec<usize>> {
        let mut fields: Vec<usize> = (0..self.width()).collect();
        if self.width() > 1 {
            let distinct: Vec<u32> = fields.iter().map(|&field| self.distinct(field, control)).collect::<Result<_>>()?;
            fields.sort_by_key(|&field| std::cmp::Reverse(distinct[field]));
        }
        Ok(fields)
    }

    /// How many of four bits a row are set when each text sets one: grows with the number of distinct texts.
    fn distinct(&self, field: usize, control: &Control) -> Result<u32> {
        let bits = (self.count * 4).next_power_of_two().max(64);
        let mut seen = vec![0_u64; bits / 64];
        for row in 0..self.count() {
            if row % 4096 == 0 {
                control.check()?;
            }
            if let Some(text) = self.text(row, field) {
                let place = xxh3_64(text.as_bytes()) as usize & (bits - 1);
                seen[place / 64] |= 1 << (place % 64);
            }
        }
        Ok(seen.iter().map(|word| word.count_ones()).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Rows};
    use crate::parallel::Control;

    #[test]
    fn two_sides_are_one_list() {
        let (against, texts): ([Column<'_>; 2], [Column<'_>; 2]) =
            ([vec![Some("a")], vec![None]], [vec![Some("b"), Some("b"), None], vec![Some("x"), Some("y"), Some("z")]]);
        let rows = Rows::two_sided(&against, &texts).unwrap();
        assert_eq!((rows.count(), rows.border(), rows.width()), (4, 1, 2));
        assert_eq!(rows.texts(0).collect::<Vec<_>>(), [Some("a"), None]);
        assert_eq!(rows.texts(3).collect::<Vec<_>>(), [None, Some("z")]);
        assert_eq!(rows.order(&Control::default()).unwrap(), [1, 0]);
        assert!(Rows::new(&[vec![None], vec![]]).is_err() && Rows::new(&[]).is_err());
        assert!(Rows::two_sided(&against[..1], &texts).is_err());
    }
}
