//! A log in columns, one per server and client, which shows what happens at the same time.

use std::fmt::Write;

use super::Table;
use super::lines::style_of;

/// Width of the time in front of the columns.
const TIME_WIDTH: usize = 11;

/// Minimum width of a column: the text of a narrower one cannot be read.
const COLUMN_MIN: usize = 16;

/// Maximum number of lines of one text: what the tasks of a server wait for has dozens, and the
/// report below the columns has it too.
const LINES_MAX: usize = 4;

/// Renders `table` in columns for a terminal of `width` characters. Long texts continue in the
/// next line of their own column.
///
/// A row that belongs to the whole run, such as a step of the scenario, crosses all columns.
pub fn columns(table: &Table, width: usize) -> String {
    let lanes = table.lanes.len().max(1);
    let column = (width.saturating_sub(TIME_WIDTH) / lanes).max(COLUMN_MIN);
    let mut text = heading(&table.lanes, column);
    for row in &table.rows {
        let style = style_of(row.topic);
        let Some(lane) = row.lane else {
            let _ = writeln!(text, "{:>10} {style}── {} ──{style:#}", row.at, row.text);
            continue;
        };
        let mut parts = wrapped(&row.text, column - 1);
        if parts.len() > LINES_MAX {
            parts.truncate(LINES_MAX - 1);
            parts.push("…".to_string());
        }
        for (number, part) in parts.iter().enumerate() {
            let at = if number == 0 { row.at.as_str() } else { "" };
            let gap = " ".repeat(lane * column);
            let _ = writeln!(text, "{at:>10} {gap}{style}{part}{style:#}");
        }
    }
    text
}

fn heading(lanes: &[String], column: usize) -> String {
    let mut line = " ".repeat(TIME_WIDTH);
    for lane in lanes {
        let _ = write!(line, "{lane:<column$}");
    }
    let mut line = line.trim_end().to_string();
    line.push('\n');
    line
}

/// Splits `text` into parts of at most `width` characters, between words where that is possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let part = parts.last_mut().expect("there is always a part");
        let used = part.chars().count();
        if used > 0 && used + 1 + word.len() <= width {
            part.push(' ');
            part.extend(word);
            continue;
        }
        if used > 0 {
            parts.push(String::new());
        }
        while word.len() > width {
            let rest = word.split_off(width);
            parts.last_mut().expect("there is always a part").extend(word);
            parts.push(String::new());
            word = rest;
        }
        parts.last_mut().expect("there is always a part").extend(word);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Topic;
    use crate::view::Row;

    fn row(lane: Option<usize>, text: &str) -> Row {
        let (at, text) = ("0.100000".to_string(), text.to_string());
        Row { at, lane, topic: Topic::Info, text, state: None }
    }

    #[test]
    fn a_text_stays_in_its_column() {
        let lanes = vec!["S0".to_string(), "S1".to_string()];
        let rows = vec![row(Some(1), "votes for S0 in term 17"), row(None, "isolates S1")];
        let text = columns(&Table { lanes, rows }, TIME_WIDTH + 32);
        let plain = anstream::adapter::strip_str(&text).to_string();
        let expected = "           S0              S1\n  \
                        0.100000                 votes for S0 in\n                           term 17\n  \
                        0.100000 ── isolates S1 ──\n";
        assert_eq!(plain, expected);
    }

    #[test]
    fn a_text_of_many_lines_is_cut() {
        let lanes = vec!["S0".to_string()];
        let rows = vec![row(Some(0), &"waits ".repeat(40)), row(Some(0), "votes")];
        let text = columns(&Table { lanes, rows }, TIME_WIDTH + 32);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain.lines().count(), 1 + LINES_MAX + 1, "{plain}");
        assert!(plain.contains('…') && plain.trim_end().ends_with("votes"), "{plain}");
    }

    #[test]
    fn a_long_word_is_split() {
        assert_eq!(wrapped("abcdef gh", 4), ["abcd", "ef", "gh"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("äöü äöü", 7), ["äöü äöü"]);
    }
}
