//! The programs of bugs below part `store`: each a copy of our whole library with one patch.
//!
//! The lab itself makes these servers, so a copy of `src/store` alone would not be used. The copies
//! follow each other in one folder: cargo builds again what a patch changes, and the programs are
//! kept under the number of their sources.

use std::fs;
use std::path::{Path, PathBuf};

use super::bugs::Bug;
use super::programs;
use super::sources::{self, Files, failed, hash, sync, write};
use crate::cli::exit::Trouble;

/// The name of the program.
const PROGRAM: &str = "raftlab-zoo-store";

/// The design that part `store` runs on.
pub(super) const DESIGN: &str = "tick";

/// What the library includes besides its own source.
const INCLUDED: [&str; 6] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "docs/hints.md",
    "docs/tests.md",
    "rustfmt.toml",
    "Cargo.lock",
];

/// Sections of our manifest that need files which the copy lacks.
const LEFT_OUT: [&str; 5] = ["[workspace]", "[dev-dependencies]", "[[bench]]", "[[test]]", "[lib]"];

const MAIN: &str = "//! raftlab, with a bug below part `store`.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::cli::main(raftlab::lab::DESIGNS)
}
";

/// Builds the program of `bug`, unless there is one of the same sources; returns its path, and a
/// number that differs if the program does.
pub(super) fn build(tree: &Path, build: &Path, bug: &Bug) -> Result<(PathBuf, u64), Trouble> {
    let read = |path: &str| {
        let path = tree.join(path);
        fs::read(&path).map_err(|error| failed(&path, &error))
    };
    let mut files = sources::of(tree, bug)?;
    files.insert("Cargo.lock".into(), read("Cargo.lock")?);
    let number = hash(files.iter().filter(|(path, _)| !path.starts_with("src/cli")));
    let zoo = build.join("zoo");
    let program = zoo.join("programs").join(format!("{}-{number:016x}", bug.name()));
    if program.is_file() {
        return Ok((program, number));
    }
    for path in INCLUDED {
        files.insert(path.into(), read(path)?);
    }
    let handout = sources::below(tree, "handout");
    files.extend(handout.map_err(|error| failed(&tree.join("handout"), &error))?);
    let ours = String::from_utf8_lossy(&read("Cargo.toml")?).into_owned();
    files.insert("Cargo.toml".into(), manifest(&ours).into());
    files.insert("main.rs".into(), MAIN.into());
    let built = built(&zoo.join("copy"), build, &files)?;
    write(&program, &fs::read(&built).map_err(|error| failed(&built, &error))?)?;
    fs::metadata(&built)
        .and_then(|it| fs::set_permissions(&program, it.permissions()))
        .map_err(|error| failed(&program, &error))?;
    Ok((program, number))
}

/// Builds the copy `files` in the folder `place`.
fn built(place: &Path, build: &Path, files: &Files) -> Result<PathBuf, Trouble> {
    fs::create_dir_all(place).map_err(|error| failed(place, &error))?;
    sync(place, "", files)?;
    let arguments = ["build", "--bin", PROGRAM, "--features", "cli,store"];
    let programs = programs::cargo(place, build, &arguments)?;
    Ok(programs.into_values().next().expect("cargo has built it"))
}

/// Our manifest for a copy: the library, not optimized much, and the program.
fn manifest(ours: &str) -> String {
    let mut text = String::new();
    let mut is_kept = true;
    for line in ours.lines() {
        if line.starts_with('[') {
            is_kept = !LEFT_OUT.contains(&line);
        }
        if is_kept {
            text.push_str(line);
            text.push('\n');
        }
    }
    text + &format!(
        "\n[profile.release.package.raftlab]\ndebug = 0\nopt-level = 1\n\n\
         [workspace]\n\n[lib]\ntest = false\n\n[[bin]]\nname = \"{PROGRAM}\"\npath = \"main.rs\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_a_copy_has_our_dependencies_and_no_tests() {
        let text = manifest(include_str!("../../../Cargo.toml"));
        for line in ["[dependencies]", "[features]", "[workspace.lints.rust]", "redb = "] {
            assert!(text.contains(line), "{line} is missing: {text}");
        }
        for line in ["members", "criterion", "[[test]]", "[[bench]]"] {
            assert!(!text.contains(line), "{line} is there: {text}");
        }
    }
}
