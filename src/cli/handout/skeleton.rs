//! Skeletons: files that have the marked functions of our source, without their bodies.
//!
//! A *mark* is the first line of a function in our source. It names the part of the course in which
//! a student writes the body, and says what the body does:
//!
//! ```text
//! /// Starts an election whenever the timer runs out, until the instance stops.
//! pub(super) fn run(server: &Arc<Server>) {
//!     // Handout 2A: become a candidate when no leader was heard for an election timeout.
//!     let mut guard = server.lock();
//! ```
//!
//! A template in `handout/src` has a line `//= raft/election.rs run` in its place. It becomes the
//! function with its documentation and signature, and a body of one `todo!`:
//!
//! ```text
//! /// Starts an election whenever the timer runs out, until the instance stops.
//! pub(super) fn run(server: &Arc<Server>) {
//!     todo!("2A: become a candidate when no leader was heard for an election timeout")
//! }
//! ```
//!
//! So the documentation and the signatures cannot differ from ours. All that has no mark is left
//! out.
//!
//! The tick core needs no templates: [`strip`] keeps a file and empties its marked functions. There
//! the mark `// Handout: left out.` removes a function, since its name would give too much away.

use std::fmt::Write;
use std::ops::Range;

/// The beginning of a mark.
const MARK: &str = "// Handout ";

/// The mark of a function that no project has.
const LEFT_OUT: &str = "// Handout: left out.";

/// The beginning of a line of a template that a marked function replaces.
const PLACE: &str = "//= ";

/// A marked function of our source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marked<'a> {
    pub name: &'a str,
    /// The lines of its documentation and of its signature, up to the opening brace.
    pub head: Vec<&'a str>,
    /// The mark: the part, and what the body does.
    pub task: &'a str,
    /// The lines of the body, without the mark.
    pub body: Vec<&'a str>,
    /// Where it is in the file, documentation included.
    lines: Range<usize>,
}

impl Marked<'_> {
    /// Whether no project has this function.
    pub(super) fn is_left_out(&self) -> bool {
        self.task.is_empty()
    }

    /// The function with a `todo!` in place of its body.
    fn emptied(&self) -> String {
        let mut text = String::new();
        for head in &self.head {
            // Whether a body changes `self` is no part of the signature.
            let _ = writeln!(text, "{}", head.replace("(mut self", "(self"));
        }
        let outer = indent(self.head[0]);
        let _ = writeln!(text, "{outer}    todo!(\"{}\")\n{outer}}}", self.task);
        text
    }
}

/// Finds the marked functions of a file that is formatted by rustfmt.
///
/// # Panics
/// When a mark is not the first line of a function.
pub(super) fn marked(source: &str) -> Vec<Marked<'_>> {
    let lines: Vec<&str> = source.lines().collect();
    let is_mark = |line: &str| line.starts_with(MARK) || line == LEFT_OUT;
    let marks = lines.iter().enumerate().filter(|(_, line)| is_mark(line.trim()));
    marks.map(|(at, _)| function_at(&lines, at)).collect()
}

/// The function whose mark is line `at`.
fn function_at<'a>(lines: &[&'a str], at: usize) -> Marked<'a> {
    let mark = lines[at].trim();
    assert!(at > 0 && lines[at - 1].ends_with('{'), "not the first line of a function: {mark}");
    // rustfmt indents what is between the function's first line and its last line further.
    let outer = indent(lines[at]).strip_prefix("    ").expect("a body is indented");
    let is_first = |line: &&str| indent(line) == outer && line.contains("fn ");
    let first = (0..at).rev().find(|&place| is_first(&lines[place])).expect("a function begins");
    let is_above = |line: &&&str| line.trim().starts_with("///") || line.trim().starts_with("#[");
    let docs = lines[..first].iter().rev().take_while(is_above);
    let start = first - docs.count();
    let head = lines[start..at].to_vec();
    let last = format!("{outer}}}");
    let length = lines[at..].iter().position(|line| *line == last).expect("a function ends");
    let (_, name) = lines[first].split_once("fn ").expect("the line was chosen by this word");
    let name = name.split(['(', '<']).next().unwrap_or(name);
    let task = mark.strip_prefix(MARK).unwrap_or_default().trim_end_matches('.');
    let body = lines[at + 1..at + length].to_vec();
    Marked { name, head, task, body, lines: start..at + length + 1 }
}

