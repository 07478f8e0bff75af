//! Takes the files of the student's own folders out of a submission, and nothing else.
//!
//! A submission is a folder, an archive, or the URL of a git repository on this machine. Archives
//! and repositories are unpacked by the system's own programs, within limits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::fault::Fault;
use super::sandbox;
use crate::cli::handout::files::{self, Track};

/// Maximum size of all files together, in bytes. The reference has a tenth of it.
const SIZE_MAX: u64 = 1 << 20;

/// Maximum number of files.
const FILES_MAX: usize = 200;

/// Folders that no student writes.
const MADE: [&str; 2] = [".git", "target"];

/// A student's files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Submission {
    /// The files, by their paths in the project.
    pub(super) files: BTreeMap<String, String>,
    /// Files that are changed or new, and are not used.
    pub(super) ignored: Vec<String>,
}

/// The name by which the class's table has a submission.
pub(super) fn name_of(place: &str) -> String {
    let last = place.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let ends = [".tar.gz", ".tgz", ".tar", ".zip", ".git"];
    let stem = ends.iter().find_map(|end| last.strip_suffix(end)).unwrap_or(last);
    let plain = |letter: char| letter.is_alphanumeric() || "-_.@".contains(letter);
    let name: String =
        stem.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    name.trim_start_matches('.').to_string()
}

/// Takes the files of the submission at `place`; unpacks it in `scratch`, an empty folder. The
/// error is for the student: what is wrong, and what to hand in.
pub(super) fn take(place: &str, track: Track, scratch: &Path) -> Result<Submission, Fault> {
    let folder = unpacked(place, scratch)?;
    let lacks = |what: &str| format!("there is no {what} in it; hand in the project's folder");
    let first = track.own()[0];
    let root = root_of(&folder, first).ok_or_else(|| lacks(first))?;
    let mut files = BTreeMap::new();
    for own in track.own() {
        collect(&root.join(own), own, &mut files)?;
    }
    let module = format!("{first}/mod.rs");
    if !files.contains_key(&module) {
        return Err(lacks(&module).into());
    }
    let ignored = ignored(&root, track);
    Ok(Submission { files, ignored })
}

/// The folder that the submission is, or that it was unpacked to.
fn unpacked(place: &str, scratch: &Path) -> Result<PathBuf, Fault> {
    let path = Path::new(place);
    if path.is_dir() && !is_bare(path) {
        return Ok(path.to_path_buf());
    }
    let words: &[&str] = if place.starts_with("file://") || is_bare(path) {
        &["git", "clone", "--quiet", "--depth", "1", "--no-hardlinks", "--", place]
    } else if !path.is_file() {
        return Err(format!("{place}: there is no such folder, archive or repository").into());
    } else if place.ends_with(".zip") {
        &["unzip", "-q", "-o", place, "-d"]
    } else {
        &["tar", "--no-same-owner", "--no-same-permissions", "-xf", place, "-C"]
    };
    let (program, words) = words.split_first().expect("there is a program");
    let output = sandbox::unpacker(program)
        .args(words)
        .arg(scratch)
        .env_clear()
        .envs(sandbox::plain_environment())
        .env("GIT_ALLOW_PROTOCOL", "file")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.hooksPath")
        .env("GIT_CONFIG_VALUE_0", "/dev/null")
        .stdin(Stdio::null())
        .output();
    let missing = |why: &str| Fault::Machine(format!("{place}: {program}: {why}; install it"));
    let output = output.map_err(|error| missing(&error.to_string()))?;
    if output.status.success() {
        return Ok(scratch.to_path_buf());
    }
    if output.status.code() == Some(127) {
        return Err(missing("there is no such program"));
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_string();
    Err(Fault::Student(format!("{place}: {program} cannot unpack it: {words}")))
}

fn is_bare(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir()
}

/// The folder that has `first`: `folder`, or the only folder in it.
fn root_of(folder: &Path, first: &str) -> Option<PathBuf> {
    let is_root = |folder: &PathBuf| folder.join(first).is_dir();
    let inner = || fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find(is_root);
    Some(folder.to_path_buf()).filter(is_root).or_else(inner)
}

/// Adds the files below `folder`, whose path in the project is `name`.
fn collect(folder: &Path, name: &str, files: &mut BTreeMap<String, String>) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("{name}: {error}");
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(cannot)?;
        let inner = format!("{name}/{}", entry.file_name().display());
        let kind = entry.file_type().map_err(cannot)?;
        if kind.is_dir() {
            collect(&entry.path(), &inner, files)?;
        } else if !kind.is_file() {
            return Err(format!("{inner} is no file; a link may lead anywhere: hand in the file"));
        } else if inner.ends_with(".rs") {
            let size = entry.metadata().map_err(cannot)?.len();
            let sum: u64 = files.values().map(|text| text.len() as u64).sum::<u64>() + size;
            if sum > SIZE_MAX || files.len() >= FILES_MAX {
                return Err(format!(
                    "with {inner} there are more than {FILES_MAX} files or {SIZE_MAX} bytes"
                ));
            }
            let text =
                fs::read_to_string(entry.path()).map_err(|error| format!("{inner}: {error}"))?;
            files.insert(inner, text);
        }
    }
    Ok(())
}

