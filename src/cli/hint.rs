//! `raftlab hint`: what usually causes a failure, in steps.

use std::fmt::Write;

use clap::{ArgAction, Args};

use crate::lab::{Hint, find_hint, find_scenario, hints};

use crate::cli::exit::{Status, Trouble};
use crate::cli::{output, program, select};

/// Arguments of `raftlab hint`.
#[derive(Debug, Args)]
pub(super) struct HintArgs {
    /// The rule or limit that a report names after "broken" (default: list all of them)
    #[arg(value_name = "RULE")]
    name: Option<String>,
    /// Show the usual causes, too; twice: also what the code must do
    #[arg(long, action = ArgAction::Count, requires = "name")]
    more: u8,
}

/// Prints the hint of one rule, as many steps as were asked for; without a rule, all rules.
pub(super) fn hint(args: &HintArgs) -> Result<Status, Trouble> {
    let text = match &args.name {
        None => list(),
        Some(name) => {
            let hint = find_hint(name).ok_or_else(|| Trouble::Input(unknown(name)))?;
            text(&hint, name, 1 + usize::from(args.more))
        }
    };
    output::print(&text)?;
    Ok(Status::Passed)
}

/// Every name and what it means, by groups.
fn list() -> String {
    let width = hints().flat_map(|hint| hint.names).map(str::len).max().unwrap_or_default();
    let (mut text, mut group) = (String::new(), "");
    for hint in hints() {
        if hint.group != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", hint.group);
            group = hint.group;
        }
        for name in hint.names {
            let _ = writeln!(text, "  {name:<width$}  {}", hint.title);
        }
    }
    text
}

/// The first `count` steps of `hint`, which was asked for as `name`, and how to see the next.
fn text(hint: &Hint, name: &str, count: usize) -> String {
    let mut text = format!("{}: {}\n", hint.names.join(", "), hint.title);
    for (number, step) in hint.steps.iter().take(count).enumerate() {
        text.push('\n');
        for (row, line) in Hint::lines(step).enumerate() {
            let heading = if row == 0 { format!("{}.", number + 1) } else { String::new() };
            let _ = writeln!(text, "{heading:<3}{line}");
        }
    }
    if count < hint.steps.len() {
        let _ = writeln!(text, "\nmore     {}", output::here(&Hint::line(name, count)));
    }
    text
}

/// The error message for a name that has no hint.
fn unknown(name: &str) -> String {
    let advice = match (find_scenario(name), alternatives(name).as_slice()) {
        (Some(test), _) => {
            let line = output::here(&format!("raftlab explain {}", test.name));
            format!("that is a test, and a hint belongs to the word after `broken`; see `{line}`")
        }
        (None, []) => format!("see `{} hint`", program::name()),
        (None, [one]) => format!("did you mean {one}?"),
        (None, [some @ .., last]) => format!("did you mean {} or {last}?", some.join(", ")),
    };
    format!("no rule called {name:?}; {advice}")
}

/// The names that were probably meant: those that contain the typed text, or the most similar one.
fn alternatives(name: &str) -> Vec<&'static str> {
    /// More names than that are no help.
    const NAMES_MAX: usize = 8;
    let name = name.to_ascii_lowercase().replace('-', "_");
    let names = || hints().flat_map(|hint| hint.names);
    let within = |known: &&str| name.len() >= 3 && known.to_ascii_lowercase().contains(&name);
    match names().filter(within).count() {
        0 => select::nearest(&name, names()).into_iter().collect(),
        1..=NAMES_MAX => names().filter(within).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_more_shows_a_step_more_and_the_last_names_no_next() {
        let hint = find_hint("OneVotePerTerm").unwrap();
        for count in 1..=4 {
            let text = text(&hint, "OneVotePerTerm", count);
            let steps = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
            assert_eq!(steps.count(), count.min(3), "{text}");
            let more = text.trim_end().ends_with(&format!("Term{}", " --more".repeat(count)));
            assert_eq!(more, count < 3, "{text}");
        }
    }

    #[test]
    fn a_typing_error_gets_the_names_that_are_near() {
        for (typed, advice) in [
            ("election-safty", "did you mean ElectionSafety?"),
            ("persist", "did you mean PersistBeforeReply or PersistBeforeRequest?"),
            ("vote_rules_2a", "explain vote_rules_2a`"),
            ("zzz", "hint`"),
        ] {
            let complaint = unknown(typed);
            assert!(complaint.ends_with(advice), "{complaint}");
        }
    }
}
