//! The files of the tree, split into code and comments.

use std::fs;
use std::path::{Path, PathBuf};

/// One file: its path and its lines, split into code and comments.
pub(crate) struct Source {
    /// From the root of the crate, with `/` between the parts.
    pub path: String,
    /// The lines as they are.
    pub text: Vec<String>,
    /// The same lines without comments and with empty strings and characters.
    pub code: Vec<String>,
    /// The comments alone, with their slashes; empty where a line has none.
    pub comments: Vec<String>,
}

impl Source {
    /// Splits a Rust file.
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let (code, comments) = split(text);
        let count = text.lines().count();
        let lines = |s: &str| s.split('\n').take(count).map(str::to_string).collect::<Vec<_>>();
        Source {
            path: path.to_string(),
            text: lines(text),
            code: lines(&code),
            comments: lines(&comments),
        }
    }

    /// Formats a problem as `path:line: what`; `line` counts from 0.
    pub(crate) fn problem(&self, line: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, line + 1)
    }
}

/// The root of the crate.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file, if it exists.
pub(crate) fn read(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

/// Every Rust file below `folder`, in a fixed order. Empty if there is no such folder.
pub(crate) fn rust_files(folder: &str) -> Vec<Source> {
    files(folder, "rs")
        .into_iter()
        .map(|path| Source::new(&path, &read(&path).expect("a listed file can be read")))
        .collect()
}

/// Every Rust file of ours: the library, the command line, tests, benches, examples.
pub(crate) fn all_rust_files() -> Vec<Source> {
    let folders = ["src", "cli", "tests", "benches", "examples"];
    folders.iter().flat_map(|folder| rust_files(folder)).collect()
}

/// Paths below `folder` that end in `.ext`, sorted.
pub(crate) fn files(folder: &str, ext: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(&root().join(folder), ext, &mut found);
    let mut paths: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    paths.sort();
    paths
}

fn walk(folder: &Path, ext: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, ext, found);
        } else if path.extension().is_some_and(|e| e == ext) {
            found.push(path);
        }
    }
}

/// The kind of text that the splitter is in.
#[derive(Clone, Copy, PartialEq)]
enum In {
    Code,
    LineComment,
    BlockComment(u32),
    Text,
    /// A raw string that ends in a quote and this many `#`.
    RawText(usize),
}

/// Splits `text` into code and comments, both with the line breaks of the original.
fn split(text: &str) -> (String, String) {
    let (mut code, mut comments) = (String::new(), String::new());
    let mut place = In::Code;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (then, taken) = step(place, rest, next, code.chars().last());
        let piece = &rest[..taken];
        if next == '\n' {
            code.push('\n');
            comments.push('\n');
        } else if matches!(then, In::LineComment | In::BlockComment(_))
            || matches!(place, In::BlockComment(_))
        {
            comments.push_str(piece);
        } else if place == In::Code {
            code.push_str(piece);
        }
        place = then;
        rest = &rest[taken..];
    }
    (code, comments)
}

/// Reads the next piece of text: returns the kind of text after it, and its length in bytes.
fn step(place: In, rest: &str, next: char, before: Option<char>) -> (In, usize) {
    let one = next.len_utf8();
    match place {
        In::LineComment => (if next == '\n' { In::Code } else { place }, one),
        In::BlockComment(depth) if rest.starts_with("/*") => (In::BlockComment(depth + 1), 2),
        In::BlockComment(1) if rest.starts_with("*/") => (In::Code, 2),
        In::BlockComment(depth) if rest.starts_with("*/") => (In::BlockComment(depth - 1), 2),
        In::Text if next == '\\' && !rest[1..].starts_with('\n') => {
            (place, one + rest[1..].chars().next().map_or(0, char::len_utf8))
        }
        In::Text if next == '"' => (In::Code, one),
        In::RawText(hashes) if closes_raw(rest, hashes) => (In::Code, 1 + hashes),
        In::BlockComment(_) | In::Text | In::RawText(_) => (place, one),
        In::Code if rest.starts_with("//") => (In::LineComment, 2),
        In::Code if rest.starts_with("/*") => (In::BlockComment(1), 2),
        In::Code if next == '"' => (In::Text, one),
        In::Code if next == '\'' => (In::Code, quoted_char(rest).unwrap_or(one)),
        In::Code => match raw_text(rest, before) {
            Some(hashes) => (In::RawText(hashes), hashes + 2),
            None => (In::Code, one),
        },
    }
}

/// Whether `rest` begins with the end of a raw string with this many hashes.
fn closes_raw(rest: &str, hashes: usize) -> bool {
    rest.strip_prefix('"').is_some_and(|tail| tail.starts_with(&"#".repeat(hashes)))
}

/// The number of hashes of the raw string at the start of `rest`: `r"`, `r#"`, ….
fn raw_text(rest: &str, before: Option<char>) -> Option<usize> {
    let part_of_a_name = before.is_some_and(|c| (c.is_alphanumeric() && c != 'b') || c == '_');
    let tail = rest.strip_prefix('r').filter(|_| !part_of_a_name)?;
    let hashes = tail.len() - tail.trim_start_matches('#').len();
    tail[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the character literal at the start of `rest`; `None` for a lifetime.
fn quoted_char(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        let (escaped, _) = chars.next()?;
        return rest[escaped + 1..].find('\'').map(|end| escaped + 1 + end + 1);
    }
    let (end, quote) = chars.next()?;
    (quote == '\'').then_some(end + 1)
}

#[test]
fn comments_and_strings_are_told_from_code() {
    let text = "let a = \"// no\"; // yes \"\nlet b = r#\"/* \" \"#; /* one\n/* two */ */ c('\"', 'x, '\\'');";
    let source = Source::new("x.rs", text);
    assert_eq!(source.code[0].trim_end(), "let a = \";");
    assert_eq!(source.comments[0], "// yes \"");
    assert_eq!(source.code[1], "let b = r#\"; ");
    assert_eq!(source.comments[1], "/* one");
    assert_eq!(source.comments[2], "/* two */ */");
    assert_eq!(source.code[2], " c('\"', 'x, '\\'');");
}
