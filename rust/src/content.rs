//! The logical content hash of a table: schema and rows in order, never of file bytes, chunks or buffers.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::ToByteSlice;
use arrow_schema::{DataType, Field};
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};

/// Feed one field's name and logical type.
pub fn hash_field(state: &mut Xxh3, field: &Field) {
    bytes(state, field.name().as_bytes());
    hash_type(state, field.data_type());
}

fn hash_type(state: &mut Xxh3, data_type: &DataType) {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => bytes(state, b"text"),
        DataType::List(item) | DataType::LargeList(item) => {
            bytes(state, b"list");
            hash_type(state, item.data_type());
        }
        DataType::Struct(fields) => {
            bytes(state, b"struct");
            fields.iter().for_each(|field| hash_field(state, field));
        }
        other => bytes(state, other.to_string().as_bytes()),
    }
}

fn bytes(state: &mut Xxh3, value: &[u8]) {
    state.update(&(value.len() as u64).to_le_bytes());
    state.update(value);
}

/// Feed every value of one chunk in row order.
///
/// # Errors
/// [`Error::Input`] for a type that no artefact holds (maps, unions, decimals, ...).
pub fn hash_chunk(state: &mut Xxh3, array: &ArrayRef) -> Result<()> {
    (0..array.len()).try_for_each(|row| hash_value(state, array, row))
}

macro_rules! primitives {
    ($state:expr, $array:expr, $row:expr, $($data_type:ident => $arrow:ident),* $(,)?) => {
        match $array.data_type() {
            $(DataType::$data_type => {
                let value = $array.as_primitive::<arrow_array::types::$arrow>().value($row);
                $state.update(value.to_byte_slice());
                return Ok(());
            })*
            _ => {}
        }
    };
}

fn hash_value(state: &mut Xxh3, array: &ArrayRef, row: usize) -> Result<()> {
    if array.is_null(row) || matches!(array.data_type(), DataType::Null) {
        state.update(&[0]);
        return Ok(());
    }
    state.update(&[1]);
    primitives!(state, array, row,
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type,
        Date32 => Date32Type);
    match array.data_type() {
        // -0.0 equals 0.0, and every NaN equals every other.
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            state.update(&(if value.is_nan() { f32::NAN } else { value + 0.0 }).to_le_bytes());
        }
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            state.update(&(if value.is_nan() { f64::NAN } else { value + 0.0 }).to_le_bytes());
        }
        DataType::Boolean => state.update(&[u8::from(array.as_boolean().value(row))]),
        DataType::Utf8 => bytes(state, array.as_string::<i32>().value(row).as_bytes()),
        DataType::LargeUtf8 => bytes(state, array.as_string::<i64>().value(row).as_bytes()),
        DataType::Utf8View => bytes(state, array.as_string_view().value(row).as_bytes()),
        DataType::List(_) => items(state, &array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => items(state, &array.as_list::<i64>().value(row))?,
        DataType::Struct(_) => {
            for column in array.as_struct().columns() {
                hash_value(state, column, row)?;
            }
        }
        DataType::Timestamp(_, _) | DataType::Duration(_) | DataType::Time64(_) | DataType::Date64 => {
            let data = array.to_data();
            state.update(&data.buffers()[0].typed_data::<i64>()[data.offset() + row].to_le_bytes());
        }
        other => return Err(Error::Input(format!("a column of type {other} cannot be hashed; cast it to text or numbers"))),
    }
    Ok(())
}

fn items(state: &mut Xxh3, array: &ArrayRef) -> Result<()> {
    state.update(&(array.len() as u64).to_le_bytes());
    hash_chunk(state, array)
}
