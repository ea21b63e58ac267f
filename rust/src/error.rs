//! The one error type of the kernels.

use std::fmt;

/// What can stop a kernel. The Python face turns each variant into one exception class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Ctrl-C: the calling thread asked the workers to stop.
    Interrupted,
    /// An option or argument that the kernel cannot honour: says what was found and what was expected.
    Option(String),
    /// Data that cannot be processed: says where, what was found and what was expected.
    Input(String),
    /// A fault of ours: the message of a panic, caught where the kernel was called.
    Panic(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Option(message) | Self::Input(message) => f.write_str(message),
            Self::Panic(message) => write!(f, "a kernel failed, which is a fault of Tunesmith: {message}; please report it with the input"),
        }
    }
}

impl std::error::Error for Error {}

/// A kernel's result.
pub type Result<T> = std::result::Result<T, Error>;