/// A file of ours with a `todo!` in each marked function, and without those that are left out.
pub(super) fn strip(source: &str) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let mut text = String::new();
    let mut place = 0;
    for function in marked(source) {
        let mut before = &lines[place..function.lines.start];
        place = function.lines.end;
        if function.is_left_out() {
            before = before.strip_suffix(&[""]).unwrap_or(before);
        }
        before.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        if !function.is_left_out() {
            text.push_str(&function.emptied());
        }
    }
    lines[place..].iter().for_each(|line| text.push_str(&format!("{line}\n")));
    text
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// Puts the marked functions of our source into a template. `source` returns the text of a file of
/// our source by its path below `src`.
///
/// # Panics
/// When a line of the template names no marked function.
pub(super) fn fill<'a>(template: &str, source: impl Fn(&str) -> &'a str) -> String {
    let mut text = String::new();
    for line in template.lines() {
        let Some(place) = line.trim().strip_prefix(PLACE) else {
            let _ = writeln!(text, "{line}");
            continue;
        };
        let (file, name) = place.split_once(' ').expect("a place names a file and a function");
        let all = marked(source(file));
        let found = all.iter().find(|function| function.name == name);
        let Some(function) = found else { panic!("src/{file} has no marked function {name}") };
        text.push_str(&function.emptied());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
impl Vault {
    /// Opens the door.
    ///
    /// Once.
    pub fn open<T>(
        &self,
        key: &T,
    ) -> bool {
        // Handout 2A: compare the key.
        if self.fits(key) {
            return true;
        }
        false
    }

    fn fits(&self) -> bool {
        true
    }
}
";

    #[test]
    fn a_marked_function_keeps_its_documentation_and_signature() {
        let filled = fill("// Before.\n\n    //= vault.rs open\n// After.\n", |_| SOURCE);
        let expected = "\
// Before.

    /// Opens the door.
    ///
    /// Once.
    pub fn open<T>(
        &self,
        key: &T,
    ) -> bool {
        todo!(\"2A: compare the key\")
    }
// After.
";
        assert_eq!(filled, expected);
    }

    #[test]
    fn a_stripped_file_keeps_all_but_the_bodies() {
        let (head, _) = SOURCE.split_once("        // Handout").unwrap();
        let (_, rest) = SOURCE.split_once("        false\n    }\n").unwrap();
        let expected = format!("{head}        todo!(\"2A: compare the key\")\n    }}\n{rest}");
        assert_eq!(strip(SOURCE), expected);
        let helper =
            "\n    /// Fits.\n    fn fits(&self) -> bool {\n        // Handout: left out.\n";
        let source = SOURCE.replace("\n    fn fits(&self) -> bool {\n", helper);
        assert_eq!(
            strip(&source),
            expected.replace("\n    fn fits(&self) -> bool {\n        true\n    }\n", "")
        );
    }

    #[test]
    fn the_body_of_a_marked_function_is_known() {
        let all = marked(SOURCE);
        let [open] = all.as_slice() else { panic!("one mark: {all:?}") };
        assert_eq!(open.body.len(), 4, "{open:?}");
        assert_eq!(open.body[0], "        if self.fits(key) {");
    }

    #[test]
    #[should_panic(expected = "src/vault.rs has no marked function fits")]
    fn a_function_without_a_mark_is_refused() {
        fill("    //= vault.rs fits\n", |_| SOURCE);
    }

    #[test]
    #[should_panic(expected = "not the first line of a function")]
    fn a_mark_inside_a_function_is_refused() {
        marked("fn f() {\n    g();\n    // Handout 2A: call g.\n}\n");
    }
}
