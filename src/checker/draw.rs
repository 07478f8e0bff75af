//! Draws a history as bars on a time axis, in plain text of a given width.
//!
//! There is one row per operation, in the order of the calls. The left part describes the
//! operation. The bar on the right begins at its call and ends at its return:
//!
//! ```text
//!   client  operation               time →
//!        0  put "a" = "1"           ├─────────┤
//!        3  append "a" += "2"            ├───────────────▶
//! ✗      1  get "a" → "3"                          ├────┤
//! ```
//!
//! The axis shows the order of calls and returns, not the time between them: every call and every
//! return gets a column of its own. Linearizability depends only on their order, and next to a bar
//! of ten seconds, a bar of a millisecond would be a dot. An arrow is an operation that never
//! returned. If there are more moments than columns, neighbours share a column.

use std::fmt::Write;

/// One operation of a drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// The client that called.
    pub client: u64,
    /// The operation with its answer. Shortened in the middle if it is too long.
    pub label: String,
    /// Time of the call, in any unit.
    pub call: u64,
    /// Time of the return; `None`: never. At equal times, calls come before returns.
    pub returned: Option<u64>,
    /// A mark in front, one column wide.
    pub mark: Option<char>,
}

/// Maximum number of columns between two moments: more would not make a drawing clearer.
const STEP_MAX: usize = 6;
/// Minimum width: in a narrower drawing the bars would look alike, so a narrow terminal must wrap.
const WIDTH_MIN: usize = 40;

/// Draws `bars`: a heading, then one line per bar in the order of the calls.
///
/// No line is wider than `width` columns (40 at least), and none has a space at its end.
pub fn draw(bars: &[Bar], width: usize) -> Vec<String> {
    let mut rows: Vec<&Bar> = bars.iter().collect();
    rows.sort_by_key(|bar| (bar.call, bar.returned.unwrap_or(u64::MAX)));

    let width = width.max(WIDTH_MIN);
    let client = rows.iter().map(|bar| bar.client.to_string().len()).max().unwrap_or(0);
    let client = client.max("client".len());
    // The mark, the client and the gaps between columns.
    let fixed = 2 + client + 2 + 2;
    let labels = rows.iter().map(|bar| bar.label.chars().count()).max().unwrap_or(0);
    let label = labels.max("operation".len()).min((width - fixed) * 3 / 5);
    let axis = Axis::new(&rows, width - fixed - label);

    let row = |mark: &str, who: &str, what: &str, when: &str| {
        let what = shorten(what, label);
        let mut line = String::new();
        let _ = write!(line, "{mark:<2}{who:>client$}  {what:<label$}  {when}");
        line.trim_end().to_string()
    };
    let mut lines = vec![row("", "client", "operation", "time →")];
    lines.extend(rows.iter().map(|bar| {
        let mark = bar.mark.map(String::from).unwrap_or_default();
        row(&mark, &bar.client.to_string(), &bar.label, &axis.bar(bar))
    }));
    lines
}

/// Cuts the middle out of `text`, so that it has at most `chars_max` characters.
///
/// Both ends of the text stay, because the values of appends begin alike and differ at the end.
pub fn shorten(text: &str, chars_max: usize) -> String {
    let chars = text.chars().count();
    if chars <= chars_max {
        return text.to_string();
    }
    let kept = chars_max.saturating_sub(1);
    let head = kept.div_ceil(2);
    let mut short: String = text.chars().take(head).collect();
    short.push('…');
    short.extend(text.chars().skip(chars - (kept - head)));
    short
}

/// The moments of all calls and returns, in order: the time, and whether it is a return.
struct Axis {
    moments: Vec<(u64, bool)>,
    columns: usize,
}

impl Axis {
    fn new(bars: &[&Bar], columns: usize) -> Axis {
        let calls = bars.iter().map(|bar| (bar.call, false));
        let returns = bars.iter().filter_map(|bar| bar.returned).map(|time| (time, true));
        let mut moments: Vec<(u64, bool)> = calls.chain(returns).collect();
        moments.sort_unstable();
        moments.dedup();
        // One column is for the arrow.
        let columns = (columns - 1).min(moments.len().saturating_sub(1) * STEP_MAX + 1);
        Axis { moments, columns }
    }

