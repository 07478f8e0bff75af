//! Every failure that a run can end with has a hint, and every hint has such a failure.

use std::collections::BTreeSet;

use raftlab::lab::{find_hint, hints};

use crate::assert_clean;
use crate::source::{self, Source};

/// The code in front of a failure's name.
const OPENINGS: &[&str] =
    &["limit(", "check_at_most(", "breach(", "Breach { name:", "fail_deadlock(", "give_up_task("];

/// The same, in the observers: the name of a rule, and the name in front of a message.
const OPENINGS_OF_OBSERVERS: &[&str] = &["fn name(&self) -> &'static str {", "Err(("];

/// The page with a table row for each rule of the paper: `//! | 2A | `Rule` | …`.
const TABLE_OF_RULES: &str = "src/lab/observe/mod.rs";

/// The kinds of failures that have a hint although no failure has such a name.
const KINDS: &[&str] = &["deadlock", "livelock"];

/// The names of the failures that the code of `file` raises, with their lines.
fn names(file: &Source) -> Vec<(usize, String)> {
    let of_tests = file.text.iter().position(|line| line == "#[cfg(test)]");
    let count = of_tests.unwrap_or(file.text.len());
    let code = file.text[..count].iter().map(|line| match line.trim_start().starts_with("//") {
        true => "\n".to_string(),
        false => format!("{line}\n"),
    });
    let code: String = code.collect();
    let observers = file.path.starts_with("src/lab/observe/");
    let mut names = if file.path == TABLE_OF_RULES { rules(file) } else { Vec::new() };
    for (quote, _) in code.match_indices('"') {
        let before = code[..quote].trim_end();
        let opens = OPENINGS.iter().any(|opening| before.ends_with(opening))
            || (observers && OPENINGS_OF_OBSERVERS.iter().any(|it| before.ends_with(it)));
        if opens || follows_a_kind(before) {
            let name = code[quote + 1..].split('"').next().unwrap_or_default();
            names.push((before.lines().count() - 1, name.to_string()));
        }
    }
    names
}

/// The names of the rules in the table of rules, with their lines.
fn rules(file: &Source) -> Vec<(usize, String)> {
    let rule = |(line, text): (usize, &String)| {
        let row = text.strip_prefix("//! | 2")?;
        Some((line, row.split('`').nth(1)?.to_string()))
    };
    file.text.iter().enumerate().filter_map(rule).collect()
}

/// Whether `before` ends with a kind of failure, as in `FailureKind::Limit, ` and
/// `FailureKind::Limit, name: `.
fn follows_a_kind(before: &str) -> bool {
    let before = before.strip_suffix("name:").unwrap_or(before).trim_end();
    let Some((_, kind)) = before.rsplit_once("FailureKind::") else { return false };
    kind.strip_suffix(',').is_some_and(|kind| kind.chars().all(char::is_alphabetic))
}

/// The names of all failures, with the places that raise them.
fn all_names() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for file in source::rust_files("src") {
        let of_tests = ["/tests.rs", "cli/sample.rs"].iter().any(|end| file.path.ends_with(end));
        let for_tests = of_tests || file.path.contains("/tests/");
        for (at, name) in if for_tests { Vec::new() } else { names(&file) } {
            all.push((file.problem(at, &name), name));
        }
    }
    all
}

#[test]
fn every_failure_has_a_hint_everywhere() {
    let without = all_names().into_iter().filter(|(_, name)| find_hint(name).is_none());
    let problems: Vec<String> = without.map(|(place, _)| place).collect();
    assert_clean("write a section of docs/hints.md for this name", &problems);
}

#[test]
fn every_hint_has_a_failure_everywhere() {
    let known: BTreeSet<String> = all_names().into_iter().map(|(_, name)| name).collect();
    let stale = hints().flat_map(|hint| hint.names);
    let stale = stale.filter(|name| !known.contains(*name) && !KINDS.contains(name));
    let problems: Vec<String> = stale.map(|name| format!("docs/hints.md: {name}")).collect();
    assert_clean("no failure has this name: remove it from docs/hints.md", &problems);
}

#[test]
fn names_are_found_wherever_a_failure_is_raised() {
    let text = "fn name(&self) -> &'static str {\n    \"Rule\"\n}\n// limit(\"comment\"\n\
                cluster.end_by_limit(\n    \"two words\",\n    m);\nlet f = Failure { kind: \
                FailureKind::Limit,\n    name: \"machine\".to_string() };\n\
                (FailureKind::Panic, \"panic\"); Err((\"Pair\", m)); say(\"nothing\");\n\
                #[cfg(test)]\nlimit(\"test\")";
    let found = |path| -> Vec<String> {
        names(&Source::new(path, text)).into_iter().map(|(_, name)| name).collect()
    };
    assert_eq!(found("src/lab/observe/x.rs"), ["Rule", "two words", "machine", "panic", "Pair"]);
    assert_eq!(found("src/lab/x.rs"), ["two words", "machine", "panic"]);
    let table = "//! | 2A | `ElectionSafety` | Figure 3 | two leaders |\n//! | Part | `Not` |";
    let rules = names(&Source::new(TABLE_OF_RULES, table));
    assert_eq!(rules, [(0, "ElectionSafety".to_string())]);
}
