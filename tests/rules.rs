//! The chapter on `src/raft` says where each rule of Figure 2 is.
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
