//! Messages as canonical JSON: what names their content.

use std::ops::Range;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, LargeListArray, StringViewArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use crate::error::{Error, Result};
use crate::json::encode_into;
use crate::parallel::{Control, map};

/// Rows per piece of parallel work.
const GRAIN: usize = 1024;

/// One field of the messages: its name as JSON, and its values.
struct Field<'a> {
    name: Vec<u8>,
    values: Values<'a>,
}

enum Values<'a> {
    Nothing,
    Text(&'a StringViewArray),
    Bool(&'a BooleanArray),
}

/// Each list of objects as JSON without spaces: fields in their order, those that hold null or "" left out; null for no
/// objects. Strings are escaped as Python's `json` escapes them with `ensure_ascii=False`.
///
/// # Errors
/// [`Error::Input`] unless the column is one of lists of structs of text and truth values; [`Error::Interrupted`].
pub fn canonical(array: &ArrayRef, control: &Control) -> Result<Vec<StringViewArray>> {
    let unfit = || Error::Input(format!("expected lists of objects of text and truth values, found {}", array.data_type()));
    let lists: &LargeListArray = array.as_list_opt().ok_or_else(unfit)?;
    let objects = lists.values().as_struct_opt().ok_or_else(unfit)?;
    let named = objects.fields().iter().zip(objects.columns()).map(|(field, column)| {
        let values = match column.data_type() {
            DataType::Null => Values::Nothing,
            DataType::Utf8View => Values::Text(column.as_string_view()),
            DataType::Boolean => Values::Bool(column.as_boolean()),
            _ => return Err(unfit()),
        };
        let mut name = Vec::new();
        encode_into(field.name().as_bytes(), &mut name);
        Ok(Field { name, values })
    });
    let fields = named.collect::<Result<Vec<_>>>()?;
    let offsets = lists.value_offsets();
    map(lists.len().div_ceil(GRAIN), |chunk| {
        control.check()?;
        let rows = chunk * GRAIN..lists.len().min((chunk + 1) * GRAIN);
        control.advance(rows.len());
        let (mut bytes, mut spans) = (Vec::new(), Vec::with_capacity(rows.len()));
        for row in rows {
            let (start, within) = (bytes.len(), offsets[row] as usize..offsets[row + 1] as usize);
            let said = lists.is_valid(row) && !within.is_empty();
            if said {
                write_list(&fields, objects.nulls(), within, &mut bytes);
            }
            spans.push(said.then_some((start, bytes.len() - start)));
        }
        texts(bytes, &spans)
    })
}

fn texts(bytes: Vec<u8>, spans: &[Option<(usize, usize)>]) -> Result<StringViewArray> {
    let mut column = StringViewBuilder::with_capacity(spans.len());
    let block = column.append_block(bytes.into());
    let short = |place| u32::try_from(place).map_err(|_| Error::Input("messages of more than 4 GB in 1,024 rows".into()));
    for span in spans {
        match span {
            // The block is looked at again, whether the span is UTF-8.
            Some((start, length)) => {
                column.try_append_view(block, short(*start)?, short(*length)?).map_err(|error| Error::Panic(error.to_string()))?
            }
            None => column.append_null(),
        }
    }
    Ok(column.finish())
}

fn write_list(fields: &[Field<'_>], nulls: Option<&NullBuffer>, objects: Range<usize>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (place, object) in objects.enumerate() {
        out.extend_from_slice(if place == 0 { b"{" } else { b",{" });
        let start = out.len();
        let held = if nulls.is_some_and(|nulls| nulls.is_null(object)) { &[] } else { fields };
        for field in held {
            let before = out.len();
            if before > start {
                out.push(b',');
            }
            out.extend_from_slice(&field.name);
            out.push(b':');
            match field.values {
                Values::Text(texts) if texts.is_valid(object) && !texts.value(object).is_empty() => {
                    encode_into(texts.value(object).as_bytes(), out);
                }
                Values::Bool(values) if values.is_valid(object) => {
                    out.extend_from_slice(if values.value(object) { b"true" } else { b"false" });
                }
                _ => out.truncate(before),
            }
        }
        out.push(b'}');
    }
    out.push(b']');
}
