//! Checks of imports: a module may name only modules below it, and only `runtime` and `cli` may
//! name threads, clocks and locks from outside the crate.

use crate::source::{self, Source};
use crate::{assert_bites, assert_clean};

/// For each module of `src`, the modules that it may import. A module that is not listed fails the
/// check.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("checker", &[]),
    ("history", &["checker"]),
    ("runtime", &[]),
    ("tick", &["api"]),
    ("record", &["api", "runtime"]),
    ("persister", &["api", "runtime", "record"]),
    ("labrpc", &["api", "runtime", "record"]),
    ("raft", &["api", "runtime", "labrpc", "persister", "record"]),
    ("driver", &["api", "runtime", "labrpc", "persister", "record", "tick"]),
    ("kv", &["api", "runtime", "labrpc", "persister", "record"]),
    ("store", &["api", "runtime", "labrpc", "persister", "record", "tick", "driver", "kv"]),
    (
        "lab",
        &[
            "api",
            "checker",
            "history",
            "runtime",
            "tick",
            "record",
            "persister",
            "labrpc",
            "raft",
            "driver",
            "kv",
            "store",
        ],
    ),
    ("compare", &["api", "runtime", "persister", "labrpc", "lab"]),
    ("view", &["api", "record"]),
    ("cli", &["api", "checker", "history", "runtime", "record", "lab", "compare", "view"]),
];

/// The parts of `runtime` as stairs, the lowest step first. A part may import only parts of lower
/// steps.
///
/// The file `mod.rs` is the highest step, so no part may import what `mod.rs` itself defines.
const RUNTIME_STAIRS: &[&[&str]] = &[
    &["platform"],
    &["base"],
    &["sim", "real"],
    &["context"],
    &["channel", "future", "interpose", "local", "panic_hook", "rand", "sync"],
    &["audit", "stop", "thread", "time"],
];

/// Paths outside the crate that only `runtime` and `cli` may name.
const OUTSIDE: &[&str] = &[
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::sync::Condvar",
    "std::sync::mpsc",
    "parking_lot",
    "crossbeam_channel",
    "corosensei",
    "tokio",
    "futures",
    "async_std",
    "smol",
];

/// Further paths that a pure module may not name. A module is pure if it is a function of its
/// input: `tick` is.
const PURE: &[(&str, &[&str])] = &[(
    "tick",
    &[
        "std::env",
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::sync",
        "std::time",
        "std::thread_local",
        "rand",
        "rand_pcg",
        "tarpc",
    ],
)];

/// Exceptions from [`OUTSIDE`]: a module, and a path that it may name nevertheless.
///
/// Such a path is harmless: its futures have no clock and no thread of their own, and work under
/// `runtime::block_on`.
const ALLOWED_OUTSIDE: &[(&str, &str)] = &[("labrpc", "tokio::sync::oneshot")];

/// The module of `src` that a file belongs to; `None` for `lib.rs`.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let module = inside.split('/').next()?.trim_end_matches(".rs");
    (module != "lib").then_some(module)
}

/// The depth of a file's module below the root: 1 for `src/raft/mod.rs` and `src/raft.rs`, 2 for
/// `src/raft/log.rs`.
fn depth_of(path: &str) -> usize {
    path.split('/').count() - 1 - usize::from(path.ends_with("/mod.rs"))
}

