//! Notices that a file of the program was saved.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::cli::exit::Trouble;
use crate::runtime::time::Instant;

/// How long no further file is saved before a build begins: editors save several at once.
const QUIET: Duration = Duration::from_millis(150);

/// Watches a folder.
pub(super) struct Saves {
    /// Ends with this.
    _watcher: RecommendedWatcher,
    events: Receiver<()>,
    last: Option<Instant>,
}

impl Saves {
    pub(super) fn of(folder: &Path) -> Result<Saves, Trouble> {
        let (sender, events) = channel();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let root = folder.clone();
        let heard = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_save(&event, &root)) {
                let _ = sender.send(());
            }
        };
        let failed = |error: notify::Error| {
            Trouble::Machine(format!("cannot watch {}: {error}", folder.display()))
        };
        let mut watcher = notify::recommended_watcher(heard).map_err(failed)?;
        for part in parts(&folder) {
            watcher.watch(&part, RecursiveMode::Recursive).map_err(failed)?;
        }
        watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(failed)?;
        Ok(Saves { _watcher: watcher, events, last: None })
    }

    /// Whether files were saved, and for a short while no more.
    pub(super) fn are_over(&mut self) -> bool {
        if self.events.try_iter().count() > 0 {
            self.last = Some(Instant::now());
        }
        self.last.take_if(|last| last.elapsed() >= QUIET).is_some()
    }
}

/// The folders in `folder` that may have source files: not those of cargo and git.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
    paths.filter(|path| !is_foreign(path)).collect()
}

/// Whether this part of a path does not belong to the program.
fn is_foreign(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.is_some_and(|name| name == "target" || name.starts_with('.'))
}

/// Whether a file that cargo may read was written.
fn is_save(event: &Event, root: &Path) -> bool {
    let changes = matches!(
        event.kind,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)
    );
    changes && event.paths.iter().any(|path| is_source(path.strip_prefix(root).unwrap_or(path)))
}

fn is_source(path: &Path) -> bool {
    let foreign = path.ancestors().any(is_foreign);
    let extension = path.extension().and_then(|extension| extension.to_str());
    !foreign && matches!(extension, Some("rs" | "toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_count_and_what_cargo_and_editors_write_does_not() {
        for path in ["src/raft.rs", "Cargo.toml", "src/raft/log.rs"] {
            assert!(is_source(Path::new(path)), "{path}");
        }
        for path in ["target/debug/x.rs", "src/.raft.rs.swp", "Cargo.lock", ".git/x.rs", "src"] {
            assert!(!is_source(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn several_saves_count_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        let mut saves = Saves::of(folder.path()).unwrap();
        assert!(!saves.are_over(), "none so far");
        for name in ["a.rs", "b.rs"] {
            std::fs::write(folder.path().join("src").join(name), "//").unwrap();
        }
        let began = Instant::now();
        while !saves.are_over() {
            assert!(began.elapsed() < Duration::from_secs(60), "they are never noticed");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(QUIET * 2);
        assert!(!saves.are_over(), "they counted");
    }
}
