//! The header of a patch of the zoo: the lines before its first diff.
//!
//! ```text
//! id: e15-vote-given-twice
//! bug: the voter does not look at voted_for, so it votes twice in a term
//! catalogue: E15
//! caught-by: OneVotePerTerm
//! schedule: random
//! unseen: no
//! parts: 2A 2B
//! seeds: 200
//! ```
//!
//! `catalogue` is the row of the bug catalogue in `docs/coverage.md`. `caught-by` names the
//! scenarios, observers and kinds of failure that ought to catch the bug, or `nothing`. `schedule`
//! is the mildest schedule that shows the bug. `unseen` is `no`, or the reason why the suite may
//! miss the bug. A header may also have `parts`, the parts that run on the bug if they are not
//! those of its kind, and `seeds`, how many seeds a rare bug needs. A bug of the tick core has only
//! `id`, `bug`, and the unit tests `caught-by`.

use std::path::Path;

use super::fields;

/// The header of one patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The file's name without `.patch`.
    pub id: String,
    /// What is wrong, in one line.
    pub bug: String,
    /// The bug's row in the catalogue; empty for a bug of the tick core.
    pub catalogue: String,
    /// Scenarios, observers or kinds of failure that ought to catch the bug.
    pub caught_by: Vec<String>,
    /// The mildest schedule that shows the bug.
    pub schedule: String,
    /// Why the suite may miss the bug; `None` if the suite must catch it.
    pub unseen: Option<String>,
    /// The parts of the suite that run on the bug; empty for those of its kind.
    pub parts: Vec<String>,
    /// Number of seeds, at least 1, if the bug needs more than others.
    pub seeds: Option<u64>,
}

const FIELDS: [&str; 6] = ["id", "bug", "catalogue", "caught-by", "schedule", "unseen"];
const OPTIONAL: [&str; 2] = ["parts", "seeds"];
const CORE_FIELDS: [&str; 3] = ["id", "bug", "caught-by"];

const PARTS: [&str; 7] = ["2A", "2B", "2C", "2D", "3A", "3B", "store"];

impl Header {
    /// Reads the header of the patch in `file`, or says what is wrong with it.
    pub(crate) fn read(file: &Path) -> Result<Header, String> {
        let header = Header::of(fields::read(file, FIELDS, OPTIONAL)?);
        header.map_err(|what| format!("{}: {what}", file.display()))
    }

    /// Reads the header of the patch of the tick core in `file`, or says what is wrong with it.
    pub(crate) fn read_core(file: &Path) -> Result<Header, String> {
        let ([id, bug, caught_by], []) = fields::read(file, CORE_FIELDS, [])?;
        Ok(Header {
            id,
            bug,
            catalogue: String::new(),
            caught_by: names(&caught_by),
            schedule: "random".to_string(),
            unseen: None,
            parts: Vec::new(),
            seeds: None,
        })
    }

    fn of((required, optional): fields::Values<6, 2>) -> Result<Header, String> {
        let [id, bug, catalogue, caught_by, schedule, unseen] = required;
        let [parts, seeds] = optional;
        if !matches!(schedule.as_str(), "fifo" | "random" | "hostile") {
            return Err(format!("no schedule is called {schedule:?}"));
        }
        let parts: Vec<String> =
            parts.iter().flat_map(|it| it.split(' ')).map(str::to_string).collect();
        if let Some(part) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
            return Err(format!("no part is called {part:?}"));
        }
        let number = |text: String| {
            let number = text.parse().ok().filter(|seeds| *seeds > 0);
            number.ok_or_else(|| format!("`seeds` must be a number from 1 on, not {text:?}"))
        };
        let seeds = seeds.map(number).transpose()?;
        let unseen = Some(unseen).filter(|reason| reason != "no");
        let caught_by = names(&caught_by);
        Ok(Header { id, bug, catalogue, caught_by, schedule, unseen, parts, seeds })
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(", ").map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Header, String> {
        Header::of(fields::parse(text, FIELDS, OPTIONAL)?)
    }

    #[test]
    fn a_header_is_read_field_by_field() {
        let text = "id: a-b\nbug: b\ncatalogue: E1\ncaught-by: X, y_2a\nschedule: hostile\n\
                    unseen: rare\n\ndiff --git a/x b/x\n";
        let header = parse(text).unwrap();
        assert_eq!((header.id.as_str(), header.catalogue.as_str()), ("a-b", "E1"));
        assert_eq!(header.caught_by, ["X", "y_2a"]);
        assert_eq!(header.unseen.as_deref(), Some("rare"));
        assert_eq!(parse(&text.replace("unseen: rare", "unseen: no")).unwrap().unseen, None);
        assert_eq!((header.parts.len(), header.seeds), (0, None));
        let more = text.replace("unseen: rare\n", "unseen: rare\nparts: 2A 3B\nseeds: 300\n");
        let header = parse(&more).unwrap();
        assert_eq!(
            (header.parts, header.seeds),
            (vec!["2A".to_string(), "3B".to_string()], Some(300))
        );
    }

    #[test]
    fn an_incomplete_header_is_refused() {
        let text = "id: a\nbug: b\ncatalogue: E1\ncaught-by: X\nschedule: random\nunseen: no\n";
        parse(text).unwrap();
        for (field, instead) in [
            ("bug: b", "bug: "),
            ("unseen: no\n", "unseen: no\nparts: 2A 2E\n"),
            ("unseen: no\n", "unseen: no\nseeds: 0\n"),
            ("unseen: no\n", "unseen: no\nseeds: 5\nparts: 2A\n"),
            ("catalogue: E1\n", ""),
            ("schedule: random", "schedule: wild"),
            ("unseen: no\n", "unseen: no\nand more\n"),
        ] {
            parse(&text.replace(field, instead)).unwrap_err();
        }
    }
}
