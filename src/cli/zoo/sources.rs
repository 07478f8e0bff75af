//! The sources of the variants: copies of ours, each with one patch.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::bugs::{Bug, Kind};
use crate::cli::exit::Trouble;

/// Files by their path in the folder that has them.
pub(super) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The folders of `src` that a variant of this kind changes, and so has a copy of.
const fn copied(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Raft => &["src/raft"],
        Kind::Kv => &["src/kv"],
        Kind::Core => &["src/tick"],
        Kind::Store => &["src"],
    }
}

/// All files below `folder` of `tree`, by their path in `tree`.
pub(super) fn below(tree: &Path, folder: &str) -> io::Result<Files> {
    let mut files = Files::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(tree.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            match entry.file_type()?.is_dir() {
                true => folders.push(path),
                false => drop(files.insert(path, fs::read(entry.path())?)),
            }
        }
    }
    Ok(files)
}

/// The sources of a variant: the copied folders with its patch.
///
/// # Errors
/// The patch does not apply.
pub(super) fn of(tree: &Path, bug: &Bug) -> Result<Files, Trouble> {
    let mut files = Files::new();
    for folder in copied(bug.kind) {
        files.extend(below(tree, folder).map_err(|error| failed(&tree.join(folder), &error))?);
    }
    match &bug.patch {
        Some(patch) => patched(files, patch),
        None => Ok(files),
    }
}

/// `files` with `patch`.
fn patched(mut files: Files, patch: &Path) -> Result<Files, Trouble> {
    let changed = changed_by(patch)?;
    // Outside of any repository: inside one, git applies patches to its own tree.
    let scratch = tempfile::tempdir().map_err(|error| failed(&std::env::temp_dir(), &error))?;
    let place = scratch.path();
    for path in &changed {
        let Some(text) = files.get(path) else { return Err(refused(patch, "its file is gone")) };
        write(&place.join(path), text)?;
    }
    let patch = fs::canonicalize(patch).map_err(|error| failed(patch, &error))?;
    let output = Command::new("git")
        .args([OsStr::new("apply"), patch.as_os_str()])
        .current_dir(place)
        .env("GIT_CEILING_DIRECTORIES", place)
        .env_remove("GIT_DIR")
        .output()
        .map_err(|error| {
            Trouble::Machine(format!("cannot start git, which plants bugs: {error}"))
        })?;
    if !output.status.success() {
        return Err(refused(&patch, String::from_utf8_lossy(&output.stderr).trim()));
    }
    for path in changed {
        let text = fs::read(place.join(&path)).map_err(|error| failed(&path, &error))?;
        files.insert(path, text);
    }
    Ok(files)
}

/// The files that `patch` changes.
fn changed_by(patch: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let text = fs::read_to_string(patch).map_err(|error| failed(patch, &error))?;
    Ok(text.lines().filter_map(|line| line.strip_prefix("+++ b/")).map(PathBuf::from).collect())
}

fn refused(patch: &Path, why: &str) -> Trouble {
    let name = patch.display();
    Trouble::Input(format!("{name} no longer applies; make it again from our source: {why}"))
}

/// What cannot be read or written, and why.
pub(super) fn failed(path: &Path, error: &io::Error) -> Trouble {
    Trouble::Machine(format!("{}: {error}", path.display()))
}

/// Writes a file, unless it has that text already: cargo builds again what has a new time.
pub(super) fn write(path: &Path, text: &[u8]) -> Result<(), Trouble> {
    if fs::read(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let parent = path.parent().expect("it is in a folder");
    let written = fs::create_dir_all(parent).and_then(|()| fs::write(path, text));
    written.map_err(|error| failed(path, &error))
}

/// Makes `folder` of `place` have these files and no others.
pub(super) fn sync(place: &Path, folder: &str, files: &Files) -> Result<(), Trouble> {
    for (path, text) in files {
        write(&place.join(path), text)?;
    }
    for path in below(place, folder).map_err(|error| failed(place, &error))?.into_keys() {
        if !files.contains_key(&path) {
            let path = place.join(path);
            fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
        }
    }
    Ok(())
}

/// A number that differs if any file does.
pub(super) fn hash<'a>(files: impl IntoIterator<Item = (&'a PathBuf, &'a Vec<u8>)>) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.into_iter().for_each(|file| file.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::bugs;
    use super::*;

    #[test]
    fn a_variant_is_our_source_with_one_patch() {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bugs = bugs::chosen(tree, &["e15-vote-given-twice".to_string()]).unwrap_or_default();
        let [healthy, bug] = &bugs[..] else { panic!("{} variants", bugs.len()) };
        let [healthy, bug] = [healthy, bug].map(|it| of(tree, it).unwrap_or_default());
        assert!(healthy.contains_key(Path::new("src/raft/mod.rs")), "all files are there");
        let differing = healthy.iter().filter(|(path, text)| bug.get(*path) != Some(text));
        assert_eq!(differing.count(), 1);
        assert_ne!(hash(&healthy), hash(&bug));
    }

    #[test]
    fn a_patch_whose_lines_are_gone_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let patch = folder.path().join("x.patch");
        let hunk = "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1 +1 @@\n-not there\n+nor this\n";
        fs::write(&patch, format!("diff --git a/src/a.rs b/src/a.rs\n{hunk}")).unwrap();
        let files = Files::from([("src/a.rs".into(), b"fn a() {}\n".to_vec())]);
        for files in [files, Files::new()] {
            let Err(trouble) = patched(files, &patch) else { panic!("it applies") };
            assert!(trouble.to_string().contains("x.patch no longer applies"), "{trouble}");
        }
    }

    #[test]
    fn a_file_that_has_its_text_keeps_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let time = |name: &str| fs::metadata(folder.path().join(name)).unwrap().modified().unwrap();
        let old = Files::from([("a.rs".into(), b"a".to_vec()), ("b/c.rs".into(), b"c".to_vec())]);
        sync(folder.path(), "", &old).unwrap();
        let before = time("a.rs");
        let new = Files::from([("a.rs".into(), b"a".to_vec()), ("d.rs".into(), b"d".to_vec())]);
        sync(folder.path(), "", &new).unwrap();
        assert_eq!(time("a.rs"), before);
        assert_eq!(below(folder.path(), "").unwrap(), new, "and what is not named is gone");
    }
}
