//! What a patch of the zoo says about itself, in the lines before its first diff.
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
//! scenarios and observers that ought to notice, or `nothing`. `schedule` is the mildest one that
//! shows it. `unseen` is `no`, or the reason why the suite may miss it.

use std::path::Path;

/// The header of one patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The file's name without `.patch`.
    pub id: String,
    /// What is wrong, in one line.
    pub bug: String,
    /// The bug's row in the catalogue.
    pub catalogue: String,
    /// Scenarios, observers or kinds of failure that ought to catch it.
    pub caught_by: Vec<String>,
    /// The schedule that it needs.
    pub schedule: String,
    /// Why it may legally go unseen; `None` if it must be caught.
    pub unseen: Option<String>,
}

impl Header {
    /// Reads the header of the patch in `file`, or says what is wrong with it.
    pub fn read(file: &Path) -> Result<Header, String> {
        let place = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| format!("{place}: {error}"))?;
        let header = Header::parse(&text).map_err(|what| format!("{place}: {what}"))?;
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        if stem.as_deref() == Some(&header.id) {
            Ok(header)
        } else {
            Err(format!("{place}: `id: {}` must be the file's name", header.id))
        }
    }

    /// Reads the header at the beginning of a patch.
    pub fn parse(text: &str) -> Result<Header, String> {
        let mut lines = text.lines().take_while(|line| !line.starts_with("diff "));
        let mut field = |name: &str| {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
            let value = value.filter(|value| !value.trim().is_empty());
            value
                .map(str::to_string)
                .ok_or_else(|| format!("expected a line `{name}: …` in its place, found {line:?}"))
        };
        let header = Header {
            id: field("id")?,
            bug: field("bug")?,
            catalogue: field("catalogue")?,
            caught_by: field("caught-by")?.split(", ").map(str::to_string).collect(),
            schedule: field("schedule")?,
            unseen: Some(field("unseen")?).filter(|reason| reason != "no"),
        };
        match lines.find(|line| !line.is_empty()) {
            Some(line) => Err(format!("{line:?} does not belong into a header")),
            None if matches!(header.schedule.as_str(), "fifo" | "random" | "hostile") => Ok(header),
            None => Err(format!("no schedule is called {:?}", header.schedule)),
        }
    }
}
