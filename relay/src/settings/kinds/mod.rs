//! The kinds of values that settings have: how a value is read from text, written, and described in the JSON Schema. The
//! table of settings names one for each row.

mod numbers;
mod or_word;
mod parsed;
mod texts;
mod value_kind;

pub(super) use numbers::{Size, Time, any_size, integer, minimum, minimum_for, size};
pub(super) use or_word::{or_auto, or_off};
pub(super) use parsed::{ParsedValue, parsed};
pub(crate) use texts::OFF;
pub(super) use texts::{Address, BOOLEAN, Directory, File, Flag, LogFilter, LogFormatName, Mode, Name};
pub(super) use value_kind::ValueKind;
