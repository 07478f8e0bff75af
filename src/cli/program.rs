//! The name of this program, and the designs that it tests.
//!
//! [`main`](super::main) sets the designs once, before it reads the arguments: the parsers of the
//! arguments and every command line that the program prints depend on them.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;

use crate::lab::{DESIGN_NAMES, DESIGNS, Design};

static TESTED: OnceLock<&'static [Design]> = OnceLock::new();

/// Sets the designs that the program tests. Only the first call counts.
pub(super) fn set(designs: &'static [Design]) {
    let _ = TESTED.set(designs);
}

/// The designs that the program tests, the default first.
pub(super) fn designs() -> &'static [Design] {
    TESTED.get().copied().unwrap_or(DESIGNS)
}

/// The names that `--design` accepts, including designs that only another build of raftlab has.
pub(super) fn design_names() -> Vec<&'static str> {
    match std::ptr::eq(designs(), DESIGNS) {
        true => DESIGN_NAMES.to_vec(),
        false => designs().iter().map(|design| design.name).collect(),
    }
}

/// The name by which the user called the program.
pub(super) fn name() -> String {
    let called = std::env::args_os().next();
    let stem = called.as_deref().map(Path::new).and_then(Path::file_stem).and_then(OsStr::to_str);
    match stem {
        Some(stem) if TESTED.get().is_some() => stem.to_string(),
        _ => "raftlab".to_string(),
    }
}
