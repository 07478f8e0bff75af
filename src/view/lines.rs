//! A log as lines, one per event.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::Table;
use crate::record::Topic;

/// A line per row: time, lane, text.
pub fn lines(table: &Table) -> String {
    let mut text = String::new();
    for row in &table.rows {
        let lane = row.lane.map_or("", |lane| &table.lanes[lane]);
        let style = style_of(row.topic);
        let _ = writeln!(text, "{:>12}  {lane:<3} {style}{}{style:#}", row.at, row.text);
    }
    text
}

/// A line per row that also has its server's state after the event; see [`legend`].
pub fn lines_with_state(table: &Table) -> String {
    let mut text = legend().to_string();
    for row in &table.rows {
        let lane = row.lane.map_or("", |lane| &table.lanes[lane]);
        let state = row.state.as_deref().unwrap_or_default();
        let style = style_of(row.topic);
        let _ =
            writeln!(text, "{:>12}  {lane:<3} {state:<26}  {style}{}{style:#}", row.at, row.text);
    }
    text
}

/// The heading of [`lines_with_state`].
pub fn legend() -> &'static str {
    "        time      role term commit appl. last\n\
     \x20                 L leader, c candidate, f follower, - down\n"
}

/// The colour of a topic.
pub const fn style_of(topic: Topic) -> Style {
    let color = match topic {
        Topic::Vote | Topic::Term | Topic::Timer => AnsiColor::Yellow,
        Topic::Leader => AnsiColor::BrightYellow,
        Topic::Log | Topic::Log2 => AnsiColor::Cyan,
        Topic::Commit => AnsiColor::Green,
        Topic::Persist => AnsiColor::Blue,
        Topic::Snap => AnsiColor::Magenta,
        Topic::Drop | Topic::Warn => AnsiColor::BrightRed,
        Topic::Error => return AnsiColor::Red.on_default().bold(),
        Topic::Client => AnsiColor::BrightBlue,
        Topic::Test => return Style::new().bold(),
        Topic::Info => return Style::new(),
        Topic::Trace => return Style::new().dimmed(),
    };
    color.on_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Filter;
    use crate::view::testing::record;

    fn plain(text: &str) -> Vec<String> {
        anstream::adapter::strip_str(text).to_string().lines().map(str::to_string).collect()
    }

    #[test]
    fn a_row_is_a_line_with_time_lane_and_text() {
        let text = plain(&lines(&Table::of(&record(), &Filter::default())));
        assert_eq!(text.len(), 9);
        assert_eq!(text[6], "    0.200000  C0  calls get a");
    }

    #[test]
    fn the_state_stands_below_the_words_of_the_legend() {
        let text = plain(&lines_with_state(&Table::of(&record(), &Filter::default())));
        let place = |line: &str, word: &str| line.find(word).expect("it is there") + word.len();
        let (legend, vote) = (&text[0], &text[5]);
        assert_eq!(place(legend, "term"), place(vote, "c       2"), "{legend}\n{vote}");
    }
}
