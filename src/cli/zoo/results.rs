//! The results so far, in a file: a call that was stopped continues from there.
//!
//! Each line of the file is one [`Block`] with its key. A key has all that the block depends on, so
//! what was found on another version of a variant is never used.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::sources::failed;
use crate::cli::exit::Trouble;

/// What happened to one test in a block of seeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// The test.
    pub test: String,
    /// The seeds with which it failed, in order.
    pub failed: Vec<u64>,
    /// The rule or limit that the first failure broke.
    pub by: String,
}

/// The result of a block of seeds: one test with each of them, or all unit tests of the tick core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    /// What happened to each test.
    pub found: Vec<Found>,
    /// CPU time of the runs, as far as it is known.
    pub cpu_ms: u64,
    /// Number of seeds that were run, if not all of the block were needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    #[serde(flatten)]
    block: Block,
}

/// The file of the results.
pub(super) struct Results {
    path: PathBuf,
    file: File,
    known: BTreeMap<String, Block>,
}

impl Results {
    /// Opens the file at `path`; with `fresh`, without what it has.
    pub(super) fn open(path: &Path, fresh: bool) -> Result<Results, Trouble> {
        let refused = |error| failed(path, &error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(refused)?;
        }
        let mut options = OpenOptions::new();
        let options = if fresh { options.write(true).truncate(true) } else { options.append(true) };
        let mut file = options.create(true).open(path).map_err(refused)?;
        let text = fs::read_to_string(path).map_err(refused)?;
        if !text.is_empty() && !text.ends_with('\n') {
            // A call was killed while it wrote this line.
            file.write_all(b"\n").map_err(refused)?;
        }
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let known = lines.map(|line| (line.key, line.block)).collect();
        Ok(Results { path: path.to_path_buf(), file, known })
    }

    /// The result of the block with this key.
    pub(super) fn get(&self, key: &str) -> Option<&Block> {
        self.known.get(key)
    }

    /// Adds the result of a block, also to the file.
    pub(super) fn add(&mut self, key: String, block: Block) -> Result<(), Trouble> {
        let line = Line { key, block };
        let text = serde_json::to_string(&line).expect("a line has string keys only") + "\n";
        // One call, so that a call that is killed leaves whole lines.
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| failed(&self.path, &error))?;
        self.known.insert(line.key, line.block);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(seed: u64) -> Block {
        let found =
            Found { test: "a_2a".to_string(), failed: vec![seed], by: "panic: no".to_string() };
        Block { found: vec![found], cpu_ms: 7, runs: None }
    }

    #[test]
    fn a_call_goes_on_from_the_results_of_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/results.jsonl");
        let mut results = Results::open(&path, false).unwrap();
        results.add("one".to_string(), block(3)).unwrap();
        // Killed in the middle of a line.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"key\":\"hal").unwrap();
        let mut results = Results::open(&path, false).unwrap();
        assert_eq!(results.get("one"), Some(&block(3)));
        results.add("two".to_string(), block(4)).unwrap();
        let results = Results::open(&path, false).unwrap();
        assert_eq!((results.get("one"), results.get("two")), (Some(&block(3)), Some(&block(4))));
    }

    #[test]
    fn a_fresh_call_forgets_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        Results::open(&path, false).unwrap().add("one".to_string(), block(3)).unwrap();
        assert_eq!(Results::open(&path, true).unwrap().get("one"), None);
        assert_eq!(Results::open(&path, false).unwrap().get("one"), None);
    }
}
