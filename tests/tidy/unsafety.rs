//! Checks that `docs/unsafe.md` names every function with unsafe code, and counts its blocks.

use std::collections::BTreeMap;

use crate::assert_clean;
use crate::source::{self, Source};

/// A file and a function in it.
type Place = (String, String);

/// Counts the unsafe blocks and implementations, by place.
fn places(file: &Source) -> BTreeMap<Place, usize> {
    let mut function = String::new();
    let mut found = BTreeMap::new();
    for code in &file.code {
        if let Some(name) = defined(code, "fn ").or_else(|| defined(code, "macro_rules! ")) {
            function = name;
        }
        if let Some((_, rest)) = code.split_once("unsafe impl ") {
            let what = rest.split('{').next().unwrap_or_default().trim();
            found.insert((file.path.clone(), format!("impl {what}")), 1);
        }
        let blocks = code.matches("unsafe {").count();
        if blocks > 0 {
            *found.entry((file.path.clone(), function.clone())).or_default() += blocks;
        }
    }
    found
}

/// The name that a line defines after `keyword`, if any.
fn defined(code: &str, keyword: &str) -> Option<String> {
    let (before, rest) = code.split_once(keyword)?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let is_word = before.is_empty() || before.ends_with([' ', '(']);
    (is_word && end > 0).then(|| rest[..end].to_string())
}

/// Reads the page's rows. A row with `all` in place of a function covers a whole file, and has no
/// number of blocks.
fn listed(page: &str) -> BTreeMap<Place, Option<usize>> {
    let cells =
        |line: &str| line.split('|').map(|it| it.replace('`', "").trim().to_string()).collect();
    let rows = page.lines().map(cells).filter(|row: &Vec<String>| row.len() > 4);
    rows.filter(|row| row[1].starts_with("src/"))
        .map(|row| ((row[1].clone(), row[2].clone()), row[3].parse().ok()))
        .collect()
}

/// Finds the differences between the code and the page.
fn check(files: &[Source], page: &str) -> Vec<String> {
    let mut listed = listed(page);
    let mut problems = Vec::new();
    for ((path, function), count) in files.iter().flat_map(places) {
        if listed.contains_key(&(path.clone(), "all".to_string())) {
            continue;
        }
        let row = listed.remove(&(path.clone(), function.clone())).flatten();
        if row != Some(count) {
            problems.push(format!("{path}: {function} has {count}, docs/unsafe.md says {row:?}"));
        }
    }
    for ((path, function), _) in listed {
        let exists = files.iter().any(|file| file.path == path);
        if function != "all" || !exists {
            problems.push(format!("docs/unsafe.md: {path}, {function} has nothing unsafe"));
        }
    }
    problems
}

#[test]
fn unsafe_code_is_listed_everywhere() {
    let page = source::read("docs/unsafe.md").unwrap();
    assert_clean(
        "explain in docs/unsafe.md why it is sound",
        &check(&source::rust_files("src"), &page),
    );
}

#[test]
fn an_unsafe_block_without_an_argument_is_found() {
    let file = Source::new(
        "src/a.rs",
        "unsafe impl Send for A {}\n/// unsafe { no }\npub fn f() {\n    unsafe { g() };\n    unsafe { h() };\n}",
    );
    let page = "| `src/a.rs` | `impl Send for A` | 1 | why |\n| `src/a.rs` | `f` | 2 | why |\n";
    let files = [file];
    assert_eq!(check(&files, page), Vec::<String>::new());
    assert_eq!(check(&files, &page.replace("2", "1")).len(), 1);
    assert_eq!(check(&files, &page.replace("`f`", "`g`")).len(), 2);
    assert_eq!(
        check(&files, "| `src/a.rs` | all | | why |\n| `src/b.rs` | all | | why |").len(),
        1
    );
}
