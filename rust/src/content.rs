//! The logical content hash of a table: schema and rows in order, never of file bytes, chunks or buffers.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, LargeBinaryArray, LargeStringArray, StringArray, StringViewArray,
};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::{DataType, Field};
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};

/// What is gathered before the state sees it: it is fast on long stretches.
const GATHERED: usize = 1 << 14;

/// What is hashed, as one sequence of bytes.
pub struct Feed {
    state: Xxh3,
    waiting: Vec<u8>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { state: Xxh3::new(), waiting: Vec::with_capacity(GATHERED) }
    }
}

impl Feed {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if self.waiting.len() + bytes.len() > GATHERED {
            self.state.update(&self.waiting);
            self.waiting.clear();
            if bytes.len() > GATHERED / 4 {
                return self.state.update(bytes);
            }
        }
        self.waiting.extend_from_slice(bytes);
    }

    #[inline]
    fn text(&mut self, value: &[u8]) {
        self.put(&(value.len() as u64).to_le_bytes());
        self.put(value);
    }

    /// Take in one field's name and logical type.
    pub fn field(&mut self, field: &Field) {
        self.text(field.name().as_bytes());
        self.data_type(field.data_type());
    }

    fn data_type(&mut self, data_type: &DataType) {
        match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => self.text(b"text"),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => self.text(b"binary"),
            DataType::List(item) | DataType::LargeList(item) => {
                self.text(b"list");
                self.data_type(item.data_type());
            }
            DataType::Struct(fields) => {
                self.text(b"struct");
                fields.iter().for_each(|field| self.field(field));
            }
            other => self.text(other.to_string().as_bytes()),
        }
    }

    /// Take in values of a column in row order.
    pub fn rows(&mut self, column: &Column<'_>, rows: Range<usize>) {
        rows.for_each(|row| column.feed(self, row));
    }

    /// xxh3-128 of everything.
    #[must_use]
    pub fn digest(&self) -> u128 {
        let mut state = self.state.clone();
        state.update(&self.waiting);
        state.digest128()
    }
}

/// One chunk of a column, its type looked at once.
pub struct Column<'a> {
    nulls: Option<&'a NullBuffer>,
    values: Values<'a>,
}

enum Values<'a> {
    Nothing,
    Bool(&'a BooleanArray),
    /// Numbers and times: so many bytes each.
    Fixed(Buffer, usize),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    TextView(&'a StringViewArray),
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    BinaryView(&'a BinaryViewArray),
    List(Vec<usize>, Box<Column<'a>>),
    Struct(Vec<Column<'a>>),
}

impl<'a> Column<'a> {
    /// Look at a chunk.
    ///
    /// # Errors
    /// [`Error::Input`] for a type that no artefact holds (maps, unions, decimals, ...).
    pub fn of(array: &'a ArrayRef) -> Result<Self> {
        let list = |offsets: Vec<usize>, items| Ok(Values::List(offsets, Box::new(Self::of(items)?)));
        let values = match array.data_type() {
            DataType::Null => Values::Nothing,
            DataType::Boolean => Values::Bool(array.as_boolean()),
            DataType::Float32 => Values::Float32(array.as_primitive::<Float32Type>().values()),
            DataType::Float64 => Values::Float64(array.as_primitive::<Float64Type>().values()),
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::LargeUtf8 => Values::LargeText(array.as_string()),
            DataType::Utf8View => Values::TextView(array.as_string_view()),
            DataType::Binary => Values::Binary(array.as_binary()),
            DataType::LargeBinary => Values::LargeBinary(array.as_binary()),
            DataType::BinaryView => Values::BinaryView(array.as_binary_view()),
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                list(lists.value_offsets().iter().map(|&offset| offset as usize).collect(), lists.values())?
            }
            DataType::LargeList(_) => {
                let lists = array.as_list::<i64>();
                list(lists.value_offsets().iter().map(|&offset| offset as usize).collect(), lists.values())?
            }
            DataType::Struct(_) => Values::Struct(array.as_struct().columns().iter().map(Self::of).collect::<Result<_>>()?),
            other => {
                let width = width(other)
                    .ok_or_else(|| Error::Input(format!("a column of type {other} cannot be hashed; cast it to text or numbers")))?;
                let data = array.to_data();
                Values::Fixed(data.buffers()[0].slice_with_length(data.offset() * width, data.len() * width), width)
            }
        };
        Ok(Self { nulls: array.nulls(), values })
    }

    fn feed(&self, to: &mut Feed, row: usize) {
        if matches!(self.values, Values::Nothing) || self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return to.put(&[0]);
        }
        to.put(&[1]);
        match &self.values {
            Values::Nothing => {}
            Values::Bool(values) => to.put(&[u8::from(values.value(row))]),
            Values::Fixed(bytes, width) => to.put(&bytes[row * width..(row + 1) * width]),
            // -0.0 equals 0.0, and every NaN equals every other.
            Values::Float32(values) => to.put(&(if values[row].is_nan() { f32::NAN } else { values[row] + 0.0 }).to_le_bytes()),
            Values::Float64(values) => to.put(&(if values[row].is_nan() { f64::NAN } else { values[row] + 0.0 }).to_le_bytes()),
            Values::Text(texts) => to.text(texts.value(row).as_bytes()),
            Values::LargeText(texts) => to.text(texts.value(row).as_bytes()),
            Values::TextView(texts) => to.text(texts.value(row).as_bytes()),
            Values::Binary(values) => to.text(values.value(row)),
            Values::LargeBinary(values) => to.text(values.value(row)),
            Values::BinaryView(values) => to.text(values.value(row)),
            Values::List(offsets, items) => {
                let within = offsets[row]..offsets[row + 1];
                to.put(&(within.len() as u64).to_le_bytes());
                to.rows(items, within);
            }
            Values::Struct(columns) => columns.iter().for_each(|column| column.feed(to, row)),
        }
    }
}

/// Bytes of each value of a type whose values are hashed as they lie.
fn width(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::Int8 | DataType::UInt8 => Some(1),
        DataType::Int16 | DataType::UInt16 => Some(2),
        DataType::Int32 | DataType::UInt32 | DataType::Date32 => Some(4),
        DataType::Int64 | DataType::UInt64 => Some(8),
        DataType::Timestamp(_, _) | DataType::Duration(_) | DataType::Time64(_) | DataType::Date64 => Some(8),
        _ => None,
    }
}
