//! Tests of the patches with bugs of the tick core, which its unit tests must catch.

use std::fs;
use std::path::PathBuf;

use super::header::Header;
use super::{applies, patches_in, root};

/// The header of a patch of `tests/zoo/tick`, and the files that it changes.
struct Planted {
    name: String,
    bug: String,
    caught_by: Vec<String>,
    /// The files that it changes.
    files: Vec<String>,
}

fn read(patch: &PathBuf) -> Planted {
    let text = fs::read_to_string(patch).unwrap();
    let header = Header::read_core(patch).unwrap_or_else(|what| panic!("{what}"));
    Planted {
        name: header.id,
        bug: header.bug,
        caught_by: header.caught_by,
        files: text
            .lines()
            .filter_map(|line| line.strip_prefix("+++ "))
            .map(str::to_string)
            .collect(),
    }
}

fn planted() -> Vec<Planted> {
    patches_in("tests/zoo/tick").iter().map(read).collect()
}

/// Whether a patch of the core is called `name`.
pub(crate) fn is_planted(name: &str) -> bool {
    root().join("tests/zoo/tick").join(format!("{name}.patch")).is_file()
}

#[test]
fn every_patch_of_the_core_applies() {
    let patches = patches_in("tests/zoo/tick");
    let broken: Vec<_> = patches.iter().filter_map(|patch| applies(patch).err()).collect();
    assert!(broken.is_empty(), "recreate these patches against src/tick:\n{}", broken.join(""));
}

#[test]
fn every_patch_of_the_core_changes_the_core_and_not_its_tests() {
    for Planted { name, files, .. } in planted() {
        assert!(!files.is_empty(), "{name} changes nothing");
        for file in files {
            let ours = file.starts_with("b/src/tick/") && !file.starts_with("b/src/tick/tests/");
            assert!(ours, "{name}: the zoo cannot plant it in {file}");
        }
    }
}

#[test]
fn every_patch_of_the_core_has_its_row_and_is_caught_by_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/coverage.md")).unwrap();
    let tests: String = fs::read_dir(root().join("src/tick/tests"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for Planted { name, bug, caught_by, .. } in planted() {
        let begins = format!("| {bug} | `{name}` |");
        let row = page.lines().find(|line| line.starts_with(&begins));
        let row = row.unwrap_or_else(|| panic!("docs/coverage.md has no row {begins}"));
        for test in caught_by {
            assert!(row.contains(&format!("`{test}`")), "{name}: {test} is missing in {row}");
            assert!(tests.contains(&format!("fn {test}()")), "{name}: no test is called {test}");
        }
    }
}
