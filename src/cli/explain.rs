//! `raftlab explain`: the story of one test, from the comment above its row or its function.

use std::fmt::Write;
use std::path::Path;

use clap::Args;
use include_dir::{Dir, include_dir};

use crate::cli::exit::{Status, Trouble};
use crate::cli::{output, select};
use crate::lab::Scenario;

/// Arguments of `raftlab explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The test
    name: String,
}

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/lab/scenarios");

/// Where the stories are, from the root of the crate.
const FOLDER: &str = "src/lab/scenarios";

/// Prints what one test does, what it catches, where it is, and how to run it.
pub(super) fn explain(args: &ExplainArgs) -> Result<Status, Trouble> {
    output::print(&text(select::known(&args.name)?))?;
    Ok(Status::Passed)
}

fn text(scenario: &Scenario) -> String {
    let (file, story) = story(scenario.name).unwrap_or_default();
    let Scenario { name, part, servers, title, catches, .. } = scenario;
    let network = match (scenario.puppets, scenario.unreliable) {
        (true, _) => "only S0 is real; the test plays the others",
        (false, true) => "unreliable network",
        (false, false) => "reliable network",
    };
    let plural = if *servers == 1 { "" } else { "s" };
    let mut text = format!("{name}: {title}\npart {part}; {servers} server{plural}; {network}\n\n");
    if !story.is_empty() {
        let _ = writeln!(text, "{story}\n");
    }
    // In a student's project the suite is in a folder of its own.
    let inside = format!("harness/{file}");
    let file = if Path::new(&inside).exists() { inside } else { file };
    let line = output::here(&format!("raftlab test {name}"));
    let _ = writeln!(text, "fails on  {catches}\nsource    {file}\nrun it    {line}");
    text
}

/// The file that tells the story of the scenario `name`, and the story, as plain text: the comment
/// above its row or, if there is none, above the function that the row names.
fn story(name: &str) -> Option<(String, String)> {
    files(&SCENARIOS).find_map(|(path, source)| {
        let row = row(source, name);
        let above_row = row.map_or("", |(above, _)| above);
        let function = row.map_or(name, |(_, function)| function);
        let story = Some(comment(above_row)).filter(|story| !story.is_empty());
        let story = story.or_else(|| Some(comment(above_function(source, function)?)))?;
        Some((format!("{FOLDER}/{path}"), story))
    })
}

/// What is above the row of the scenario `name`, and the function that it names, if it names one.
fn row<'a>(source: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let quoted = format!("{name:?}");
    let (before, after) = source.match_indices(&quoted).find_map(|(at, _)| {
        let above = source[..at].trim_end().strip_suffix("Scenario::new(")?;
        Some((above, source[at + quoted.len()..].strip_prefix(',')?))
    })?;
    Some((before, after.split(')').next()?.trim()))
}

/// What is above the function `name`.
fn above_function<'a>(source: &'a str, name: &str) -> Option<&'a str> {
    let heads = ["", "pub(crate) ", "pub "].map(|access| format!("\n{access}fn {name}("));
    let at = heads.iter().find_map(|head| source.find(head))?;
    Some(&source[..at])
}

/// The comment at the end of `above`.
fn comment(above: &str) -> String {
    let lines: Vec<&str> = above.trim_end().lines().map(str::trim).collect();
    let first = lines.iter().rposition(|line| !line.starts_with("//")).map_or(0, |at| at + 1);
    lines[first..].iter().filter_map(|line| plain(line)).collect::<Vec<_>>().join("\n")
}

/// Every source file below `folder`: its path from the folder of scenarios, and its text.
fn files(folder: &'static Dir<'_>) -> Box<dyn Iterator<Item = (String, &'static str)>> {
    let own = folder.files().filter_map(|file| {
        let path: Vec<_> = file.path().iter().map(|part| part.to_string_lossy()).collect();
        Some((path.join("/"), file.contents_utf8()?))
    });
    Box::new(own.chain(folder.dirs().flat_map(files)))
}

/// A line of a comment as text for a terminal: without slashes, links and fences.
fn plain(line: &str) -> Option<String> {
    let text = line.trim_start_matches('/');
    let text = text.strip_prefix(' ').unwrap_or(text);
    if text.starts_with("```") {
        return None;
    }
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((label, after)) = link.split_once("`]") else { break };
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        plain += before;
        plain += label;
        rest = target.map_or(after, |(_, after)| after);
    }
    Some(plain + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::SCENARIOS;

    #[test]
    fn every_test_has_a_story_of_a_sentence_at_least() {
        for scenario in SCENARIOS {
            let (file, story) = story(scenario.name).unwrap_or_default();
            assert!(story.contains('.'), "{} has no story, in {file:?}", scenario.name);
            assert!(!story.contains("```") && !story.contains("[`"), "{story}");
        }
    }

    #[test]
    fn links_and_fences_are_left_out() {
        assert_eq!(
            plain("/// See [`Stage::lie`] and [`x`](super::x)."),
            Some("See Stage::lie and x.".into())
        );
        assert_eq!(plain("/// index   1   2"), Some("index   1   2".into()));
        assert_eq!((plain("/// ```text"), plain("///")), (None, Some(String::new())));
    }

    #[test]
    fn the_explanation_ends_with_how_to_run_it() {
        let test = crate::lab::find_scenario("vote_rules_2a").unwrap();
        let text = text(test);
        assert!(text.starts_with("vote_rules_2a: one vote per term\npart 2A; 3 servers; only S0"));
        assert!(text.contains("\nsource    src/lab/scenarios/votes.rs\n"), "{text}");
        assert!(text.trim_end().ends_with("test vote_rules_2a"), "{text}");
    }
}
