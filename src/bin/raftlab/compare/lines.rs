//! Lines of code, counted from the sources that this program was built from.
//!
//! What counts is what a reader must understand of the code itself: no blank line, no comment, no
//! test. A file whose code names threads, locks, clocks or the network (`runtime`, `labrpc`) is
//! glue, all of it; what is left knows nothing of them.

use std::path::Path;

use include_dir::{Dir, File, include_dir};
use raftlab::lab::compare::Value;

static RAFT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/raft");
static TICK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/tick");
static DRIVER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/driver");

/// What only glue names.
const OUTSIDE: &[&str] = &["runtime::", "labrpc::"];

/// The lines of the design called `name`; none if it is not ours to count.
pub fn of(name: &str) -> Vec<Value> {
    let folders: &[&Dir<'_>] = match name {
        "rpc" => &[&RAFT],
        "tick" => &[&TICK, &DRIVER],
        _ => return Vec::new(),
    };
    let mut lines = Lines::default();
    folders.iter().for_each(|folder| lines.add_folder(folder));
    let value = |metric, lines: usize| Value { metric, at: 0, value: lines as f64 };
    vec![value("lines_core", lines.core), value("lines_glue", lines.glue)]
}

/// Lines of code, by whether their file touches the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Lines {
    core: usize,
    glue: usize,
}

impl Lines {
    fn add_folder(&mut self, folder: &Dir<'_>) {
        let declared = folder.files().flat_map(|file| test_modules(text(file)));
        let tests: Vec<_> = declared.collect();
        let is_test = |path: &Path| {
            let name = path.file_stem().and_then(|name| name.to_str());
            name.is_some_and(|name| tests.contains(&name))
        };
        for inner in folder.dirs().filter(|inner| !is_test(inner.path())) {
            self.add_folder(inner);
        }
        for file in folder.files().filter(|file| !is_test(file.path())) {
            self.add_file(text(file));
        }
    }

    fn add_file(&mut self, text: &str) {
        let code = code(text);
        let is_glue = code.iter().any(|line| OUTSIDE.iter().any(|name| line.contains(name)));
        *(if is_glue { &mut self.glue } else { &mut self.core }) += code.len();
    }
}

/// What is in a file of Rust; nothing of any other.
fn text<'a>(file: &'a File<'_>) -> &'a str {
    let is_rust = file.path().extension().is_some_and(|extension| extension == "rs");
    file.contents_utf8().filter(|_| is_rust).unwrap_or_default()
}

/// The lines of a file that are code and no test.
fn code(text: &str) -> Vec<&str> {
    let mut code = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        if bare == TEST {
            // The item that it marks: one line, or up to the brace in the same column.
            let end = format!("{}}}", &line[..line.len() - bare.len()]);
            if lines.next().is_some_and(|item| !item.ends_with(';')) {
                lines.by_ref().find(|line| *line == end);
            }
        } else if !bare.is_empty() && !bare.starts_with("//") {
            code.push(line);
        }
    }
    code
}

/// What marks an item that is there for tests alone.
const TEST: &str = "#[cfg(test)]";

/// The modules that are declared for tests alone, in files of their own.
fn test_modules(text: &str) -> Vec<&str> {
    let pairs = text.lines().zip(text.lines().skip(1));
    let marked = pairs.filter(|(mark, _)| *mark == TEST).map(|(_, item)| item);
    marked.filter_map(|item| item.strip_prefix("mod ")?.strip_suffix(';')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_what_is_neither_blank_nor_comment_nor_test() {
        let text = "//! A file.\n\nuse crate::api::Term;\n\n/// Does.\nfn f() {\n    // Why.\n    \
                    g(); // here\n}\n\n#[cfg(test)]\nuse super::x;\n\n#[cfg(test)]\nmod tests {\n    \
                    fn f() {\n    }\n}\nfn last() {}\n";
        let code = code(text);
        let expected =
            ["use crate::api::Term;", "fn f() {", "    g(); // here", "}", "fn last() {}"];
        assert_eq!(code, expected);
    }

    #[test]
    fn files_of_tests_are_found_by_their_declaration() {
        let text = "mod log;\n#[cfg(test)]\nmod testing;\nmod state;\n#[cfg(test)]\nmod tests {\n}";
        assert_eq!(test_modules(text), ["testing"]);
    }

    #[test]
    fn one_name_from_the_outside_makes_a_file_glue() {
        let mut lines = Lines::default();
        lines.add_file("use crate::api::Term;\nfn f() {}\n");
        lines.add_file("use crate::runtime::thread;\nfn f() {}\nfn g() {}\n");
        lines.add_file("// not runtime::thread\nfn f() {}\n");
        assert_eq!(lines, Lines { core: 3, glue: 3 });
    }

    #[test]
    fn the_pure_core_has_no_glue_and_the_others_have_both() {
        let mut tick = Lines::default();
        tick.add_folder(&TICK);
        assert_eq!(tick.glue, 0, "tick names nothing of the outside");
        assert!(tick.core > 1000, "{tick:?}");
        let mut raft = Lines::default();
        raft.add_folder(&RAFT);
        assert!(raft.core > 300 && raft.glue > 300, "{raft:?}");
    }

    #[test]
    fn what_is_not_ours_has_no_lines() {
        assert_eq!(of("raft"), []);
    }
}
