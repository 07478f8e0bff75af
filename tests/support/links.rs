//! Finds the links of a page that lead nowhere. Links to other sites are not followed.
#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

use std::fs;
use std::path::Path;

/// The lines outside of fenced blocks, without what stands between two backticks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    prose
}

/// The targets of the links in `text`, in order.
pub(crate) fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let tails = prose.split("](").skip(1);
    tails.filter_map(|tail| tail.split(')').next()).map(str::to_string).collect()
}

/// The anchors of the headings of `text`, as mdBook and GitHub make them.
fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut anchors = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced && line.starts_with('#') {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            anchors.push(kept.collect::<String>().replace(' ', "-"));
        }
    }
    anchors
}

/// Returns the links of the page `text`, in `folder`, that lead to no file or to no heading.
pub(crate) fn dead(folder: &Path, text: &str) -> Vec<String> {
    let leads = |target: &String| {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let file = folder.join(path);
        // An anchor of another kind of file, such as a line of code, is not looked at.
        let headings = match path {
            "" => anchors(text),
            _ if path.ends_with(".md") && file.is_file() => {
                anchors(&fs::read_to_string(&file).unwrap())
            }
            _ => return path.is_empty() || file.exists(),
        };
        anchor.is_empty() || headings.iter().any(|heading| heading == anchor)
    };
    let inside = targets(text).into_iter().filter(|target| !target.contains("://"));
    inside.filter(|target| !leads(target)).collect()
}
