//! Columns in and frames out over the Arrow PyCapsule interface: no copy, no `polars` crate, no pyarrow.

use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{ArrowPrimitiveType, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator, make_array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

const STREAM: &CStr = c"arrow_array_stream";

/// One Series (or any object with `__arrow_c_stream__`), borrowed chunk by chunk.
pub struct Column {
    pub field: Field,
    pub chunks: Vec<ArrayRef>,
}

impl<'py> FromPyObject<'_, 'py> for Column {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let capsule = object
            .call_method0("__arrow_c_stream__")
            .map_err(|_| PyTypeError::new_err(format!("expected a Series or an Arrow stream, found {}", object.get_type())))?;
        let capsule = capsule.cast::<PyCapsule>()?;
        let pointer: NonNull<FFI_ArrowArrayStream> = capsule.pointer_checked(Some(STREAM))?.cast();
        // SAFETY: the capsule holds an ArrowArrayStream by contract; it is moved out, so that we release it.
        let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
        read(stream).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

fn read(mut stream: FFI_ArrowArrayStream) -> Result<Column, ArrowError> {
    let broken = || ArrowError::CDataInterface("the Arrow stream was already consumed".into());
    let (get_schema, get_next) = (stream.get_schema().ok_or_else(broken)?, stream.get_next().ok_or_else(broken)?);
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: both callbacks get the live stream they belong to and structures they may overwrite.
    if unsafe { get_schema(&raw mut stream, &raw mut schema) } != 0 {
        return Err(ArrowError::CDataInterface("the Arrow stream gave no schema".into()));
    }
    let field = Field::try_from(&schema)?;
    let mut chunks = Vec::new();
    loop {
        let mut array = arrow_array::ffi::FFI_ArrowArray::empty();
        // SAFETY: as above.
        if unsafe { get_next(&raw mut stream, &raw mut array) } != 0 {
            return Err(ArrowError::CDataInterface("the Arrow stream ended with an error".into()));
        }
        if array.is_released() {
            return Ok(Column { field, chunks });
        }
        // SAFETY: the array came from the stream that described itself by this schema.
        chunks.push(make_array(unsafe { from_ffi(array, &schema)? }));
    }
}

fn expected(what: &str, found: &DataType) -> PyErr {
    PyTypeError::new_err(format!("expected a column of {what}, found {found}"))
}

/// The values of one text array.
fn texts_of(array: &ArrayRef) -> PyResult<Vec<Option<&str>>> {
    Ok(match array.data_type() {
        DataType::Utf8View => array.as_string_view().iter().collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().collect(),
        DataType::Utf8 => array.as_string::<i32>().iter().collect(),
        DataType::Null => vec![None; array.len()],
        other => return Err(expected("text", other)),
    })
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// Whether [`texts`](Self::texts) has an answer.
    pub fn is_text(&self) -> bool {
        matches!(self.field.data_type(), DataType::Utf8View | DataType::LargeUtf8 | DataType::Utf8 | DataType::Null)
    }

    /// Every text, borrowed; null is `None`.
    pub fn texts(&self) -> PyResult<Vec<Option<&str>>> {
        let mut all = Vec::with_capacity(self.len());
        for chunk in &self.chunks {
            all.extend(texts_of(chunk)?);
        }
        Ok(all)
    }

    /// Every row of a `List[String]` column, borrowed.
    pub fn text_lists(&self) -> PyResult<Vec<Option<Vec<Option<&str>>>>> {
        let mut all = Vec::with_capacity(self.len());
        for chunk in &self.chunks {
            let (values, borders): (&ArrayRef, Vec<usize>) = match chunk.data_type() {
                DataType::LargeList(_) => {
                    let list = chunk.as_list::<i64>();
                    (list.values(), list.offsets().iter().map(|&offset| usize::try_from(offset).unwrap_or(0)).collect())
                }
                DataType::List(_) => {
                    let list = chunk.as_list::<i32>();
                    (list.values(), list.offsets().iter().map(|&offset| usize::try_from(offset).unwrap_or(0)).collect())
                }
                DataType::Null => {
                    all.extend((0..chunk.len()).map(|_| None));
                    continue;
                }
                other => return Err(expected("lists of text", other)),
            };
            let values = texts_of(values)?;
            all.extend((0..chunk.len()).map(|row| (!chunk.is_null(row)).then(|| values[borders[row]..borders[row + 1]].to_vec())));
        }
        Ok(all)
    }

    /// Every row of a `List[UInt32]` column, borrowed.
    pub fn id_lists(&self) -> PyResult<Vec<Option<&[u32]>>> {
        let place = |offset: i64| usize::try_from(offset).unwrap_or(0);
        let mut all = Vec::with_capacity(self.len());
        for chunk in &self.chunks {
            if *chunk.data_type() == DataType::Null {
                all.extend((0..chunk.len()).map(|_| None));
                continue;
            }
            let lists = chunk.as_list_opt::<i64>().and_then(|lists| Some((lists, lists.values().as_primitive_opt::<UInt32Type>()?)));
            let (lists, ids) = lists.ok_or_else(|| expected("lists of UInt32", chunk.data_type()))?;
            let borders = lists.value_offsets();
            all.extend(
                (0..lists.len()).map(|row| lists.is_valid(row).then(|| &ids.values()[place(borders[row])..place(borders[row + 1])])),
            );
        }
        Ok(all)
    }

    fn numbers<T: ArrowPrimitiveType>(&self, what: &str) -> PyResult<Vec<T::Native>> {
        let mut all = Vec::with_capacity(self.len());
        for chunk in &self.chunks {
            let array = chunk.as_primitive_opt::<T>().ok_or_else(|| expected(what, chunk.data_type()))?;
            if array.null_count() > 0 {
                return Err(PyValueError::new_err(format!("expected {what} without nulls, found {} nulls", array.null_count())));
            }
            all.extend_from_slice(array.values());
        }
        Ok(all)
    }

    /// Every value of a `UInt32` column; nulls are refused.
    pub fn u32s(&self) -> PyResult<Vec<u32>> {
        self.numbers::<UInt32Type>("UInt32")
    }

    /// Every value of a `UInt64` column; nulls are refused.
    pub fn u64s(&self) -> PyResult<Vec<u64>> {
        self.numbers::<UInt64Type>("UInt64")
    }
}

/// A result table on its way to Polars: `pl.DataFrame(frame)` takes it without a copy.
#[pyclass(frozen, module = "tunesmith.core._native")]
pub struct Frame(RecordBatch);

impl Frame {
    /// A table of named columns of equal length; every column may hold nulls.
    pub fn new(columns: Vec<(&str, ArrayRef)>) -> PyResult<Self> {
        let fields: Vec<Field> = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

#[pymethods]
impl Frame {
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(&self, py: Python<'py>, requested_schema: Option<Py<PyAny>>) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema; // the interface allows us to ignore it, as Polars does
        let reader = RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
    }
}
