//! What a patch of `tests/fair` says about itself, in the lines before its first diff.
//!
//! ```text
//! id: polling-applier
//! differs: the applier looks every 5 ms whether there is something to apply
//! allowed: Figure 2 says what is applied, not how soon
//! but-for: nothing
//! ```
//!
//! `allowed` is where the paper, or the course, allows it. `but-for` names the tests that such a
//! server may fail, because they ask for more than the paper on purpose; each says so in its text.

use std::path::Path;

/// The header of one patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The file's name without `.patch`.
    pub id: String,
    /// What the server does otherwise than the reference.
    pub differs: String,
    /// Why it may.
    pub allowed: String,
    /// Tests that it may fail.
    pub but_for: Vec<String>,
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
        let (id, differs, allowed) = (field("id")?, field("differs")?, field("allowed")?);
        let but_for = field("but-for")?;
        let but_for = but_for.split(", ").filter(|name| *name != "nothing");
        Ok(Header { id, differs, allowed, but_for: but_for.map(str::to_string).collect() })
    }
}
