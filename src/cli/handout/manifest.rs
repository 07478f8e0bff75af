//! The manifests of a student's project, whose dependencies are those of our own manifest.

/// Our own manifest.
const OURS: &str = include_str!("../../../Cargo.toml");

/// Features and dependencies of ours that the harness does not have: those of our servers, and
/// those of the comparison of our designs and of grading.
const LEFT_OUT: [&str; 13] = [
    "default",
    "solutions",
    "raft-rs",
    "store",
    "raft",
    "slog",
    "redb",
    "maud",
    "plotters",
    "getrandom",
    "rustix",
    "toml",
    "wait4",
];

/// The manifest of the student's own crate.
pub(super) fn of_project(template: &str) -> String {
    filled(template, |place| {
        let names: Vec<&str> = place.split(' ').collect();
        entries("dependencies").filter(|entry| names.contains(&entry.name)).collect()
    })
}

/// The manifest of the harness.
pub(super) fn of_harness(template: &str) -> String {
    let template = template.replace("VERSION", env!("CARGO_PKG_VERSION"));
    filled(&template, |section| {
        entries(section).filter(|entry| !LEFT_OUT.contains(&entry.name)).collect()
    })
}

/// Replaces each line `#= place` of a template by the entries for the place.
fn filled<'a>(template: &str, entries: impl Fn(&str) -> Vec<Entry<'a>>) -> String {
    let mut lines = Vec::new();
    for line in template.lines() {
        match line.strip_prefix("#= ") {
            Some(place) => lines.extend(entries(place).into_iter().flat_map(|entry| entry.lines)),
            None => lines.push(line),
        }
    }
    lines.join("\n") + "\n"
}

/// A feature or a dependency of our manifest.
struct Entry<'a> {
    name: &'a str,
    /// Its lines, with the comments above.
    lines: Vec<&'a str>,
}

/// The entries of a section of our manifest.
fn entries(section: &str) -> impl Iterator<Item = Entry<'static>> {
    let heading = format!("[{section}]");
    let lines = OURS.lines().skip_while(move |line| *line != heading).skip(1);
    let mut lines = lines.take_while(|line| !line.starts_with('['));
    std::iter::from_fn(move || {
        let mut entry = Entry { name: "", lines: Vec::new() };
        for line in lines.by_ref().filter(|line| !line.is_empty()) {
            let word = line.trim().trim_matches(['"', ',']);
            if word.strip_prefix("dep:").is_some_and(|name| LEFT_OUT.contains(&name)) {
                continue;
            }
            entry.lines.push(line);
            if let Some((name, _)) = line.split_once(" = ")
                && entry.name.is_empty()
                && !line.starts_with('#')
            {
                entry.name = name;
            }
            // An entry of several lines ends with a line that is not indented.
            let opens = line.ends_with(['[', '{']);
            if !line.starts_with([' ', '#']) && !opens {
                return Some(entry);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_the_versions_of_ours() {
        let manifest = of_project("[dependencies]\n#= bytes tarpc\n\n[workspace]\n");
        let lines: Vec<&str> = manifest.lines().collect();
        assert!(lines[1].starts_with("bytes = { version"), "{manifest}");
        assert!(lines[2].starts_with("tarpc = { version"), "{manifest}");
        assert_eq!(lines[lines.len() - 3..], ["] }", "", "[workspace]"], "{manifest}");
    }

    #[test]
    fn the_harness_has_no_feature_and_no_dependency_of_our_servers() {
        let manifest =
            of_harness("VERSION\n[features]\n#= features\n[dependencies]\n#= dependencies\n");
        let has = |name: &str| manifest.lines().any(|line| line.starts_with(&format!("{name} = ")));
        for name in LEFT_OUT {
            assert!(
                !has(name) && !manifest.contains(&format!("dep:{name}\"")),
                "{name}: {manifest}"
            );
        }
        for name in ["cli", "history", "clap", "tarpc", "serde_json"] {
            assert!(has(name), "{name}: {manifest}");
        }
        assert!(!manifest.contains("VERSION"), "{manifest}");
    }
}
