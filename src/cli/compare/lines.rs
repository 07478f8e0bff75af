//! Lines of code, counted from the sources that this program was built from.
//!
//! Blank lines, comments and tests do not count. A file whose code uses threads, locks, clocks or
//! the network (`runtime`, `labrpc`) is glue as a whole; all other files are the core.

use std::path::Path;

use crate::compare::Value;
use include_dir::{Dir, include_dir};

static RAFT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/raft");
static TICK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/tick");
static DRIVER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/driver");

/// The part of the driver that is for the crate `raft` alone.
const THEIRS: &str = "raft_rs";

/// Lines of the crate `raft`, version 0.7.0, counted by the same rules: a test counts them again.
const RAFT_CRATE: usize = 5462;

/// Paths that occur only in glue.
const OUTSIDE: &[&str] = &["runtime::", "labrpc::"];

/// The lines of the design called `name`; empty for a design whose sources are unknown.
pub(super) fn of(name: &str) -> Vec<Value> {
    let theirs = |(path, _): &(&Path, &str)| path.components().any(|it| it.as_os_str() == THEIRS);
    let lines = match name {
        "rpc" => Lines::of(&files(&RAFT)),
        "tick" => {
            let driver = files(&DRIVER).into_iter().filter(|file| !theirs(file));
            Lines::of(&files(&TICK).into_iter().chain(driver).collect::<Vec<_>>())
        }
        "raft-rs" => {
            let Lines { core, glue } = Lines::of(&files(&DRIVER));
            Lines { core: RAFT_CRATE, glue: core + glue }
        }
        _ => return Vec::new(),
    };
    let value = |metric, lines: usize| Value { metric, at: 0, value: lines as f64 };
    vec![value("lines_core", lines.core), value("lines_glue", lines.glue)]
}

/// The files of a folder and of its subfolders.
fn files(folder: &'static Dir<'static>) -> Vec<(&'static Path, &'static str)> {
    let own = folder.files().map(|file| (file.path(), file.contents_utf8().unwrap_or_default()));
    own.chain(folder.dirs().flat_map(files)).collect()
}

/// Lines of code: `glue` in files that use [`OUTSIDE`], `core` in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Lines {
    core: usize,
    glue: usize,
}

impl Lines {
    /// Counts the lines of `files`, pairs of path and text, without modules for tests alone.
    fn of(files: &[(&Path, &str)]) -> Lines {
        let tests: Vec<_> = files.iter().flat_map(|(_, text)| test_modules(text)).collect();
        let is_test = |path: &Path| {
            let names = path.iter().filter_map(|name| name.to_str());
            names.map(|name| name.trim_end_matches(".rs")).any(|name| tests.contains(&name))
        };
        let mut lines = Lines::default();
        for (path, text) in files {
            if path.extension().is_some_and(|it| it == "rs") && !is_test(path) {
                lines.add(text);
            }
        }
        lines
    }

    fn add(&mut self, text: &str) {
        let code = code(text);
        let is_glue = code.iter().any(|line| OUTSIDE.iter().any(|name| line.contains(name)));
        *(if is_glue { &mut self.glue } else { &mut self.core }) += code.len();
    }
}

/// The lines of a file that are code and do not belong to a test.
fn code(text: &str) -> Vec<&str> {
    let mut code = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        if bare == TEST {
            // Skip the marked item: one line, or all lines up to the brace in the same column.
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

/// The mark of an item for tests alone.
const TEST: &str = "#[cfg(test)]";

/// The module that a line declares, if the module has a file of its own.
fn declared(line: &str) -> Option<&str> {
    line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')
}

/// The modules in files of their own that are declared for tests alone. A module that is declared
/// a second time, for builds without tests, is not for tests alone.
fn test_modules(text: &str) -> Vec<&str> {
    let all: Vec<&str> = text.lines().filter_map(declared).collect();
    let pairs = text.lines().zip(text.lines().skip(1));
    let marked = pairs.filter(|(mark, _)| *mark == TEST).filter_map(|(_, item)| declared(item));
    marked.filter(|name| all.iter().filter(|other| *other == name).count() == 1).collect()
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
        let text = "mod log;\n#[cfg(test)]\npub mod testing;\n#[cfg(not(test))]\nmod state;\n\
                    #[cfg(test)]\nmod state;\n#[cfg(test)]\nmod tests {\n}";
        assert_eq!(test_modules(text), ["testing"]);
    }

    #[test]
    fn one_name_from_the_outside_makes_a_file_glue() {
        let files = [
            ("a/mod.rs", "#[cfg(test)]\nmod tests;\nuse crate::api::Term;\nfn f() {}\n"),
            ("a/b.rs", "use crate::runtime::thread;\nfn f() {}\nfn g() {}\n"),
            ("a/c.rs", "// not runtime::thread\nfn f() {}\n"),
            ("a/tests/c.rs", "fn f() {}\n"),
            ("a/notes.md", "none\n"),
        ];
        let files = files.map(|(path, text)| (Path::new(path), text));
        assert_eq!(Lines::of(&files), Lines { core: 3, glue: 3 });
    }

    #[test]
    fn the_pure_core_has_no_glue_and_the_others_have_both() {
        let tick = Lines::of(&files(&TICK));
        assert_eq!(tick.glue, 0, "tick uses neither runtime nor labrpc");
        assert!(tick.core > 1000, "{tick:?}");
        let raft = Lines::of(&files(&RAFT));
        assert!(raft.core > 300 && raft.glue > 300, "{raft:?}");
    }

    #[test]
    fn every_design_of_this_build_is_counted() {
        for design in crate::lab::DESIGNS {
            assert_eq!(of(design.name).len(), 2, "{}", design.name);
        }
        assert_eq!(of("paper"), []);
    }

    /// The output of a program.
    #[cfg(feature = "raft-rs")]
    fn output(program: &str, arguments: &[&str]) -> String {
        let mut command = std::process::Command::new(program);
        let output = command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Where cargo keeps the sources of the crate `raft`.
    #[cfg(feature = "raft-rs")]
    fn their_folder() -> std::path::PathBuf {
        let version = output("rustc", &["-vV"]);
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        // The dependencies of other platforms have not been downloaded.
        let wanted = ["--offline", "--format-version", "1", "--filter-platform", host];
        let metadata =
            output(env!("CARGO"), &[&["metadata", "--features", "raft-rs"], &wanted[..]].concat());
        let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let raft = packages.iter().find(|package| package["name"] == "raft").unwrap();
        Path::new(raft["manifest_path"].as_str().unwrap()).with_file_name("src")
    }

    #[cfg(feature = "raft-rs")]
    fn read(folder: &Path, found: &mut Vec<(std::path::PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(folder).unwrap().to_path_buf(), text));
            }
        }
    }

    #[cfg(feature = "raft-rs")]
    #[test]
    fn the_lines_of_the_crate_raft_are_those_of_its_sources() {
        let mut found = Vec::new();
        read(&their_folder(), &mut found);
        let files: Vec<_> =
            found.iter().map(|(path, text)| (path.as_path(), text.as_str())).collect();
        assert_eq!(Lines::of(&files), Lines { core: RAFT_CRATE, glue: 0 });
    }
}