/// What of the submission is changed or new, and is not used.
fn ignored(root: &Path, track: Track) -> Vec<String> {
    let pristine = files::of_project(track);
    let mut found = Vec::new();
    let mut folders = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, name)) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let inner = format!("{name}{}", entry.file_name().display());
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let own = track.own().contains(&inner.as_str()) || inner == "Cargo.lock";
            if own || MADE.contains(&inner.as_str()) {
                continue;
            } else if is_dir {
                folders.push((entry.path(), format!("{inner}/")));
            } else {
                let text = fs::read(entry.path()).unwrap_or_default();
                if pristine.get(&inner).is_none_or(|file| file.as_bytes() != text) {
                    found.push(inner);
                }
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_name_is_the_last_word_without_its_ending() {
        for (place, name) in [
            ("in/ann.tar.gz", "ann"),
            ("in/bob/", "bob"),
            ("file:///srv/git/c d.git", "c_d"),
            ("../..", ""),
            ("x/.hidden.zip", "hidden"),
        ] {
            assert_eq!(name_of(place), name, "{place}");
        }
    }

    /// A submission in a folder, with `files`; and the scratch folder.
    fn made(files: &[(&str, &str)]) -> (tempfile::TempDir, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (folder, tempfile::tempdir().unwrap())
    }

    #[test]
    fn only_the_students_folders_count() {
        let (folder, scratch) = made(&[
            ("project/src/raft/mod.rs", "mod log;"),
            ("project/src/raft/deep/log.rs", "//"),
            ("project/src/raft/data.bin", "x"),
            ("project/build.rs", "fn main() {}"),
            ("project/harness/src/lib.rs", "// changed"),
        ]);
        let place = folder.path().to_str().unwrap();
        let taken = take(place, Track::Raft, scratch.path()).unwrap();
        let paths: Vec<_> = taken.files.keys().collect();
        assert_eq!(paths, ["src/raft/deep/log.rs", "src/raft/mod.rs"]);
        assert_eq!(taken.ignored, ["build.rs", "harness/src/lib.rs"]);
    }

    #[test]
    fn of_the_tick_track_only_the_core_counts() {
        let (folder, scratch) = made(&[
            ("src/tick/mod.rs", "mod log;"),
            ("src/tick/log.rs", "//"),
            ("src/driver/mod.rs", "// changed"),
            ("src/raft/mod.rs", "//"),
        ]);
        let place = folder.path().to_str().unwrap();
        let taken = take(place, Track::Tick, scratch.path()).unwrap();
        assert_eq!(taken.files.keys().collect::<Vec<_>>(), ["src/tick/log.rs", "src/tick/mod.rs"]);
        assert_eq!(taken.ignored, ["src/driver/mod.rs", "src/raft/mod.rs"]);
    }

    #[test]
    fn an_archive_is_unpacked() {
        let (folder, scratch) = made(&[("src/raft/mod.rs", "//")]);
        let archive = scratch.path().join("ann.tar.gz");
        let mut pack = Command::new("tar");
        pack.arg("-czf").arg(&archive).arg("-C").arg(folder.path()).arg("src");
        assert!(pack.status().unwrap().success());
        let inside = scratch.path().join("in");
        fs::create_dir(&inside).unwrap();
        assert_eq!(take(archive.to_str().unwrap(), Track::Raft, &inside).unwrap().files.len(), 1);
    }

    #[test]
    fn a_link_is_refused() {
        let (folder, scratch) = made(&[("src/raft/mod.rs", "//")]);
        let mut link = Command::new("ln");
        link.args(["-s", "/etc/passwd"]).arg(folder.path().join("src/raft/a.rs"));
        assert!(link.status().unwrap().success());
        let error = take(folder.path().to_str().unwrap(), Track::Raft, scratch.path())
            .unwrap_err()
            .message();
        assert!(error.contains("src/raft/a.rs is no file"), "{error}");
    }

    #[test]
    fn what_is_no_submission_says_what_to_hand_in() {
        let (folder, scratch) = made(&[("readme", "")]);
        let place = folder.path().to_str().unwrap();
        assert!(
            take(place, Track::Raft, scratch.path()).unwrap_err().message().contains("no src/raft")
        );
        assert!(
            take("nowhere", Track::Raft, scratch.path())
                .unwrap_err()
                .message()
                .contains("no such folder")
        );
        let file = folder.path().join("readme");
        let error =
            take(file.to_str().unwrap(), Track::Raft, scratch.path()).unwrap_err().message();
        assert!(error.contains("tar cannot unpack it"), "{error}");
    }
}
