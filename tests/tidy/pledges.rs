//! Checks of comments: divergences are listed, invariants have checks, seeds are explained.

use crate::source::{self, Source};
use crate::{assert_bites, assert_clean};

/// Finds the `Differs:` lines of one file that the list of divergences does not name.
///
/// The list must contain the text after the word `Differs:`, up to its first full stop.
fn check_divergences(file: &Source, listed: &str) -> Vec<String> {
    let listed = words(listed);
    let mut problems = Vec::new();
    for (at, comment) in file.comments.iter().enumerate() {
        let Some(text) = bare(comment).strip_prefix("Differs:") else { continue };
        let rest =
            file.comments[at + 1..].iter().map(|line| bare(line)).take_while(|l| !l.is_empty());
        let sentence = words(&[text].into_iter().chain(rest).collect::<Vec<_>>().join(" "));
        let first = sentence.split(". ").next().unwrap_or_default().trim_end_matches('.');
        if !listed.contains(first) {
            problems.push(file.problem(at, &format!("not in docs/divergences.md: {first:?}")));
        }
    }
    problems
}

/// A comment's text without its slashes.
fn bare(comment: &str) -> &str {
    comment.trim_start_matches(['/', '!']).trim()
}

/// Replaces every run of white space by one space.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Finds the `Invariant (name):` lines without a check, which is a function of that name in an
/// `invariants.rs` or an observer, or an assertion whose message begins with the name.
fn check_invariants(files: &[Source]) -> Vec<String> {
    let is_judge =
        |file: &Source| file.path.ends_with("/invariants.rs") || file.path.contains("/observe");
    let checked_in = |file: &Source, name: &str| {
        let function = format!("fn {name}(");
        let message = format!("\"{name}: ");
        file.code.iter().any(|line| is_judge(file) && line.contains(&function))
            || file.text.iter().any(|line| line.trim_start().starts_with(&message))
    };
    let mut problems = Vec::new();
    for file in files {
        for (at, comment) in file.comments.iter().enumerate() {
            let Some(tail) = bare(comment).strip_prefix("Invariant (") else { continue };
            let name = tail.split(')').next().unwrap_or_default();
            if !files.iter().any(|file| checked_in(file, name)) {
                problems.push(file.problem(at, &format!("no check has the name {name:?}")));
            }
        }
    }
    problems
}

/// Finds the `keeps (name): because …` lines that name no invariant or give no reason.
fn check_keepers(files: &[Source]) -> Vec<String> {
    let named = |comment: &str, opening: &str| {
        let tail = bare(comment).strip_prefix(opening)?;
        tail.split_once("): ").map(|(name, text)| (name.to_string(), text.to_string()))
    };
    let comments = || files.iter().flat_map(|file| &file.comments);
    let stated: Vec<_> = comments().filter_map(|line| named(line, "Invariant (")).collect();
    let mut problems = Vec::new();
    for file in files {
        for (at, comment) in file.comments.iter().enumerate() {
            if !bare(comment).starts_with("keeps (") {
                continue;
            }
            let kept = named(comment, "keeps (");
            let is_good = |(name, reason): (String, String)| {
                reason.starts_with("because ") && stated.iter().any(|(known, _)| *known == name)
            };
            if !kept.is_some_and(is_good) {
                problems.push(file.problem(at, "write `keeps (an invariant): because …`"));
            }
        }
    }
    problems
}

/// Finds the lines of `seeds.txt` that are not of the form `test seed [schedule]  # story`.
fn check_seeds(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (run, story) = line.split_once('#').unwrap_or((line, ""));
        let fields: Vec<&str> = run.split_whitespace().collect();
        let runs = fields.len() >= 2 && fields.iter().any(|field| field.parse::<u64>().is_ok());
        if !runs || story.split_whitespace().count() < 3 {
            problems.push(format!("{path}:{}: write `test seed schedule  # story`", at + 1));
        }
    }
    problems
}

#[test]
fn every_divergence_is_listed_everywhere() {
    let listed = source::read("docs/divergences.md").unwrap_or_default();
    let files = source::rust_files("src");
    let problems: Vec<_> = files.iter().flat_map(|file| check_divergences(file, &listed)).collect();
    assert_clean("list it in docs/divergences.md, in the same words", &problems);
}

#[test]
fn every_invariant_has_a_check_everywhere() {
    assert_clean("every invariant needs a check", &check_invariants(&source::rust_files("src")));
}

#[test]
fn every_keeper_names_an_invariant_everywhere() {
    let files = source::rust_files("src");
    assert_clean("say which invariant is kept, and why", &check_keepers(&files));
}

#[test]
fn every_seed_has_a_story_everywhere() {
    let text = source::read("tests/seeds.txt").unwrap_or_default();
    assert_clean("say what the seed once showed", &check_seeds("tests/seeds.txt", &text));
}

#[test]
fn an_unlisted_divergence_is_found() {
    let text = "/// Differs: no offset. We send\n/// it whole.\n/// Differs: the log is kept\n/// in two parts.";
    let file = Source::new("src/raft/rpc.rs", text);
    assert_bites(&check_divergences(&file, "- `rpc.rs`: no offset."), &[3]);
    assert_bites(&check_divergences(&file, "no\noffset. The log is kept in\ntwo parts"), &[3]);
    assert_bites(&check_divergences(&file, "no offset; the log is kept in\ntwo parts"), &[]);
}

#[test]
fn an_invariant_without_a_check_is_found() {
    let state = "/// Invariant (commits_stay): they do.\n/// Invariant (terms_grow): they do.\n\
                 /// Invariant (votes_stay): they do.\nfn terms_grow() {}\n\"votes_stay: {vote}\",";
    let checks = "//! Invariant (terms_grow): see below.\nfn commits_stay(state: &State) {}";
    let files =
        [Source::new("src/raft/state.rs", state), Source::new("src/raft/invariants.rs", checks)];
    assert_bites(&check_invariants(&files), &[2, 1]);
}

#[test]
fn a_keeper_of_no_invariant_or_without_a_reason_is_found() {
    let state = "/// Invariant (terms_grow): they do.\n// keeps (terms_grow): because of `max`.\n\
                 // keeps (terms_fall): because of `min`.\n// keeps (terms_grow).\n\
                 // keeps (terms_grow): always.\n// It keeps (nearly) all.";
    let files = [Source::new("src/raft/state.rs", state)];
    assert_bites(&check_keepers(&files), &[3, 4, 5]);
}

#[test]
fn a_seed_without_a_story_is_found() {
    let text = "# test seed schedule  # story\n\nfigure8_2c 7 hostile  # a stale reply moved next_index\n\
                figure8_2c 8\nfigure8_2c seven  # it failed once here\nbackup_2b 9  # why";
    assert_bites(&check_seeds("tests/seeds.txt", text), &[4, 5, 6]);
}
