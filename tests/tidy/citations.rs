//! Citations name sections, figures and steps that exist, in the one spelling that a search finds.

use crate::source::{self, Source};
use crate::{assert_bites, assert_clean};

/// Sections of the extended version of "In Search of an Understandable Consensus Algorithm".
const PAPER: &[&str] = &[
    "1", "2", "3", "4", "5", "5.1", "5.2", "5.3", "5.4", "5.4.1", "5.4.2", "5.4.3", "5.5", "5.6",
    "6", "7", "8", "9", "9.1", "9.2", "9.3", "10", "11",
];

/// Chapters and sections of the thesis that the code may cite.
const THESIS: &[&str] = &[
    "1", "2", "3", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.6.1", "3.6.2", "3.7", "3.8", "3.9",
    "3.10", "3.11", "4", "4.1", "4.2", "4.2.1", "4.2.2", "4.2.3", "4.3", "4.4", "5", "5.1",
    "5.1.1", "5.1.2", "5.1.3", "5.2", "5.3", "5.4", "5.5", "6", "6.1", "6.2", "6.3", "6.4",
    "6.4.1", "6.5", "7", "8", "9", "9.1", "9.2", "9.3", "9.4", "9.5", "9.6", "10", "10.1", "10.2",
    "10.2.1", "10.2.2", "10.2.3", "10.3", "11", "A", "B",
];

/// The figures of the paper's extended version.
const FIGURES: usize = 18;

/// The boxes of Figures 2 and 13 that have numbered steps, with the number of the last.
const STEPS: &[(&str, usize)] =
    &[("Figure 2, RequestVote", 2), ("Figure 2, AppendEntries", 5), ("Figure 13", 8)];

/// Finds the citations in one file's comments that name nothing.
fn check_citations(file: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, comment) in file.comments.iter().enumerate() {
        for what in wrong_sections(comment).into_iter().chain(wrong_figures(comment)) {
            problems.push(file.problem(at, &what));
        }
    }
    problems
}

/// Finds every section sign of a comment whose section the cited work does not have.
fn wrong_sections(comment: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (from, sign) in comment.match_indices('§') {
        let number = section_number(&comment[from + sign.len()..]);
        let (source, known) = if comment[..from].trim_end().ends_with("thesis") {
            ("thesis", THESIS)
        } else {
            ("Raft", PAPER)
        };
        if !known.contains(&number.as_str()) {
            wrong.push(format!("{source} has no section {number:?}"));
        }
    }
    wrong
}

/// `5.4.2` of `5.4.2. Then …`: digits (or an appendix's letter) and inner dots.
fn section_number(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(text.len());
    text[..end].trim_end_matches('.').to_string()
}

/// Finds figures that the paper does not have, and steps that a figure's box does not have.
fn wrong_figures(comment: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (from, word) in comment.match_indices("Figure ") {
        let number = section_number(&comment[from + word.len()..]);
        let known = number.parse().is_ok_and(|n: usize| (1..=FIGURES).contains(&n));
        if !known && number.starts_with(|c: char| c.is_ascii_digit()) {
            wrong.push(format!("the paper has no Figure {number}"));
        }
    }
    for (place, last) in STEPS {
        for (from, _) in comment.match_indices(place) {
            let Some(step) = comment[from + place.len()..].strip_prefix(", step ") else {
                continue;
            };
            let number = section_number(step);
            if !number.parse().is_ok_and(|n: usize| (1..=*last).contains(&n)) {
                wrong.push(format!("{place} has no step {number:?}"));
            }
        }
    }
    wrong
}

#[test]
fn citations_lead_somewhere_everywhere() {
    let problems: Vec<_> = source::all_rust_files().iter().flat_map(check_citations).collect();
    assert_clean("cite a section, figure or step that exists", &problems);
}

#[test]
fn a_citation_of_nothing_is_found() {
    let text = "// Raft §5.4.2.\n// Raft §5.4.4 says\n// thesis §6.4\n// thesis §12\n// (§5.2, §5.7)\n\
                // Figure 2, AppendEntries, step 5\n// Figure 2, AppendEntries, step 6\n// Figure 21\n\
                // Figure 8 and Figure 2's names\nlet a = \"§99\";";
    assert_bites(&check_citations(&Source::new("src/x.rs", text)), &[2, 4, 5, 7, 8]);
}
