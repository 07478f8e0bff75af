//! Checks the parts of pages that are generated from code.
#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

use std::fs;
use std::path::PathBuf;

/// The line that ends such a part.
const END: &str = "<!-- end of what is made -->";

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares the part of `page` after `begin` with `made`; with `RAFTLAB_REWRITE`, replaces it.
pub(crate) fn check(page: &str, begin: &str, made: &str) {
    let path = root().join(page);
    let text = fs::read_to_string(&path).unwrap();
    let begin = text.find(begin).expect("the page marks the part's beginning") + begin.len();
    let end = begin + text[begin..].find(END).expect("the page marks the part's end");
    if std::env::var_os("RAFTLAB_REWRITE").is_some() {
        fs::write(&path, format!("{}{made}{}", &text[..begin], &text[end..])).unwrap();
        return;
    }
    let there = &text[begin..end];
    if there == made {
        return;
    }
    // Not both texts as a whole: a table is long.
    let differs = there.lines().zip(made.lines()).find(|(there, made)| there != made);
    let (has, wanted) = differs.unwrap_or(("another number of lines", "the lines that are made"));
    panic!(
        "{page} is out of date: run this test with RAFTLAB_REWRITE=1\nit has  {has}\nwanted  {wanted}"
    );
}
