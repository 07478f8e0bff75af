//! Tests of the project's files as a whole, above all: they have no code of a solution.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files::Track;
use super::{NewArgs, files, new, skeleton};
use crate::cli::exit::Trouble;

/// Minimum length of a line of code that gives something away.
const LENGTH_MIN: usize = 30;

/// Lines of our servers that the harness has, too, by file; each with the reason.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    (
        "lab/puppet/follower.rs",
        &[
            "self.voted_for = Some(args.candidate_id);",
            "if index == self.last_included.index {",
            "return Some(self.last_included.term);",
        ],
        "a scripted peer must answer as the figures say: the suite has the receivers once more",
    ),
    (
        "lab/puppet/stage.rs",
        &[
            "let args = AppendEntriesArgs {",
            "let args = InstallSnapshotArgs {",
            "last_included_index: last_included.index,",
            "last_included_term: last_included.term,",
            "Position { term: Term(term), index: Index(index) }",
        ],
        "a scripted leader makes these messages and positions from what the test says",
    ),
    (
        "persister/store.rs",
        &[
            "if index == self.last_included.index {",
            "return Some(self.last_included.term);",
            "self.last_included = last_included;",
        ],
        "storage knows where its snapshot ends",
    ),
    (
        "lab/cluster/applier.rs",
        &["if let Some(consensus) = self.consensus.upgrade() {", "consensus: Weak<dyn Consensus>,"],
        "the suite's own service must not keep a server alive",
    ),
    (
        "lab/observe/state_machine_safety.rs",
        &["ApplyMsg::Command { index, term, command } => {"],
        "the message's fields are its interface",
    ),
    (
        "lab/observe/shadow.rs",
        &["let Some(first) = entries.first() else { return };"],
        "nothing but the standard library",
    ),
    (
        "record/state.rs",
        &["if self.role != Role::Leader {"],
        "the record shows the roles of servers",
    ),
    (
        "runtime/stop.rs",
        &["Poll::Ready(output) => Poll::Ready(Some(output)),"],
        "a future that ends early, of any kind",
    ),
];

/// The lines of `text` that may give something away: code, but no imports, no signatures and no
/// declarations of types and fields.
fn telling(text: &str) -> impl Iterator<Item = &str> {
    const HARMLESS: [&str; 8] = ["//", "#[", "use ", "pub ", "pub(", "impl", "struct ", ") -> "];
    let lines = text.lines().map(str::trim).filter(|line| line.len() >= LENGTH_MIN);
    lines.filter(|line| {
        let declares = HARMLESS.iter().any(|start| line.starts_with(start));
        let signature = line.contains("fn ") && line.ends_with(['{', '(', ';']);
        let names = line.chars().all(|c| c.is_alphanumeric() || "_, {}:".contains(c));
        let list = names && line.ends_with(',') && !line.contains(": ");
        !declares && !signature && !list
    })
}

/// Every telling line that a project of this track must not have, with its file: those of all our
/// servers and services. Heads of marked functions do not count. Of the core that a student writes,
/// only the bodies of the marked functions count; the driver is given with it.
fn solutions(track: Track) -> BTreeMap<&'static str, &'static str> {
    let ours = files::of_source().into_iter();
    let ours = ours.filter(|(path, _)| files::SOLUTIONS.iter().any(|s| path.starts_with(s)));
    let ours = ours.filter(|(path, _)| !path.contains("/tests") && !path.ends_with("testing.rs"));
    let mut lines = BTreeMap::new();
    let mut given = BTreeSet::new();
    for (path, text) in ours {
        let marked = skeleton::marked(text);
        let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        let own =
            track == Track::Tick && (path.starts_with("tick/") || path.starts_with("driver/"));
        if own {
            let bodies = marked.iter().flat_map(|function| &function.body).copied();
            let bodies: Vec<&str> = bodies.map(str::trim).collect();
            let all = telling(&text[..tests]);
            let (secret, open): (Vec<&str>, Vec<&str>) =
                all.partition(|line| bodies.contains(line));
            lines.extend(secret.into_iter().map(|line| (line, path)));
            given.extend(open);
        } else {
            let heads: BTreeSet<&str> =
                marked.iter().flat_map(|it| &it.head).map(|line| line.trim()).collect();
            let all = telling(&text[..tests]).filter(|line| !heads.contains(line));
            lines.extend(all.map(|line| (line, path)));
        }
    }
    lines.retain(|line, _| !given.contains(line));
    lines
}

