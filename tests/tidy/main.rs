//! The house rules that neither the compiler nor clippy checks, each with a test of its own.
//!
//! A check takes the text of one file (or of a few) and returns the problems, as `path:line: what`.
//! The tests named `…_everywhere` run it on the tree; the others show that it finds a violation.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

mod citations;
mod english;
mod hints;
mod imports;
mod platform;
mod pledges;
mod prose;
mod source;
mod unsafety;

/// Fails with every problem on a line of its own, so that one run shows them all.
fn assert_clean(rule: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{rule}\n{}", problems.join("\n"));
}

/// Fails unless `problems` names exactly the lines `expected`.
fn assert_bites(problems: &[String], expected: &[usize]) {
    let lines: Vec<usize> = problems
        .iter()
        .map(|problem| problem.split(':').nth(1).unwrap().parse().unwrap())
        .collect();
    assert_eq!(lines, expected, "the check named other lines: {problems:#?}");
}
