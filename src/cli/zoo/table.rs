//! The tables for people: the bugs, and what caught them. No line is wider than 100 columns.

use std::fmt::Write as _;

use super::bugs::{Bug, Kind};
use super::figures::{BugFigures, Verdict};
use super::plan::SEEDS_MAX;
use crate::cli::table::{finish, plain};

/// Maximum width of a test's name: with the others it makes a line of 100 columns.
const TEST_MAX: usize = 28;

/// Number of seeds that should be enough for nearly every bug.
const FEW: u64 = 10;

/// The bugs: kind, name, and what is wrong.
pub(super) fn of_bugs(bugs: &[Bug]) -> String {
    let mut text = String::new();
    for bug in bugs.iter().filter(|bug| !bug.is_healthy()) {
        let _ = writeln!(text, "{:<5}  {:<44}  {}", bug.kind.name(), bug.name(), bug.header.bug);
    }
    text
}

/// The headings of the bugs' table.
pub(super) const COLUMNS: [&str; 5] = ["bug", "best test", "median", "95 %", "tests"];

/// The row of a bug.
pub(super) fn cells(it: &BugFigures) -> [String; 5] {
    let best = it.best().map_or("", |test| test.name.as_str());
    let (median, most) = (it.whole.median.shown(), it.whole.most.shown());
    [it.bug.name().to_string(), cut(best), median, most, it.catching().to_string()]
}

/// A row for each bug, then what is wrong, and a summary.
pub(super) fn of(figures: &[BugFigures], stopped: bool) -> String {
    let mut table = plain(COLUMNS);
    table.add_rows(figures.iter().map(cells));
    let mut text = finish(table, 2..5);
    text.push_str("\nmedian, 95 %: seeds until any test catches the bug\n");
    if !stopped {
        figures.iter().filter_map(complaint).for_each(|line| text.push_str(&line));
    }
    text + &summary(figures)
}

/// A name, shortened to the width of its column.
fn cut(name: &str) -> String {
    if name.chars().count() <= TEST_MAX {
        return name.to_string();
    }
    name.chars().take(TEST_MAX - 1).chain(['…']).collect()
}

/// What is wrong with a verdict, if anything.
fn complaint(it: &BugFigures) -> Option<String> {
    let name = it.bug.name();
    let passing = it.passing();
    Some(match it.verdict {
        Verdict::Caught | Verdict::Unseen => return None,
        Verdict::Accused => {
            let seed = it.whole.first_failed.unwrap_or_default();
            format!("! {name} failed {} with seed {seed}: {}\n", it.whole.name, it.whole.by)
        }
        Verdict::Missed if passing.is_empty() => {
            format!("! {name} was not caught within {} seeds\n", it.whole.runs)
        }
        Verdict::Missed => format!("! {name} passed {}\n", passing.join(" and ")),
    })
}

/// How many bugs were caught how soon.
fn summary(figures: &[BugFigures]) -> String {
    let bugs: Vec<_> = figures.iter().filter(|it| !it.bug.is_healthy()).collect();
    let within = |seeds| bugs.iter().filter(|it| it.whole.median.is_within(seeds)).count();
    let caught = bugs.iter().filter(|it| it.catching() > 0).count();
    let may = bugs.iter().filter(|it| it.catching() == 0 && !it.bug.must_be_caught()).count();
    let healthy = figures.len() - bugs.len();
    let kinds = Kind::ALL.map(|kind| {
        let count = bugs.iter().filter(|it| it.bug.kind == kind).count();
        (count > 0).then(|| format!("{count} {}", kind.name()))
    });
    let kinds: Vec<String> = kinds.into_iter().flatten().collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let may = if may == 0 { String::new() } else { format!(" ({may} may go unseen)") };
    format!(
        "bugs: {}{kinds}; servers without a bug: {healthy}\n\
         caught: {} within {FEW} seeds, {} within {SEEDS_MAX}, {} never{may}\n",
        bugs.len(),
        within(FEW),
        within(SEEDS_MAX),
        bugs.len() - caught,
    )
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::figures;
    use super::*;

    #[test]
    fn a_row_names_the_best_test_and_fits_a_hundred_columns() {
        let name = "p12-snapshot-forgotten-on-the-second-restart";
        let long = "a_command_commits_with_a_majority_and_is_not_even_taken_without_a_leader_2ab";
        let missed = figures("unseen-no", false, &[("x_2a", &[])]);
        let text =
            of(&[figures(name, false, &[("slow_2a", &[4]), (long, &[1, 2, 3])]), missed], false);
        assert!(text.contains("a_command_commits_with_a_ma…"), "{text}");
        assert!(text.contains("! unseen-no was not caught within 4 seeds\n"), "{text}");
        assert!(text.contains("caught: 1 within 10 seeds, 1 within 1000, 1 never\n"), "{text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|columns| columns <= 100), "{widest:?}: {text}");
    }

    #[test]
    fn a_healthy_server_that_fails_is_named_with_the_test_and_the_seed() {
        let text = of(&[figures("healthy-raft", true, &[("x_2a", &[3])])], false);
        assert!(text.contains("! healthy-raft failed x_2a with seed 3: rule\n"), "{text}");
        let text = of(&[figures("healthy-raft", true, &[("x_2a", &[])])], false);
        assert!(!text.contains("! "), "{text}");
        assert!(text.contains("bugs: 0; servers without a bug: 1\n"), "{text}");
    }
}
