//! The files of a student's project: skeletons, and the harness without our servers.

use std::collections::BTreeMap;

use include_dir::{Dir, File, include_dir};

use super::{manifest, skeleton};

/// Our source.
static SOURCE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src");

/// The templates of the project.
static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/handout");

/// Files of ours that the harness has as they are.
const AS_THEY_ARE: [(&str, &str); 4] = [
    ("LICENSE-APACHE", include_str!("../../../LICENSE-APACHE")),
    ("LICENSE-MIT", include_str!("../../../LICENSE-MIT")),
    ("docs/hints.md", include_str!("../../../docs/hints.md")),
    ("docs/tests.md", include_str!("../../../docs/tests.md")),
];

/// Our servers and services.
pub(super) const SOLUTIONS: [&str; 5] = ["driver/", "kv/", "raft/", "store/", "tick/"];

/// What the harness has no use for without our servers.
const WITHOUT_SOLUTIONS: [&str; 11] = [
    "cli/compare/",
    "cli/grade/",
    "cli/handout/",
    "cli/zoo/",
    "compare/",
    "lab/kv_design.rs",
    "lab/raft_rs_design.rs",
    "lab/rpc_design.rs",
    "lab/scenarios/store/",
    "lab/store/",
    "lab/tick_design.rs",
];

/// Returns every file of the project, by its path in the project's folder.
pub(in crate::cli) fn of_project() -> BTreeMap<String, String> {
    let mut project = BTreeMap::new();
    for (path, text) in texts(&TEMPLATE) {
        let (path, text) = match path {
            "manifest.toml" => ("Cargo.toml".to_string(), manifest::of_project(text)),
            "harness.toml" => ("harness/Cargo.toml".to_string(), manifest::of_harness(text)),
            "lock.toml" => ("Cargo.lock".to_string(), text.to_string()),
            "gitignore" => (".gitignore".to_string(), text.to_string()),
            path if path.ends_with(".rs") => (path.to_string(), skeleton::fill(text, source)),
            path => (path.to_string(), text.to_string()),
        };
        project.insert(path, text);
    }
    project.insert("rustfmt.toml".to_string(), include_str!("../../../rustfmt.toml").to_string());
    // The lines that connect the suite to a key/value service are the same for any service.
    let design = source("lab/kv_design.rs").replace(
        "//! The key/value service that ships with raftlab, as the suite sees it.",
        "//! Your key/value service, as the suite sees it. You need not change this file.",
    );
    project.insert("src/kv_design.rs".to_string(), design);
    for (path, text) in texts(&SOURCE).into_iter().filter(|(path, _)| is_harness(path)) {
        project.insert(format!("harness/src/{path}"), without_tests(text));
    }
    for (path, text) in AS_THEY_ARE {
        project.insert(format!("harness/{path}"), text.to_string());
    }
    project
}

/// The text of a file of our source, by its path below `src`.
pub(super) fn source(path: &str) -> &'static str {
    let file = SOURCE.get_file(path).unwrap_or_else(|| panic!("there is no src/{path}"));
    text(file)
}

/// Every file of our source, by its path below `src`.
#[cfg(test)]
pub(super) fn of_source() -> Vec<(&'static str, &'static str)> {
    texts(&SOURCE)
}

/// Every file below `folder`, with its path from there.
fn texts(folder: &'static Dir<'static>) -> Vec<(&'static str, &'static str)> {
    let mut files: Vec<_> = folder.files().map(|file| (path(file), text(file))).collect();
    files.extend(folder.dirs().flat_map(texts));
    files
}

fn path(file: &'static File<'static>) -> &'static str {
    file.path().to_str().expect("our files have plain names")
}

fn text(file: &'static File<'static>) -> &'static str {
    file.contents_utf8().expect("our files are text")
}

/// Whether the harness has the file of our source at `path`. Our own unit tests need our servers.
fn is_harness(path: &str) -> bool {
    let left_out = SOLUTIONS.iter().chain(&WITHOUT_SOLUTIONS).any(|start| path.starts_with(start));
    let of_tests = ["tests.rs", "testing.rs", "sample.rs"].iter().any(|name| path.ends_with(name));
    !left_out && !of_tests && !path.contains("/tests/")
}

/// A file of ours without its unit tests.
fn without_tests(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !(line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test,")) {
            kept.push(line);
            continue;
        }
        let mut item = lines.by_ref().skip_while(|line| line.starts_with("#["));
        let first = item.next().unwrap_or_default();
        if !first.ends_with([';', '}']) {
            item.find(|line| *line == "}");
        }
        while kept.last().is_some_and(|line| line.is_empty() || line.starts_with("///")) {
            kept.pop();
        }
    }
    kept.join("\n") + "\n"
}
