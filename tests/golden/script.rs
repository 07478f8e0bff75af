//! The format of a script: comments, commands, `---`, output.

use crate::stage::Stage;

/// Runs the commands of a script; returns the script with its real output.
pub fn run(text: &str) -> Result<String, String> {
    let mut stage = Stage::default();
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
            happened += &stage.command(line).map_err(|what| format!("line {number}: {what}"))?;
            open_command = Some(number);
        }
    }
    match open_command {
        Some(number) => Err(format!("line {number}: a block of commands must end with ---")),
        None => Ok(written),
    }
}

/// Says where the expected and the real output differ, with some lines before.
pub fn compare(expected: &str, found: &str) -> Result<(), String> {
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
