//! Checks of code for one operating system: it is in one module, and uses only what exists there.

use std::path::PathBuf;

use crate::source::{self, Source};
use crate::{assert_bites, assert_clean};

/// Files that may name `libc` and the parts of std for one system.
const MAY_NAME_THE_SYSTEM: &[&str] =
    &["src/runtime/platform/", "src/runtime/sim/guard.rs", "src/runtime/interpose.rs"];

/// Files that are compiled for Apple's systems, too: they may use only items that `libc` has there.
const FOR_APPLE: &[&str] = &["src/runtime/platform/unix.rs"];

/// The files of `libc` all of whose items exist on Apple's systems.
const LIBC_OF_APPLE: &[&str] =
    &["src/unix/bsd/apple/mod.rs", "src/unix/bsd/mod.rs", "src/unix/mod.rs"];

/// Finds names of an operating system outside the files that may have them.
fn check_systems(file: &Source) -> Vec<String> {
    if MAY_NAME_THE_SYSTEM.iter().any(|place| file.path.starts_with(place)) {
        return Vec::new();
    }
    let named = ["libc::", "use libc", "std::os::", "os::unix", "os::windows"];
    let lines = file.code.iter().enumerate();
    let bad = lines.filter(|(_, code)| named.iter().any(|name| code.contains(name)));
    bad.map(|(line, _)| file.problem(line, "only the platform module may name the system"))
        .collect()
}

/// Finds items of `libc` that `file` uses and that `text`, libc's files for Apple, does not have.
fn check_apple(file: &Source, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (line, code) in file.code.iter().enumerate() {
        for rest in code.split("libc::").skip(1) {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            let name = &rest[..end.unwrap_or(rest.len())];
            if !declares(text, name) {
                problems.push(file.problem(line, &format!("Apple's libc has no {name}")));
            }
        }
    }
    problems
}

/// Whether `text` has a function, a constant or a type called `name`.
fn declares(text: &str, name: &str) -> bool {
    let kinds = ["pub fn ", "pub const ", "pub type ", "pub struct "];
    text.lines().map(str::trim_start).any(|line| {
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind)?.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['(', ':', ' ', ';']))
    })
}

/// Returns Apple's files of the registry's `libc`, in the lock file's version, if it has a copy.
fn libc_of_apple() -> Option<String> {
    let lock = source::read("Cargo.lock")?;
    let (_, entry) = lock.split_once("name = \"libc\"\nversion = \"")?;
    let (version, _) = entry.split_once('"')?;
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
    let copies = registries.flatten().map(|entry| entry.path().join(format!("libc-{version}")));
    let copy = copies.into_iter().find(|path| path.is_dir())?;
    let text = |path| std::fs::read_to_string(copy.join(path)).ok();
    Some(LIBC_OF_APPLE.iter().filter_map(text).collect())
}

#[test]
fn the_system_is_named_in_one_place_everywhere() {
    let problems: Vec<_> = source::rust_files("src").iter().flat_map(check_systems).collect();
    assert_clean("see src/runtime/platform/mod.rs", &problems);
}

#[test]
fn a_system_named_elsewhere_is_found() {
    let text =
        "use libc::c_int;\n// libc::fork\nuse std::os::unix::fs::PermissionsExt;\nlet a = b;";
    assert_bites(&check_systems(&Source::new("src/runtime/mod.rs", text)), &[1, 3]);
    assert_bites(&check_systems(&Source::new("src/runtime/platform/unix.rs", text)), &[]);
}

#[test]
fn what_is_used_on_apples_systems_exists_there() {
    let Some(text) = libc_of_apple() else { return };
    assert!(text.len() > 100_000, "libc has moved its items to other files: {} bytes", text.len());
    let files = source::rust_files("src");
    let used: Vec<_> = files.iter().filter(|file| FOR_APPLE.contains(&&*file.path)).collect();
    assert_eq!(used.len(), FOR_APPLE.len(), "a file for Apple's systems has moved");
    let problems: Vec<_> = used.into_iter().flat_map(|file| check_apple(file, &text)).collect();
    assert_clean("this would not compile on a Mac", &problems);
}

#[test]
fn what_apples_systems_lack_is_found() {
    let Some(text) = libc_of_apple() else { return };
    let code =
        "libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID);\nlibc::pthread_getcpuclockid(a)";
    assert_bites(&check_apple(&Source::new("x.rs", code), &text), &[2]);
}
