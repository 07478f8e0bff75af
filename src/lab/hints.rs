//! Hints: what usually causes a failure, in three steps from a nudge to nearly the answer.
//!
//! The hints are the page `docs/hints.md`, which must have this shape:
//!
//! ```text
//! ## Elections and terms               a group
//! ### ElectionSafety, two_leaders      names of failures, as reports show them
//! Two servers led in the same term.    what broke, in one line
//! 1. … 2. … 3. …                       the steps
//! ```
//!
//! A step may have several lines; all but its first are indented by three spaces.
//! `tests/tidy/hints.rs` checks that every failure that a run can end with has a hint.

/// The page that the hints are on.
const PAGE: &str = include_str!("../../docs/hints.md");

/// What usually causes the failures of one name, or of a few that have the same causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What the failures are about, e.g. `Elections and terms`.
    pub group: &'static str,
    /// The names of the failures, as in [`Failure::name`](crate::runtime::Failure::name).
    pub names: Vec<&'static str>,
    /// What broke, in one line.
    pub title: &'static str,
    /// Where to look; the usual causes; what the code must do. [`Hint::lines`] splits a step.
    pub steps: [&'static str; 3],
}

impl Hint {
    /// The lines of a step, without the indentation that they have on the page.
    pub fn lines(step: &str) -> impl Iterator<Item = &str> {
        step.lines().map(|line| line.strip_prefix("   ").unwrap_or(line))
    }

    /// The command line that shows the hint for failures called `name`, with `more` further steps.
    pub fn line(name: &str, more: usize) -> String {
        let quote = if name.contains(' ') { "\"" } else { "" };
        format!("raftlab hint {quote}{name}{quote}{}", " --more".repeat(more))
    }

    fn parse(group: &'static str, section: &'static str) -> Option<Hint> {
        let (names, rest) = section.split_once("\n\n")?;
        let (title, rest) = rest.split_once("\n\n1. ")?;
        let (look, rest) = rest.split_once("\n2. ")?;
        let (causes, answer) = rest.split_once("\n3. ")?;
        let steps = [look, causes, answer.trim_end()];
        Some(Hint { group, names: names.split(", ").collect(), title, steps })
    }
}

/// All hints, in the order of the page.
pub fn hints() -> impl Iterator<Item = Hint> {
    PAGE.split("\n## ").skip(1).flat_map(|group| {
        let mut sections = group.split("\n### ");
        let group = sections.next().unwrap_or_default().trim_end();
        sections.filter_map(move |section| Hint::parse(group, section))
    })
}

/// The hint for failures called `name`, in upper or lower case.
pub fn find_hint(name: &str) -> Option<Hint> {
    hints().find(|hint| hint.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Maximum number of words of a step.
    const WORDS_MAX: usize = 95;

    #[test]
    fn every_section_is_a_hint_with_three_steps() {
        let headings = PAGE.lines().filter(|line| line.starts_with("### "));
        let found: Vec<Hint> = hints().collect();
        let names: Vec<String> = found.iter().map(|hint| hint.names.join(", ")).collect();
        let expected: Vec<&str> = headings.map(|line| &line["### ".len()..]).collect();
        assert_eq!(names, expected, "a section has another shape");
        for hint in found {
            let Hint { names, title, steps, .. } = &hint;
            assert!(title.ends_with('.') && !title.contains('\n'), "{names:?}: {title}");
            assert!(steps[1].contains("\n   - "), "{names:?}: no causes in {}", steps[1]);
            for step in steps {
                let words = step.split_whitespace().filter(|word| *word != "-").count();
                assert!((5..=WORDS_MAX).contains(&words), "{names:?}: {words} words: {step}");
                let indented = step.lines().skip(1).all(|line| line.starts_with("   "));
                assert!(indented, "{names:?}: a line is not indented: {step}");
            }
        }
    }

    #[test]
    fn a_name_has_one_hint() {
        let mut seen = BTreeSet::new();
        for name in hints().flat_map(|hint| hint.names) {
            assert!(seen.insert(name.to_ascii_lowercase()), "{name} has two hints");
        }
        assert!(find_hint("electionsafety").is_some_and(|hint| hint.names[0] == "ElectionSafety"));
        assert_eq!(find_hint("Election"), None);
    }

    #[test]
    fn what_a_hint_refers_to_exists() {
        for hint in hints() {
            for step in hint.steps {
                for (_, after) in Hint::lines(step).flat_map(|it| it.split_once("`raftlab hint ")) {
                    let name = after.split('`').next().unwrap_or_default();
                    assert!(find_hint(name).is_some(), "{:?}: no hint {name:?}", hint.names);
                }
            }
        }
    }
}
