//! The format of a script: comments, commands, `---`, output.
//!
//! The scripts of `src/tick` are run by `main.rs`, those of the rules of `src/raft` by the unit
//! tests in `src/raft/golden.rs`: both share this file, `network.rs`, `words.rs` and `summary.rs`.

use std::fs;
use std::path::Path;

/// Runs the script at `path`, and compares its output, or rewrites it if `RAFTLAB_REWRITE` is set.
///
/// # Errors
/// The script cannot be run, or its output differs.
pub(super) fn check(
    path: &Path,
    command: impl FnMut(&str) -> Result<String, String>,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let expected = fs::read_to_string(path).map_err(failed)?;
    let found = run(&expected, command)?;
    match std::env::var_os("RAFTLAB_REWRITE") {
        None => compare(&expected, &found),
        Some(_) if found == expected => Ok(()),
        Some(_) => fs::write(path, found).map_err(failed),
    }
}

/// Runs the commands of a script; returns the script with its real output.
pub(super) fn run(
    text: &str,
    mut command: impl FnMut(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut written = String::new();
    let mut happened = String::new();
    let mut in_expected = false;
    let mut open_command = None;
    for (number, line) in (1..).zip(text.lines()) {
        if in_expected && !line.is_empty() {
            continue;
        }
        in_expected = false;
        written += line;
        written.push('\n');
        if line == "---" {
            written += &std::mem::take(&mut happened);
            in_expected = true;
            open_command = None;
        } else if !line.is_empty() && !line.starts_with('#') {
            happened += &command(line).map_err(|what| format!("line {number}: {what}"))?;
            open_command = Some(number);
        }
    }
    match open_command {
        Some(number) => Err(format!("line {number}: a block of commands must end with ---")),
        None => Ok(written),
    }
}

/// Says where the expected and the real output differ, with some lines before.
pub(super) fn compare(expected: &str, found: &str) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let (expected, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let same = expected.iter().zip(&found).take_while(|(one, other)| one == other).count();
    let mut told = format!("line {}: the output differs\n", same + 1);
    for line in &expected[same.saturating_sub(8)..same] {
        told += &format!("  {line}\n");
    }
    // Leave out the lines at the end that are the same.
    let tail = expected[same..].iter().rev().zip(found[same..].iter().rev());
    let tail = tail.take_while(|(one, other)| one == other).count();
    for (sign, lines) in [('-', &expected), ('+', &found)] {
        for line in &lines[same..lines.len() - tail] {
            told += &format!("{sign} {line}\n");
        }
    }
    Err(told)
}
