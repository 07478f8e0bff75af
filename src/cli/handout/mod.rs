//! `raftlab new`: makes a student's project, with the suite's source and without any solution.
//!
//! ```text
//! handout/…       templates ────┐
//! src/raft, kv    marks ────────┼─► DIR/src, tests       skeletons, and lines that connect them
//!   or tick, driver             │                        (`--track tick`)
//! src/…           the rest ─────┴─► DIR/harness          the suite, which the project depends on
//! ```
//!
//! `skeleton.rs` says how the marked functions of our source become skeletons, `files.rs` which
//! files the project has.

pub(super) mod files;
mod manifest;
mod skeleton;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::{Status, Trouble};
use crate::cli::output;
use files::Track;

/// Arguments of `raftlab new`.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The project's folder, which must be new or empty
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// What the student writes
    #[arg(long, value_name = "TRACK", default_value = "raft")]
    track: Track,
}

/// Makes the project, all of it or nothing, and says what to type next.
pub(super) fn new(args: &NewArgs) -> Result<Status, Trouble> {
    let folder = &args.folder;
    let refused = |why: &str| Trouble::Input(format!("{}: {why}", folder.display()));
    let target = target(folder).map_err(|error| refused(&error.to_string()))?;
    // The files are written beside their place and then moved there in one step.
    let name = target.file_name().ok_or_else(|| refused("name a new folder"))?;
    let draft = target.with_file_name(format!(".{}.{}", name.display(), std::process::id()));
    let done = write(&draft, args.track).and_then(|()| move_to(&draft, &target));
    if let Err(error) = done {
        let _ = fs::remove_dir_all(&draft);
        return Err(Trouble::Machine(format!("cannot make {}: {error}", folder.display())));
    }
    let shown = folder.display();
    output::print(&format!(
        "{shown} has your project; {shown}/README.md says how to begin. The first test:\n\n  \
         cd {shown}\n  cargo run --release -- test initial_election_2a\n"
    ))?;
    Ok(Status::Passed)
}

/// The full path of a folder that does not exist, or that is empty.
fn target(folder: &Path) -> io::Result<PathBuf> {
    let target = std::path::absolute(folder)?;
    let entries = match fs::read_dir(&target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(target),
        entries => entries?,
    };
    let problem = if entries.count() > 0 {
        "the folder is not empty; name a new one"
    } else if fs::canonicalize(&target)? == std::env::current_dir()?.canonicalize()? {
        "this is the folder that you are in; name a new one"
    } else {
        return Ok(target);
    };
    Err(io::Error::other(problem))
}

/// Writes the project of a track to the folder `draft`.
fn write(draft: &Path, track: Track) -> io::Result<()> {
    for (path, text) in files::of_project(track) {
        let path = draft.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder"))?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// Moves `draft` to `target`, which is missing or empty.
fn move_to(draft: &Path, target: &Path) -> io::Result<()> {
    if target.exists() {
        fs::remove_dir(target)?;
    }
    fs::rename(draft, target)
}
