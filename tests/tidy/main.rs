//! The house rules that neither the compiler nor clippy knows, each a check with a test of its own.
//!
//! A check takes one file's text (or a few) and returns what is wrong, as `path:line: what`. The
//! tests named `…_everywhere` hold it against the tree; the others show that it bites.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

mod citations;
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

/// Fails unless exactly the lines `expected` are named by `problems`.
fn assert_bites(problems: &[String], expected: &[usize]) {
    let lines: Vec<usize> = problems
        .iter()
        .map(|problem| problem.split(':').nth(1).unwrap().parse().unwrap())
        .collect();
    assert_eq!(lines, expected, "the check named other lines: {problems:#?}");
}
