//! Rules for the text of a file: its opening, unfinished work, widths, lengths, paths of a machine.

use crate::source::{self, Source};
use crate::{assert_bites, assert_clean};

const COLUMNS: usize = 100;

/// Finds a file whose first line does not say what it is for.
fn check_opening(file: &Source) -> Vec<String> {
    let opens = file.text.first().is_some_and(|line| line.starts_with("//! "));
    if opens { Vec::new() } else { vec![file.problem(0, "a file opens with a //! line")] }
}

/// Finds marks of unfinished work. They are split here so that this file passes its own check.
fn check_marks(file: &Source) -> Vec<String> {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]].map(|half| half.concat());
    let calls = [["dbg", "!("], ["todo", "!("]].map(|half| half.concat());
    let mut problems = Vec::new();
    for (at, line) in file.text.iter().enumerate() {
        let marked = line
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| marks.iter().any(|mark| mark == word));
        if marked || calls.iter().any(|call| line.contains(call)) {
            problems.push(
                file.problem(at, "unfinished work: an open question belongs on a decision page"),
            );
        }
    }
    problems
}

/// Finds comments that a reader must scroll to read; rustfmt does not wrap comments.
fn check_width(file: &Source) -> Vec<String> {
    file.text
        .iter()
        .enumerate()
        .filter(|(at, line)| !file.comments[*at].is_empty() && line.chars().count() > COLUMNS)
        .map(|(at, _)| file.problem(at, "a comment wider than 100 columns"))
        .collect()
}

/// Finds paths that exist on one machine only.
fn check_machine_paths(path: &str, text: &str) -> Vec<String> {
    let folders = ["home", "Users", "root", "work", "tmp/h"].map(|folder| format!("/{folder}/"));
    let mut problems = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let starts = |(from, _): (usize, &str)| {
            !line[..from].ends_with(|c: char| c.is_alphanumeric() || ".-_}$*".contains(c))
        };
        if folders.iter().any(|folder| line.match_indices(folder.as_str()).any(starts)) {
            problems.push(format!("{path}:{}: a path of one machine", at + 1));
        }
    }
    problems
}

/// Finds a file that is too long for one concern.
fn check_length(file: &Source) -> Vec<String> {
    const LINES: usize = 500;
    if file.text.len() <= LINES {
        return Vec::new();
    }
    vec![file.problem(LINES, "over 500 lines: look for the second concern")]
}

#[test]
fn files_open_with_what_they_are_for_everywhere() {
    let problems: Vec<_> = source::all_rust_files().iter().flat_map(check_opening).collect();
    assert_clean("say in the first line what the file is for", &problems);
}

#[test]
fn no_unfinished_work_is_committed_everywhere() {
    let files = source::all_rust_files();
    // These files write the functions that students have to finish.
    let files = files.iter().filter(|file| !file.path.starts_with("src/cli/handout/"));
    let problems: Vec<_> = files.flat_map(check_marks).collect();
    assert_clean("finish it, or write a page in docs/decisions", &problems);
}

#[test]
fn comments_fit_a_hundred_columns_everywhere() {
    let problems: Vec<_> = source::all_rust_files().iter().flat_map(check_width).collect();
    assert_clean("wrap the comment", &problems);
}

#[test]
fn files_have_one_concern_everywhere() {
    let files = ["src", "cli/src", "examples"].map(source::rust_files);
    let problems: Vec<_> = files.iter().flatten().flat_map(check_length).collect();
    assert_clean("split the file by concern", &problems);
}

#[test]
fn no_machine_is_named_everywhere() {
    let mut problems = Vec::new();
    for (folder, ext) in [
        ("src", "rs"),
        ("cli", "rs"),
        ("tests", "rs"),
        ("benches", "rs"),
        ("examples", "rs"),
        ("docs", "md"),
        ("deploy", "md"),
        ("deploy", "sh"),
        ("handout", "md"),
        ("handout", "rs"),
        ("cli/tests/cmd", "trycmd"),
        ("tests/zoo", "patch"),
    ] {
        for path in source::files(folder, ext) {
            problems.extend(check_machine_paths(&path, &source::read(&path).unwrap()));
        }
    }
    for path in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Cargo.toml", "cli/Cargo.toml"] {
        problems.extend(check_machine_paths(path, &source::read(path).unwrap_or_default()));
    }
    assert_clean("name files from the root of the project", &problems);
}

#[test]
fn a_file_without_a_purpose_is_found() {
    assert_bites(&check_opening(&Source::new("src/x.rs", "use std::fmt;\n")), &[1]);
    assert_bites(&check_opening(&Source::new("src/x.rs", "//! What x is.\n")), &[]);
}

#[test]
fn unfinished_work_is_found() {
    let text = ["// TO", "DO: later\nlet a = dbg", "!(1);\nlet todos = 2;"].concat();
    assert_bites(&check_marks(&Source::new("src/x.rs", &text)), &[1, 2]);
}

#[test]
fn a_wide_comment_is_found_and_a_wide_string_is_not() {
    let wide = "x".repeat(101);
    let text = format!("// {wide}\nlet a = \"{wide}\";\nlet b = 1; // {wide}\n/// short");
    assert_bites(&check_width(&Source::new("src/x.rs", &text)), &[1, 3]);
}

#[test]
fn a_long_file_is_found() {
    assert_bites(&check_length(&Source::new("src/x.rs", &"//! x\n".repeat(501))), &[501]);
    assert_bites(&check_length(&Source::new("src/x.rs", &"//! x\n".repeat(500))), &[]);
}

#[test]
fn a_machine_path_is_found() {
    let text = ["see /ho", "me/me/x\nsee src/home/x and ./work/x\n(/wo", "rk/y)"].concat();
    assert_bites(&check_machine_paths("README.md", &text), &[1, 3]);
}
