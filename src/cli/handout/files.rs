//! The files of a student's project: skeletons, and the harness without our servers.
//!
//! ```text
//!               track raft                          track tick
//! src/raft      templates, filled                   –
//! src/kv        templates, filled                   –
//! src/tick      –                                   ours, stripped
//! src/driver    –                                   ours: the owner of the core
//! the rest      templates                           the same; handout/tick replaces some
//! harness       the suite                           the same
//! ```

use std::collections::BTreeMap;

use clap::ValueEnum;
use include_dir::{Dir, File, include_dir};
use serde::Deserialize;

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
const WITHOUT_SOLUTIONS: [&str; 13] = [
    "cli/compare/",
    "cli/grade/",
    "cli/handout/",
    "cli/merge/parts.rs",
    "cli/shard/parts.rs",
    "cli/zoo/",
    "compare/",
    "lab/kv_design.rs",
    "lab/raft_rs_design.rs",
    "lab/rpc_design.rs",
    "lab/scenarios/store/",
    "lab/store/",
    "lab/tick_design.rs",
];

/// What a student writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Track {
    /// Raft with threads and locks, and the key/value service: the course.
    #[default]
    Raft,
    /// Raft as a state machine without threads, parts 2A to 2D.
    Tick,
}

impl Track {
    /// The student's own folders. A submission must have the first one.
    pub(in crate::cli) const fn own(self) -> &'static [&'static str] {
        match self {
            Track::Raft => &["src/raft", "src/kv"],
            Track::Tick => &["src/tick"],
        }
    }
}

/// The templates that one of the tracks has for itself.
const OF_TICK: &str = "tick/";
const OF_RAFT: [&str; 4] = ["src/raft/", "src/kv/", "src/lib.rs", "README.md"];

/// Returns every file of the project, by its path in the project's folder.
pub(in crate::cli) fn of_project(track: Track) -> BTreeMap<String, String> {
    let mut project = BTreeMap::new();
    for (path, text) in texts(&TEMPLATE) {
        let path = match (track, path.strip_prefix(OF_TICK)) {
            (Track::Raft, None) => path,
            (Track::Tick, Some(path)) => path,
            (Track::Tick, None) if !OF_RAFT.iter().any(|own| path.starts_with(own)) => path,
            _ => continue,
        };
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
    match track {
        Track::Raft => {
            // The lines that connect the suite to a service are the same for any service.
            let ours = "//! The key/value service that ships with raftlab, as the suite sees it.";
            let yours =
                "//! Your key/value service, as the suite sees it. You need not change this file.";
            let design = replaced(source("lab/kv_design.rs"), &[(ours, yours)]);
            project.insert("src/kv_design.rs".to_string(), design);
        }
        Track::Tick => project.extend(of_tick()),
    }
    for (path, text) in texts(&SOURCE).into_iter().filter(|(path, _)| is_harness(path)) {
        project.insert(format!("harness/src/{path}"), without_tests(text));
    }
    for (path, text) in AS_THEY_ARE {
        project.insert(format!("harness/{path}"), text.to_string());
    }
    project
}

/// The tick core without its bodies, the driver, and the lines that connect it to the suite.
fn of_tick() -> impl Iterator<Item = (String, String)> {
    let ours = texts(&SOURCE).into_iter().filter_map(|(path, text)| {
        if is_of_tests(path) || path.starts_with("driver/raft_rs/") {
            return None;
        }
        let text = match path.split('/').next()? {
            "tick" => {
                skeleton::strip(&without_tests(text)).replace("raftlab::tick", "my_raft::tick")
            }
            "driver" => without_items(&without_tests(text), &["#[cfg(feature = "]),
            _ => return None,
        };
        Some((format!("src/{path}"), text))
    });
    let design = replaced(
        source("lab/tick_design.rs"),
        &[
            (
                "The tick-based design: our own core behind the driver, and the functions that \
                 serve any core.",
                "Your core behind the driver, as the suite sees it. You need not change this file.",
            ),
            ("use super::design::{Boot, Design, Instance, Numbering, Rules};\n", ""),
            (
                "use crate::labrpc",
                "use crate::lab::{Boot, Design, Instance, Numbering};\nuse crate::labrpc",
            ),
            (
                "/// The tick-based design.\npub(super) const TICK",
                "/// Your servers, as the suite knows them.\npub const MINE",
            ),
            ("    store: true,\n    rules: Rules::All,\n", ""),
            ("Design::new(\"tick\"", "Design::new(\"mine\""),
            ("\npub(super) fn make_driver", "\nfn make_driver"),
        ],
    );
    ours.chain([("src/tick_design.rs".to_string(), design)])
}

/// The text with each first one of a pair replaced by the second.
///
/// # Panics
/// When the text has no first one: our source has changed.
fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "nothing to replace: {from}");
        text.replace(from, to)
    })
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
    !left_out && !is_of_tests(path)
}

/// Whether the file has nothing but unit tests, serves only them, or is no file of ours.
fn is_of_tests(path: &str) -> bool {
    let names = ["tests.rs", "testing.rs", "sample.rs"];
    // What a tool leaves behind begins with a dot.
    let hidden = path.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    hidden || names.iter().any(|name| path.ends_with(name)) || path.contains("/tests/")
}

/// A file of ours without its unit tests.
fn without_tests(text: &str) -> String {
    without_items(text, &["#[cfg(test)]", "#[cfg(all(test,"])
}

/// A file of ours without the items whose first attribute begins like one of `attributes`.
fn without_items(text: &str, attributes: &[&str]) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let attribute = line.trim_start();
        if !attributes.iter().any(|start| attribute.starts_with(start)) {
            kept.push(line);
            continue;
        }
        let outer = &line[..line.len() - attribute.len()];
        let mut item = lines.by_ref().skip_while(|line| line.trim_start().starts_with("#["));
        let first = item.next().unwrap_or_default();
        if !first.ends_with([';', '}']) {
            let last = format!("{outer}}}");
            item.find(|line| *line == last);
        }
        while kept.last().is_some_and(|line| is_above(line)) {
            kept.pop();
        }
    }
    kept.join("\n") + "\n"
}

/// Whether the line belongs to the item below it: it is empty, or documentation.
fn is_above(line: &str) -> bool {
    line.is_empty() || line.trim_start().starts_with("///")
}
