//! Parts of pages that are made from what they speak of.
#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

use std::fs;
use std::path::PathBuf;

/// Where such a part ends.
const END: &str = "<!-- end of what is made -->";

/// The root of the project.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares what stands in `page` after `begin` with what it must be; with `RAFTLAB_REWRITE`,
/// writes it.
pub fn check(page: &str, begin: &str, made: &str) {
    let path = root().join(page);
    let text = fs::read_to_string(&path).unwrap();
    let begin = text.find(begin).expect("its beginning is marked") + begin.len();
    let end = begin + text[begin..].find(END).expect("its end is marked");
    if std::env::var_os("RAFTLAB_REWRITE").is_some() {
        fs::write(&path, format!("{}{made}{}", &text[..begin], &text[end..])).unwrap();
        return;
    }
    assert_eq!(&text[begin..end], made, "{page} is not as it must be: run scripts/fix");
}
