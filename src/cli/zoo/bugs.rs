//! The bugs: which there are, and which of them to run.

use std::fs;
use std::path::{Path, PathBuf};

use super::header::Header;
use crate::cli::exit::Trouble;

/// The name of a server without a bug.
pub(super) const HEALTHY: &str = "healthy";

/// What a bug is planted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A server, `src/raft`.
    Raft,
    /// A service, `src/kv`.
    Kv,
    /// The tick core, `src/tick`, which its unit tests judge.
    Core,
    /// A server with a database: `src/store`, or what lies below it.
    Store,
}

impl Kind {
    /// Every kind, in the order in which they are shown.
    pub(super) const ALL: [Kind; 4] = [Kind::Raft, Kind::Kv, Kind::Core, Kind::Store];

    /// The kind's name in figures and messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Raft => "raft",
            Kind::Kv => "kv",
            Kind::Core => "tick",
            Kind::Store => "store",
        }
    }

    /// The parts of the suite that run on a bug whose header names none.
    pub(super) const fn parts(self) -> &'static [&'static str] {
        match self {
            Kind::Raft => &["2A", "2B", "2C", "2D"],
            Kind::Kv => &["3A", "3B"],
            Kind::Core => &[],
            Kind::Store => &["store"],
        }
    }
}

/// A variant of our code: with a bug, or without one.
#[derive(Debug, Clone)]
pub(super) struct Bug {
    /// What it is planted in.
    pub kind: Kind,
    /// The patch; `None` for a healthy variant.
    pub patch: Option<PathBuf>,
    /// The patch's header, or one for a healthy variant.
    pub header: Header,
}

impl Bug {
    /// The variant without a bug.
    fn healthy(kind: Kind) -> Bug {
        let id = format!("{HEALTHY}-{}", kind.name());
        let header = Header {
            id,
            bug: "none".to_string(),
            catalogue: String::new(),
            caught_by: Vec::new(),
            schedule: "random".to_string(),
            unseen: Some("it has no bug".to_string()),
            parts: Vec::new(),
            seeds: None,
        };
        Bug { kind, patch: None, header }
    }

    /// The name of the patch, without `.patch`.
    pub(super) fn name(&self) -> &str {
        &self.header.id
    }

    /// Whether nothing may fail on it.
    pub(super) const fn is_healthy(&self) -> bool {
        self.patch.is_none()
    }

    /// Whether something has to fail on it.
    pub(super) const fn must_be_caught(&self) -> bool {
        self.header.unseen.is_none()
    }

    /// Whether the test called `name`, of the part `part`, runs on it.
    pub(super) fn is_judged_by(&self, part: &str) -> bool {
        match self.header.parts.as_slice() {
            // A server without a bug must pass what any bug may be judged by.
            [] if self.is_healthy() && self.kind == Kind::Raft => part != "store",
            [] => self.kind.parts().contains(&part),
            parts => parts.iter().any(|it| it == part),
        }
    }
}

/// The bugs called `names`, or all of them without names, after a healthy variant of each kind.
pub(super) fn chosen(tree: &Path, names: &[String]) -> Result<Vec<Bug>, Trouble> {
    let all = all(tree)?;
    for name in names {
        if name != HEALTHY && !all.iter().any(|bug| bug.name() == name) {
            let similar = all.iter().filter(|bug| bug.name().contains(name.as_str()));
            let similar: Vec<_> = similar.take(3).map(Bug::name).collect();
            let advice = match similar.as_slice() {
                [] => "--list shows all".to_string(),
                names => format!("is it {}?", names.join(" or ")),
            };
            return Err(Trouble::Input(format!("no bug is called {name:?}; {advice}")));
        }
    }
    let is_wanted = |bug: &Bug| names.is_empty() || names.iter().any(|name| bug.name() == name);
    let mut wanted: Vec<Bug> = all.iter().filter(|bug| is_wanted(bug)).cloned().collect();
    let all_healthy = names.iter().any(|name| name == HEALTHY);
    for kind in Kind::ALL {
        let of_kind = |bug: &Bug| bug.kind == kind;
        if wanted.iter().any(of_kind) || all_healthy && all.iter().any(of_kind) {
            wanted.push(Bug::healthy(kind));
        }
    }
    wanted.sort_by_key(|bug| (bug.kind, !bug.is_healthy()));
    Ok(wanted)
}

