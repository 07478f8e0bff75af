//! Logs in the classic shape `TIME TOPIC S1 text`, as many students' servers print them.

use crate::record::Topic;

use super::{Row, Table};

/// No line of a file has the classic shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no line has the shape `TIME TOPIC S1 text`, e.g. `001234 VOTE S1 votes for S2`, and the \
     first line is not the header of a record"
)]
pub struct NotClassic;

/// Reads a log. A line without this shape belongs to the whole run.
///
/// # Errors
/// [`NotClassic`]: no line has the shape.
pub fn classic(text: &str) -> Result<Table, NotClassic> {
    let read: Vec<Line<'_>> =
        text.lines().filter(|line| !line.trim().is_empty()).map(line).collect();
    if !read.iter().any(|line| matches!(line, Line::Event { .. })) {
        return Err(NotClassic);
    }
    let mut servers: Vec<u32> = read.iter().filter_map(Line::server).collect();
    servers.sort_unstable();
    servers.dedup();
    let lane = |server: u32| servers.iter().position(|it| *it == server);
    let rows = read.iter().map(|line| match line {
        Line::Event { at, topic, server, text } => Row {
            at: (*at).to_string(),
            lane: server.and_then(lane),
            topic: *topic,
            text: (*text).to_string(),
            state: None,
        },
        Line::Other(text) => Row {
            at: String::new(),
            lane: None,
            topic: Topic::Test,
            text: (*text).to_string(),
            state: None,
        },
    });
    let rows = rows.collect();
    Ok(Table { lanes: servers.iter().map(|server| format!("S{server}")).collect(), rows })
}

enum Line<'a> {
    Event { at: &'a str, topic: Topic, server: Option<u32>, text: &'a str },
    Other(&'a str),
}

impl Line<'_> {
    fn server(&self) -> Option<u32> {
        match self {
            Line::Event { server, .. } => *server,
            Line::Other(_) => None,
        }
    }
}

fn line(text: &str) -> Line<'_> {
    event(text).unwrap_or(Line::Other(text))
}

fn event(text: &str) -> Option<Line<'_>> {
    let (at, rest) = text.trim_start().split_once(char::is_whitespace)?;
    at.parse::<f64>().ok()?;
    let (topic, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let topic = topic.parse().ok()?;
    let rest = rest.trim_start();
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let server = first.strip_prefix('S').and_then(|number| number.parse().ok());
    let text = if server.is_some() { after.trim_start() } else { rest };
    Some(Line::Event { at, topic, server, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_students_log_is_read() {
        let log = "Test (2A): initial election ...\n008258 VOTE S1 <- S0 granting vote\n\
                   008259 LEAD S12 achieved majority\n008260 TEST all fine\n";
        let table = classic(log).unwrap();
        assert_eq!(table.lanes, ["S1", "S12"]);
        let lanes: Vec<_> = table.rows.iter().map(|row| row.lane).collect();
        assert_eq!(lanes, [None, Some(0), Some(1), None]);
        assert_eq!(table.rows[1].text, "<- S0 granting vote");
        assert_eq!((table.rows[3].topic, &*table.rows[3].text), (Topic::Test, "all fine"));
    }

    #[test]
    fn another_file_is_refused() {
        assert_eq!(classic("hello\nworld 1 2 3\n"), Err(NotClassic));
        assert_eq!(classic(""), Err(NotClassic));
    }
}