/// Finds every path `a::b::c` of the code, with its line. A group `a::{b, c}` becomes the paths
/// `a::b` and `a::c`; `super` is not resolved.
fn paths(code: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut tokens = Vec::new();
    for (line, text) in code.iter().enumerate() {
        tokens.extend(tokenize(text).into_iter().map(|token| (line, token)));
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = is_name(&tokens[at].1) && next_is(&tokens, at + 1, "::");
        at = if starts { path(&tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Reads the path, or the member of a group, that begins at `at`; returns the place after it.
fn path(
    tokens: &[(usize, String)],
    mut at: usize,
    before: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let mut names = before.to_vec();
    let line = tokens[at].0;
    while at < tokens.len() {
        if tokens[at].1 == "{" {
            at += 1;
            while at < tokens.len() && tokens[at].1 != "}" {
                at = if tokens[at].1 == "," { at + 1 } else { path(tokens, at, &names, found) };
            }
            return at + 1;
        }
        names.push(tokens[at].1.clone());
        at += 1;
        if !next_is(tokens, at, "::") {
            break;
        }
        at += 1;
    }
    if next_is(tokens, at, "as") {
        at += 2;
    }
    found.push((line, names));
    at
}

fn next_is(tokens: &[(usize, String)], at: usize, text: &str) -> bool {
    tokens.get(at).is_some_and(|(_, token)| token == text)
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Splits code into names, `::` and single characters.
fn tokenize(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while let Some(next) = rest.chars().next() {
        let name = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let length = match name {
            0 if rest.starts_with("::") => 2,
            0 => next.len_utf8(),
            _ => name,
        };
        tokens.push(rest[..length].to_string());
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The path as seen from the root of the crate; `None` if it does not lead to the root.
fn from_root(path: &[String], depth: usize) -> Option<&[String]> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    match path[0].as_str() {
        "crate" => Some(&path[1..]),
        "super" if supers >= depth => Some(&path[supers..]),
        _ => None,
    }
}

/// Finds the imports of one file that the table does not allow.
fn check_direction(file: &Source) -> Vec<String> {
    let Some(module) = module_of(&file.path) else { return Vec::new() };
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
        return vec![file.problem(0, &format!("module {module} is not in the table of imports"))];
    };
    let depth = depth_of(&file.path);
    let mut problems = Vec::new();
    for (line, path) in paths(&file.code) {
        let Some(target) = from_root(&path, depth).and_then(|path| path.first()) else { continue };
        let ours = MAY_IMPORT.iter().any(|(name, _)| name == target);
        if ours && target != module && !allowed.contains(&target.as_str()) {
            problems.push(file.problem(line, &format!("{module} may not import {target}")));
        }
    }
    problems
}

/// The path, which a file of the module `module` contains, as seen from the root of the crate.
/// `None` if the path leaves the crate, or begins with a name that is in scope.
fn absolute(path: &[String], module: &[&str]) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    let (above, rest) = match path[0].as_str() {
        "crate" => (0, &path[1..]),
        "self" => (module.len(), &path[1..]),
        "super" => (module.len().checked_sub(supers)?, &path[supers..]),
        _ => return None,
    };
    Some(module[..above].iter().map(ToString::to_string).chain(rest.iter().cloned()).collect())
}

/// Finds the imports inside `runtime` that do not point to a lower step of its stairs.
fn check_stairs(file: &Source) -> Vec<String> {
    let Some(inside) = file.path.strip_prefix("src/runtime/") else { return Vec::new() };
    let inside = inside.trim_end_matches(".rs").trim_end_matches("/mod");
    let part = inside.split('/').next().unwrap_or_default();
    let step_of = |part: &str| RUNTIME_STAIRS.iter().position(|step| step.contains(&part));
    let Some(step) = step_of(part) else {
        let known = part == "mod";
        let problem = || file.problem(0, &format!("{part} is not in the stairs of runtime"));
        return if known { Vec::new() } else { vec![problem()] };
    };
    let module: Vec<&str> = std::iter::once("runtime").chain(inside.split('/')).collect();
    let visible_in_runtime = "pub(in crate::runtime)";
    let code: Vec<_> = file.code.iter().map(|line| line.replace(visible_in_runtime, "")).collect();
    let mut problems = Vec::new();
    for (line, path) in paths(&code) {
        // The tests of a file import the file itself.
        let Some(path) = absolute(&path, &module).filter(|_| path != ["super", "*"]) else {
            continue;
        };
        if path.first().is_none_or(|module| module != "runtime") {
            continue;
        }
        let target = path.get(1).map_or("mod.rs", String::as_str);
        if target != part && step_of(target).is_none_or(|other| other >= step) {
            problems.push(file.problem(line, &format!("{part} may not import {target}")));
        }
    }
    problems
}

/// Finds threads, clocks, locks and async runtimes of other crates, in modules other than `runtime`
/// and the command line.
fn check_outside(file: &Source) -> Vec<String> {
    // The command line has threads of its own. They start whole runs, and no server runs on them.
    let is_judged = |module: &&str| !["runtime", "cli"].contains(module);
    let Some(module) = module_of(&file.path).filter(is_judged) else { return Vec::new() };
    let mut problems = Vec::new();
    for (line, path) in paths(&file.code) {
        let full = path.join("::");
        let within = |prefix: &str| full == prefix || full.starts_with(&format!("{prefix}::"));
        let excused = ALLOWED_OUTSIDE.iter().any(|(m, prefix)| *m == module && within(prefix));
        if !excused && OUTSIDE.iter().any(|prefix| within(prefix)) {
            problems.push(file.problem(line, &format!("only runtime may name {full}")));
        }
    }
    problems
}

/// Finds the paths in a pure module that could give it more than its input.
fn check_purity(file: &Source) -> Vec<String> {
    let module = module_of(&file.path);
    let Some((name, foreign)) = PURE.iter().find(|(name, _)| module == Some(name)) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for (line, path) in paths(&file.code) {
        let full = path.join("::");
        let within = |prefix: &&str| full == **prefix || full.starts_with(&format!("{prefix}::"));
        if foreign.iter().any(within) {
            problems.push(file.problem(line, &format!("{name} is pure and may not name {full}")));
        }
    }
    problems
}

#[test]
fn imports_point_down_everywhere() {
    let problems: Vec<_> = source::rust_files("src").iter().flat_map(check_direction).collect();
    assert_clean("a module may name only modules below it", &problems);
}

#[test]
fn imports_inside_runtime_point_down_everywhere() {
    let problems: Vec<_> = source::rust_files("src").iter().flat_map(check_stairs).collect();
    assert_clean("a part of runtime may name only parts below it", &problems);
}

#[test]
fn only_runtime_names_the_outside_everywhere() {
    let problems: Vec<_> = source::rust_files("src").iter().flat_map(check_outside).collect();
    assert_clean("use the types of raftlab::runtime", &problems);
}

#[test]
fn the_tick_core_is_pure_everywhere() {
    let problems: Vec<_> = source::rust_files("src").iter().flat_map(check_purity).collect();
    assert_clean("pass it in from outside", &problems);
}

#[test]
fn a_clock_in_the_tick_core_is_found() {
    let text = "use std::collections::VecDeque;\nuse std::time::Duration;\nuse rand::Rng;\n\
                use std::{fmt, sync::Arc};";
    assert_bites(&check_purity(&Source::new("src/tick/raft.rs", text)), &[2, 3, 4]);
    assert_bites(&check_purity(&Source::new("src/raft/log.rs", text)), &[]);
}

#[test]
fn an_import_that_points_up_is_found() {
    let text =
        "use crate::api::Term;\nuse crate::{api::Index, lab::Cluster};\nfn f() { crate::kv::f() }";
    assert_bites(&check_direction(&Source::new("src/raft/log.rs", text)), &[2, 3]);
}

#[test]
fn an_import_over_super_is_found() {
    let deep = "use super::log::Log;\nuse super::lab;\nuse super::super::lab::Cluster;";
    assert_bites(&check_direction(&Source::new("src/raft/log.rs", deep)), &[3]);
    let flat = "use super::api;\nuse super::lab;";
    assert_bites(&check_direction(&Source::new("src/raft/mod.rs", flat)), &[2]);
}

#[test]
fn an_import_that_runs_up_the_stairs_of_runtime_is_found() {
    let up = "use super::Sim;\nuse super::super::context;\nuse crate::runtime::base::here::Here;\n\
              use crate::runtime::{panics, time::Instant};\nuse crate::runtime::FailureKind;";
    assert_bites(&check_stairs(&Source::new("src/runtime/sim/run.rs", up)), &[2, 4, 4, 5]);
    let sideways = "use super::platform;\nuse super::sim;\npub(in crate::runtime) fn f() {}";
    assert_bites(&check_stairs(&Source::new("src/runtime/real/mod.rs", sideways)), &[2]);
    let circle = "use super::context;\nuse super::time;\nfn f() { super::in_run() }";
    assert_bites(&check_stairs(&Source::new("src/runtime/future.rs", circle)), &[2, 3]);
    assert_bites(&check_stairs(&Source::new("src/runtime/mod.rs", "use base::here;")), &[]);
    assert_bites(&check_stairs(&Source::new("src/runtime/helpers.rs", "")), &[1]);
}

#[test]
fn a_module_outside_the_table_is_found() {
    assert_bites(&check_direction(&Source::new("src/util.rs", "")), &[1]);
}

#[test]
fn comments_and_own_parts_may_be_named() {
    let text = "// see crate::lab::run\nuse crate::raft::log::Log;\nlet a = \"crate::lab\";";
    assert_bites(&check_direction(&Source::new("src/raft/state.rs", text)), &[]);
}

#[test]
fn a_foreign_thread_clock_or_lock_is_found() {
    let text = "use std::{sync::Arc, thread};\nuse std::time::{Duration, Instant};\n\
                let a = parking_lot::Mutex::new(1);\nuse tokio::sync::oneshot;\nuse std::thread as t;";
    assert_bites(&check_outside(&Source::new("src/raft/mod.rs", text)), &[1, 2, 3, 4, 5]);
    assert_bites(&check_outside(&Source::new("src/labrpc/end.rs", text)), &[1, 2, 3, 5]);
    assert_bites(&check_outside(&Source::new("src/runtime/thread.rs", text)), &[]);
}