/// All bugs of the checkout `tree`, in the order of their kinds and names.
fn all(tree: &Path) -> Result<Vec<Bug>, Trouble> {
    let zoo = tree.join("tests/zoo");
    let (tick, store) = (zoo.join("tick"), zoo.join("store"));
    let folders = [(zoo, None), (tick, Some(Kind::Core)), (store, Some(Kind::Store))];
    let mut bugs = Vec::new();
    for (folder, kind) in folders {
        for patch in patches(&folder)? {
            bugs.push(read(patch, kind).map_err(Trouble::Input)?);
        }
    }
    bugs.sort_by(|one, other| (one.kind, one.name()).cmp(&(other.kind, other.name())));
    Ok(bugs)
}

/// The patches in `folder`.
fn patches(folder: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let files = fs::read_dir(folder).map_err(|error| {
        let advice = "call zoo in a checkout of raftlab's repository, or name one with --tree";
        Trouble::Input(format!("cannot read {}: {error}; {advice}", folder.display()))
    })?;
    let files = files.filter_map(Result::ok).map(|file| file.path());
    Ok(files.filter(|file| file.extension().is_some_and(|ext| ext == "patch")).collect())
}

/// The bug in the file `patch`; without a kind it depends on the changed files.
fn read(patch: PathBuf, kind: Option<Kind>) -> Result<Bug, String> {
    let header = match kind {
        Some(Kind::Core) => Header::read_core(&patch)?,
        _ => Header::read(&patch)?,
    };
    let text = fs::read_to_string(&patch).map_err(|it| format!("{}: {it}", patch.display()))?;
    let in_service = text.lines().any(|line| line.starts_with("+++ b/src/kv/"));
    let kind = kind.unwrap_or(if in_service { Kind::Kv } else { Kind::Raft });
    Ok(Bug { kind, patch: Some(patch), header })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A bug without a file.
    pub(in crate::cli::zoo) fn bug(kind: Kind, name: &str, healthy: bool) -> Bug {
        let mut bug = Bug::healthy(kind);
        bug.header.id = name.to_string();
        if !healthy {
            bug.patch = Some(PathBuf::from("x.patch"));
            bug.header.unseen = None;
        }
        bug
    }

    fn tree() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn names(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let chosen = chosen(tree(), &names).unwrap_or_else(|it| panic!("{it}"));
        chosen.iter().map(|bug| bug.name().to_string()).collect()
    }

    #[test]
    fn a_healthy_server_comes_before_the_bugs_of_its_kind() {
        let found = names(&["two-votes", "k22-slow-reader", "e13-vote-not-freed"]);
        let expected = [
            "healthy-raft",
            "e13-vote-not-freed",
            "healthy-kv",
            "k22-slow-reader",
            "healthy-tick",
            "two-votes",
        ];
        assert_eq!(found, expected);
        assert!(names(&["healthy"]).len() >= 3);
        assert!(names(&[]).len() > 170, "without names all of them");
    }

    #[test]
    fn an_unknown_bug_is_an_error_with_similar_names() {
        let Err(trouble) = chosen(tree(), &["vote-given-tw".to_string()]) else { panic!("found") };
        let words = trouble.to_string();
        assert!(words.contains("is it e15-vote-given-twice?"), "{words}");
        let Err(trouble) = chosen(Path::new("/nowhere"), &[]) else { panic!("found") };
        assert!(trouble.to_string().contains("--tree"), "{trouble}");
    }

    #[test]
    fn the_parts_of_a_bug_follow_from_its_kind_unless_its_patch_names_them() {
        let parts = |bug: &Bug| {
            let all = ["2A", "2D", "3A", "3B", "store"];
            all.into_iter().filter(|part| bug.is_judged_by(part)).collect::<Vec<_>>()
        };
        assert_eq!(parts(&bug(Kind::Raft, "x", false)), ["2A", "2D"]);
        assert_eq!(parts(&bug(Kind::Kv, "x", false)), ["3A", "3B"]);
        assert_eq!(parts(&bug(Kind::Raft, "x", true)), ["2A", "2D", "3A", "3B"]);
        let read = chosen(tree(), &["x-read-unconfirmed".to_string()]).unwrap_or_default();
        assert_eq!(parts(&read[1]), ["2A", "2D", "3A", "3B"], "its patch names the parts");
    }
}
