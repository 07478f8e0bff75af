//! The header of a patch of `tests/fair`: the lines before its first diff.
//!
//! ```text
//! id: polling-applier
//! differs: the applier checks every 5 ms whether there is something to apply
//! allowed: Figure 2 says which entries are applied, not how soon
//! but-for: nothing
//! ```
//!
//! `allowed` names the place where the paper or the course allows it. `but-for` names the tests
//! that such a server may fail, because they ask for more than the paper on purpose; each says so
//! in its text.

use std::path::Path;

use super::fields;

/// The header of one patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The file's name without `.patch`.
    pub id: String,
    /// How the server differs from the reference.
    pub differs: String,
    /// Why that is allowed.
    pub allowed: String,
    /// Tests that it may fail.
    pub but_for: Vec<String>,
}

const FIELDS: [&str; 4] = ["id", "differs", "allowed", "but-for"];

impl Header {
    /// Reads the header of the patch in `file`, or says what is wrong with it.
    pub(crate) fn read(file: &Path) -> Result<Header, String> {
        Ok(Header::of(fields::read(file, FIELDS, [])?))
    }

    /// Reads the header at the beginning of a patch.
    pub(crate) fn parse(text: &str) -> Result<Header, String> {
        Ok(Header::of(fields::parse(text, FIELDS, [])?))
    }

    fn of(([id, differs, allowed, but_for], []): fields::Values<4, 0>) -> Header {
        let but_for = but_for.split(", ").filter(|name| *name != "nothing");
        Header { id, differs, allowed, but_for: but_for.map(str::to_string).collect() }
    }
}