    /// The column of a moment.
    fn column(&self, moment: (u64, bool)) -> usize {
        let rank = self.moments.partition_point(|other| *other < moment);
        let last = self.moments.len().saturating_sub(1).max(1);
        rank * (self.columns - 1) / last
    }

    fn bar(&self, bar: &Bar) -> String {
        let from = self.column((bar.call, false));
        let (to, end) = match bar.returned {
            Some(time) => (self.column((time, true)), '┤'),
            None => (self.columns, '▶'),
        };
        let mut text = " ".repeat(from);
        if to == from {
            text.push('│');
            return text;
        }
        text.push('├');
        text.extend(std::iter::repeat_n('─', to - from - 1));
        text.push(end);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(client: u64, label: &str, call: u64, returned: Option<u64>) -> Bar {
        Bar { client, label: label.to_string(), call, returned, mark: None }
    }

    #[test]
    fn bars_overlap_as_their_operations_did() {
        let bars = [
            Bar { mark: Some('✗'), ..bar(1, "get \"a\" → \"3\"", 900, Some(901)) },
            bar(0, "put \"a\" = \"1\"", 1, Some(1_000_000)),
            bar(12, "append \"a\" += \"2\"", 800, None),
        ];
        let expected = [
            "  client  operation          time →",
            "       0  put \"a\" = \"1\"      ├───────────────────────┤",
            "      12  append \"a\" += \"2\"        ├──────────────────▶",
            "✗      1  get \"a\" → \"3\"                  ├─────┤",
        ];
        assert_eq!(draw(&bars, 100), expected, "{:#?}", draw(&bars, 100));
    }

    #[test]
    fn at_equal_times_a_call_stands_before_a_return() {
        let bars = [bar(0, "a", 1, Some(5)), bar(1, "b", 5, Some(9))];
        let lines = draw(&bars, 80);
        let end = lines[1].chars().position(|c| c == '┤').unwrap();
        let begin = lines[2].chars().position(|c| c == '├').unwrap();
        assert!(begin < end, "they overlap: {lines:#?}");
    }

    #[test]
    fn one_that_returned_before_another_was_called_ends_before_it() {
        let bars = [bar(0, "a", 1, Some(5)), bar(1, "b", 6, Some(9))];
        let lines = draw(&bars, 80);
        let end = lines[1].chars().position(|c| c == '┤').unwrap();
        let begin = lines[2].chars().position(|c| c == '├').unwrap();
        assert!(end < begin, "they do not overlap: {lines:#?}");
    }

    #[test]
    fn no_line_is_wider_than_it_may_be() {
        let long = "x".repeat(500);
        let bars: Vec<Bar> =
            (0..300).map(|n| bar(n << 30, &long, n * 10, (n % 7 != 0).then_some(n * 11))).collect();
        for width in [0, 39, 40, 41, 60, 80, 100, 200] {
            for line in draw(&bars, width) {
                let columns = line.chars().count();
                assert!(columns <= width.max(WIDTH_MIN), "{columns} columns of {width}: {line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }

    #[test]
    fn one_operation_and_none_can_be_drawn() {
        assert_eq!(draw(&[], 80), ["  client  operation  time →"]);
        assert_eq!(draw(&[bar(3, "a", 7, None)], 80)[1], "       3  a          ├▶");
        assert_eq!(draw(&[bar(3, "a", 7, Some(7))], 80)[1], "       3  a          ├─────┤");
    }

    #[test]
    fn long_text_loses_its_middle() {
        assert_eq!(shorten("abcdefgh", 8), "abcdefgh");
        assert_eq!(shorten("abcdefgh", 7), "abc…fgh");
        assert_eq!(shorten("abcdefgh", 6), "abc…gh");
        assert_eq!(shorten("äöüäöü", 3), "ä…ü");
        assert_eq!(shorten("abc", 1), "…");
        assert_eq!(shorten("abc", 0), "…");
    }
}
