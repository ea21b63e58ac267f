//! Kernels of Tunesmith: pure functions over borrowed text columns, and (feature `python`) their thin Python face.
//!
//! A kernel takes `&[Option<&str>]` or plain slices, knows nothing of Arrow or Python, polls a
//! [`parallel::Control`] where it may run long, and answers the same at any number of threads.

pub mod canonical;
pub mod classes;
pub mod closest;
pub mod components;
pub mod content;
pub mod counter;
pub mod deflate;
pub mod diff;
pub mod error;
pub mod exact;
pub mod fields;
pub mod fold;
pub mod hash;
pub mod json;
pub mod lcs;
pub mod long;
pub mod lsh;
pub mod meetings;
pub mod minhash;
pub mod ngram_index;
pub mod pack;
pub mod parallel;
pub mod porter;
pub mod rouge;
pub mod rules;
pub mod search;
pub mod shingle;
pub mod signals;
pub mod spill;
pub mod substring;
pub mod text;
pub mod tokenize;
pub mod verify;

#[cfg(feature = "python")]
mod python;
