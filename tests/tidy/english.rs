//! Plain English: words and phrases that readers stumbled over, each with a better one.
//!
//! The list has the ten habits that this project had most often. A comment or a page may quote such
//! a phrase in quotation marks or backticks.

use crate::source::{self, Source};
use crate::{assert_bites, assert_clean};

/// Phrases in lower case, as sequences of words, and what to write in their place.
const HABITS: &[(&[&str], &str)] = &[
    (
        &["whoever", "nobody", "somebody", "everybody"],
        "parts of a program are not people: write `a task that`, `no server`, `every client`",
    ),
    (&["goes on", "go on", "went on"], "write `continues`"),
    (&["under way"], "write `in flight`, or `running`"),
    (&["held up", "holds up", "holding up"], "write `delayed`, `stalled` or `blocked`"),
    (&["takes in", "take in", "calls forth"], "write `accepts`, `handles` or `triggers`"),
    (&["made up for", "makes up for"], "write `repaired`, `retried` or `harmless`"),
    (&["the own", "an own"], "write `its own`, `their own`"),
    (&["what is so", "must be so", "be it"], "name the fact: a pronoun has to be looked up"),
    (&["at work"], "write `busy`, or say what runs"),
    (&["beside the", "beside its"], "write `besides` or `apart from`; `next to` for a place"),
];

/// Finds the habits in the lines of a text.
fn check_lines<'a>(path: &str, lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, line) in lines {
        let words = words(&without_quotations(line));
        for (phrases, cure) in HABITS {
            for phrase in phrases.iter().filter(|phrase| words.contains(&format!(" {phrase} "))) {
                problems.push(format!("{path}:{}: `{phrase}`: {cure}", at + 1));
            }
        }
    }
    problems
}

/// The words of `line` in lower case, with a space before and after each. A mark between two words
/// counts as a word, so that no phrase is found across it.
fn words(line: &str) -> String {
    let mut text = " ".to_string();
    for c in line.chars().flat_map(char::to_lowercase) {
        match c {
            _ if c.is_alphanumeric() || c == '_' => text.push(c),
            ' ' => text.push(' '),
            _ => text.push_str(" | "),
        }
    }
    text + " "
}

/// `line` without the text between two backticks or two quotation marks.
fn without_quotations(line: &str) -> String {
    let outside = |line: &str, mark: char| {
        let parts: Vec<&str> = line.split(mark).collect();
        // A mark without its partner quotes nothing.
        match parts.len() % 2 {
            0 => line.to_string(),
            _ => parts.into_iter().step_by(2).collect::<Vec<_>>().join(" | "),
        }
    };
    outside(&outside(line, '`'), '"')
}

fn check_comments(file: &Source) -> Vec<String> {
    check_lines(&file.path, file.comments.iter().map(String::as_str).enumerate())
}

fn check_page(path: &str, text: &str) -> Vec<String> {
    let mut fenced = false;
    let prose = text.lines().enumerate().filter(|(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    });
    check_lines(path, prose)
}

#[test]
fn comments_and_pages_are_in_plain_english_everywhere() {
    let mut problems: Vec<_> = source::all_rust_files().iter().flat_map(check_comments).collect();
    let mut pages = source::files("docs", "md");
    pages.extend(source::files("examples", "md"));
    pages.extend(source::files("deploy", "md"));
    pages.extend(source::files("handout", "md"));
    pages.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(String::from));
    for path in pages.iter().filter(|path| !path.starts_with("docs/obsolete/")) {
        problems.extend(check_page(path, &source::read(path).unwrap()));
    }
    assert_clean("say it so that nobody reads it twice", &problems);
}

#[test]
fn a_habit_is_found_in_comments_and_pages_and_not_in_quotations() {
    let code = "// Whoever leads.\nlet nobody = \"nobody\";\n// as in `goes on` or \"held up\"\n\
                // Goes\n/// What goes on, goes on.";
    assert_bites(&check_comments(&Source::new("src/x.rs", code)), &[1, 5]);
    let page = "A call is under way.\n```text\nnobody\n```\nSee nobody's. It must be. It takes, in a \
                `run`, the_own time.";
    assert_bites(&check_page("docs/x.md", page), &[1, 5]);
}
