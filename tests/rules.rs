//! The chapter on `src/raft` says where each rule of Figure 2 is, and which functions the safety
//! argument rests on.
#![allow(clippy::unwrap_used, reason = "a test may")]

/// The text of a file of `src/raft`.
fn source(file: &str) -> String {
    let path = format!("{}/src/raft/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_map_of_rules_names_functions_that_are_there() {
    let chapter = source("mod.rs");
    let rows: Vec<&str> = chapter.lines().filter(|line| line.starts_with("//! |")).collect();
    // Without the table's heading and the line below it.
    let rules = rows.iter().skip(2);
    assert!(rules.len() >= 14, "Figure 2 has more rules than {}", rules.len());
    for row in rules {
        let names: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let (file, functions) = names.split_last().unwrap();
        assert!(!functions.is_empty(), "no function: {row}");
        let text = source(file);
        for function in functions {
            assert!(text.contains(&format!("fn {function}(")), "{file} has no {function}: {row}");
        }
    }
}

/// The functions that `text` names as "`one`, `other` in `file.rs`", each with its file.
fn named_functions(text: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = text.split("` in `").collect();
    let mut named = Vec::new();
    for pair in parts.windows(2) {
        let file = pair[1].split('`').next().unwrap_or_default();
        let mut names = pair[0].rsplit('`');
        loop {
            let name = names.next().unwrap_or_default();
            named.push((name.to_string(), file.to_string()));
            // Another name before it belongs to the same file; a file's name ends the pair before.
            match (names.next(), names.clone().next()) {
                (Some(", "), Some(before)) if !before.ends_with(".rs") => {}
                _ => break,
            }
        }
    }
    named
}

#[test]
fn the_functions_that_the_chapter_names_are_there() {
    let chapter = source("mod.rs");
    let prose: Vec<&str> = chapter
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .flat_map(str::split_whitespace)
        .collect();
    let named = named_functions(&prose.join(" "));
    assert!(
        named.len() >= 20,
        "the argument and the two lives name only {} functions",
        named.len()
    );
    for (function, file) in named {
        let text = source(&file);
        let is_there = |end: char| text.contains(&format!("fn {function}{end}"));
        assert!(is_there('(') || is_there('<'), "{file} has no {function}");
    }
}

#[test]
fn a_list_of_functions_belongs_to_the_file_after_it() {
    let named = named_functions("So (`a` in `x.rs`, `b`, `c` in `y.rs`), and `d` is not in `e`.");
    let pair = |name: &str, file: &str| (name.to_string(), file.to_string());
    assert_eq!(named, [pair("a", "x.rs"), pair("c", "y.rs"), pair("b", "y.rs")]);
}
