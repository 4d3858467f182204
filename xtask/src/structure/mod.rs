//! The structure of the sources: imports between files, and the length of files and functions. `cargo xtask check`
//! calls it.

mod comments;
mod function;
mod graph;
mod imports;
mod lengths;
mod rust;
mod scripts;
mod sources;

pub(crate) use self::{
    comments::report as report_comments, imports::check as check_imports, lengths::check as check_lengths,
};
