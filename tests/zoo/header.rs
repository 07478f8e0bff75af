//! The header of a patch of the zoo: the lines before its first diff.
//!
//! ```text
//! id: e15-vote-given-twice
//! bug: the voter does not look at voted_for, so it votes twice in a term
//! catalogue: E15
//! caught-by: OneVotePerTerm
//! schedule: random
//! unseen: no
//! ```
//!
//! `catalogue` is the row of the bug catalogue in `docs/coverage.md`. `caught-by` names the
//! scenarios, observers and kinds of failure that ought to catch the bug, or `nothing`. `schedule`
//! is the mildest schedule that shows the bug. `unseen` is `no`, or the reason why the suite may
//! miss the bug.

use std::path::Path;

use super::fields;

/// The header of one patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The file's name without `.patch`.
    pub id: String,
    /// What is wrong, in one line.
    pub bug: String,
    /// The bug's row in the catalogue.
    pub catalogue: String,
    /// Scenarios, observers or kinds of failure that ought to catch the bug.
    pub caught_by: Vec<String>,
    /// The mildest schedule that shows the bug.
    pub schedule: String,
    /// Why the suite may miss the bug; `None` if the suite must catch it.
    pub unseen: Option<String>,
}

const FIELDS: [&str; 6] = ["id", "bug", "catalogue", "caught-by", "schedule", "unseen"];

impl Header {
    /// Reads the header of the patch in `file`, or says what is wrong with it.
    pub(crate) fn read(file: &Path) -> Result<Header, String> {
        let header = Header::of(fields::read(file, FIELDS)?);
        header.map_err(|what| format!("{}: {what}", file.display()))
    }

    /// Reads the header at the beginning of a patch.
    pub(crate) fn parse(text: &str) -> Result<Header, String> {
        Header::of(fields::parse(text, FIELDS)?)
    }

    fn of(fields: [String; 6]) -> Result<Header, String> {
        let [id, bug, catalogue, caught_by, schedule, unseen] = fields;
        if !matches!(schedule.as_str(), "fifo" | "random" | "hostile") {
            return Err(format!("no schedule is called {schedule:?}"));
        }
        let caught_by = caught_by.split(", ").map(str::to_string).collect();
        let unseen = Some(unseen).filter(|reason| reason != "no");
        Ok(Header { id, bug, catalogue, caught_by, schedule, unseen })
    }
}