#[test]
fn no_line_of_a_solution_is_in_the_project() {
    let mut found = Vec::new();
    // The driver is no secret in the project of the tick track.
    for (track, least) in [(Track::Raft, 1500), (Track::Tick, 1200)] {
        let solutions = solutions(track);
        assert!(solutions.len() > least, "only {} lines of ours", solutions.len());
        for (path, text) in files::of_project(track) {
            for line in text.lines().map(str::trim) {
                let Some(ours) = solutions.get(line) else { continue };
                let inside = path.trim_start_matches("harness/src/");
                let allowed = ALLOWED.iter().find(|(file, ..)| *file == inside);
                if !allowed.is_some_and(|(_, lines, _)| lines.contains(&line)) {
                    found.push(format!("{track:?}: {path} has of src/{ours}: {line}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_line_of_a_body_would_be_found() {
    for (track, lines) in [
        (
            Track::Raft,
            [
                "free && args.last_log() >= self.log.last()",
                "let taken = self.server.step(|state, effects| state.start(command, effects));",
            ],
        ),
        (
            Track::Tick,
            [
                "let free = self.vote.is_none_or(|node| node == from);",
                "let index = self.prs.majority_has(|node| node.matched);",
            ],
        ),
    ] {
        let solutions = solutions(track);
        for line in lines {
            assert!(solutions.contains_key(line), "{track:?}: {line}");
        }
    }
}

#[test]
fn every_marked_function_is_in_its_project_once() {
    for track in [Track::Raft, Track::Tick] {
        let project = files::of_project(track);
        let ours = project.iter().filter(|(path, _)| path.starts_with("src/"));
        let text: String = ours.map(|(_, text)| text.as_str()).collect();
        let mut count = 0;
        for (path, function) in all_marked() {
            let of_track = path.starts_with("tick/") == (track == Track::Tick);
            if !of_track || function.is_left_out() {
                continue;
            }
            let body = format!("todo!(\"{}\")", function.task);
            assert_eq!(text.matches(&body).count(), 1, "{} of src/{path}: {body}", function.name);
            count += 1;
        }
        assert_eq!(text.matches("todo!(").count(), count, "a task that is not from our source");
    }
}

#[test]
fn a_function_that_is_left_out_is_in_no_project() {
    let project = files::of_project(Track::Tick);
    let left_out = all_marked().filter(|(_, function)| function.is_left_out());
    let mut count = 0;
    for (path, function) in left_out {
        let text = &project[&format!("src/{path}")];
        assert!(
            !text.contains(&format!("fn {}(", function.name)),
            "{} of src/{path}",
            function.name
        );
        count += 1;
    }
    assert!(count > 10, "only {count}");
}

/// Every marked function of our source, with its file.
fn all_marked() -> impl Iterator<Item = (&'static str, skeleton::Marked<'static>)> {
    let ours = files::of_source().into_iter().filter(|(path, _)| !path.starts_with("cli/handout/"));
    ours.flat_map(|(path, source)| {
        skeleton::marked(source).into_iter().map(move |function| (path, function))
    })
}

#[test]
fn every_task_begins_with_its_part() {
    for (path, function) in all_marked().filter(|(_, function)| !function.is_left_out()) {
        let part = function.task.split(':').next().unwrap_or_default();
        assert!(part.parse::<crate::lab::Part>().is_ok(), "{path}: {}", function.task);
        assert!(!function.task.contains(['"', '{', '\\']), "{path}: {}", function.task);
    }
}

#[test]
fn a_folder_with_something_in_it_is_refused_and_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("mine");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("notes.txt"), "mine").unwrap();
    let refused = new(&NewArgs { folder: folder.clone(), track: Track::default() });
    assert!(matches!(refused, Err(Trouble::Input(_))), "{refused:?}");
    let names = |path: &Path| std::fs::read_dir(path).unwrap().count();
    assert_eq!((names(home.path()), names(&folder)), (1, 1), "nothing was written");
}

#[test]
fn a_project_is_written_whole_into_an_empty_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("mine");
    std::fs::create_dir(&folder).unwrap();
    assert!(new(&NewArgs { folder: folder.clone(), track: Track::default() }).is_ok());
    for (path, text) in files::of_project(Track::Raft) {
        assert_eq!(std::fs::read_to_string(folder.join(&path)).unwrap(), text, "{path}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn the_harness_has_no_test_of_ours_and_no_file_of_a_solution() {
    for (path, text) in both_projects() {
        let Some(inside) = path.strip_prefix("harness/src/") else { continue };
        let ours = files::SOLUTIONS.iter().any(|start| inside.starts_with(start));
        assert!(!ours, "{path}");
        assert!(!text.contains("#[test]"), "{path} has unit tests");
    }
}

#[test]
fn no_planted_bug_is_in_the_project() {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zoo");
    let mut words = Vec::new();
    for folder in [zoo.clone(), zoo.join("tick"), zoo.join("store")] {
        for patch in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if patch.extension().is_some_and(|ext| ext == "patch") {
                let text = std::fs::read_to_string(&patch).unwrap();
                let bug = text.lines().find_map(|line| line.strip_prefix("bug: ")).unwrap();
                // Short ones say nothing that a student may not read.
                words.extend((bug.len() >= LENGTH_MIN).then(|| bug.to_string()));
                words.push(patch.file_name().unwrap().display().to_string());
            }
        }
    }
    assert!(words.len() > 300, "only {} words", words.len());
    for (path, text) in both_projects() {
        assert!(!path.contains("zoo"), "{path}");
        for words in &words {
            assert!(!text.contains(words.as_str()), "{path} has a planted bug: {words}");
        }
    }
}

/// Every file of both projects.
fn both_projects() -> impl Iterator<Item = (String, String)> {
    [Track::Raft, Track::Tick].into_iter().flat_map(files::of_project)
}
