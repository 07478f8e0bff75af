//! A record as a file of JSON lines: a header, then an event per line.
//!
//! ```json
//! {"raftlab_record":1,"test":"backup_2b","design":"rpc","schedule":"random","seed":7,…}
//! {"at":490025,"who":"S2","what":"sent","call":12,"to":"S0","method":"append_entries","facts":…}
//! ```
//!
//! Times are nanoseconds of the run's own clock. A reader must accept fields that it does not know.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::Stamped;

/// The version that this program writes, and the only one that it reads.
const VERSION: u32 = 1;

/// The run that a record belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Header {
    /// The version of the format.
    pub raftlab_record: u32,
    /// The test's name.
    pub test: String,
    /// The test's part.
    pub part: String,
    /// The design that ran.
    pub design: String,
    /// The schedule.
    pub schedule: String,
    /// The seed.
    pub seed: u64,
    /// Whether the run was judged by the rules of all parts, and not only by those of its own part
    /// and the parts before it.
    pub strict: bool,
    /// The number of servers.
    pub servers: usize,
    /// Duration of the run in nanoseconds.
    pub elapsed: u64,
    /// The run's hash, in hexadecimal digits.
    pub hash: String,
    /// The command line that repeats the run.
    pub again: String,
    /// Why the run failed, if it did.
    pub failure: Option<Failed>,
}

/// The part of a header that all versions have.
#[derive(Deserialize)]
struct Versioned {
    raftlab_record: u32,
}

/// A failure in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failed {
    /// The name of the broken rule, or of the wait or the limit that was exceeded.
    pub rule: String,
    /// The mistake, in one or more lines.
    pub message: String,
    /// The server, its role, the task and the place in the source.
    pub place: String,
    /// When the run failed, in nanoseconds since its beginning.
    pub at: u64,
}

/// A header and the events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The run.
    pub header: Header,
    /// Its events in order.
    pub events: Vec<Stamped>,
}

impl Header {
    /// The version that [`write()`] writes.
    pub const VERSION: u32 = VERSION;
}

/// Why a file is not a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is empty.
    #[error("the file is empty; `raftlab replay NAME --seed S --record FILE` writes a record")]
    Empty,
    /// The first line is no header.
    #[error("line 1 is not the header of a record: {0}")]
    NoHeader(serde_json::Error),
    /// The record has another version.
    #[error("this is a record of version {0}, and this program reads version {VERSION}")]
    Version(u32),
    /// A line is no event.
    #[error("line {line} is not an event: {error}")]
    NoEvent {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
}

/// Writes `record` to `out`.
///
/// # Errors
/// The error of `out`.
pub fn write(mut out: impl Write, record: &Record) -> io::Result<()> {
    serde_json::to_writer(&mut out, &record.header)?;
    out.write_all(b"\n")?;
    for event in &record.events {
        serde_json::to_writer(&mut out, event)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Reads a record. Empty lines are skipped.
///
/// # Errors
/// [`RecordError`], which names the line.
pub fn read(from: impl BufRead) -> Result<Record, RecordError> {
    let mut lines = from.lines();
    let first = lines.next().ok_or(RecordError::Empty)??;
    // Before the rest, which may differ in another version.
    let Versioned { raftlab_record } =
        serde_json::from_str(&first).map_err(RecordError::NoHeader)?;
    if raftlab_record != VERSION {
        return Err(RecordError::Version(raftlab_record));
    }
    let header: Header = serde_json::from_str(&first).map_err(RecordError::NoHeader)?;
    let mut events = Vec::new();
    for (number, line) in lines.enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            let read = serde_json::from_str(&line);
            events.push(read.map_err(|error| RecordError::NoEvent { line: number + 2, error })?);
        }
    }
    Ok(Record { header, events })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::{Digest, Facts, Host, Index, Position, ServerId, Term};
    use crate::record::{Disk, Event, Fate, Leg, Runs, Topic, What};

    fn header() -> Header {
        Header {
            raftlab_record: VERSION,
            test: "basic_agree_2b".to_string(),
            part: "2B".to_string(),
            design: "mine".to_string(),
            schedule: "random".to_string(),
            seed: u64::MAX,
            strict: false,
            servers: 3,
            elapsed: 7,
            hash: "00ff".to_string(),
            again: "raftlab replay basic_agree_2b".to_string(),
            failure: None,
        }
    }

    fn all_kinds() -> Vec<What> {
        let (position, to) = (Position { term: Term(2), index: Index(9) }, Host::Client(4));
        let s1 = ServerId(1);
        let append = Facts::Append {
            leader: s1,
            term: Term(2),
            commit: Index(1),
            prev: position,
            last: position,
            entries: Digest::default(),
        };
        let disk = Disk { runs: Runs(vec![(2, Term(1))]), vote: Some(s1), ..Disk::default() };
        let ms = Duration::from_millis(3);
        let rule = || "loss".to_string();
        vec![
            What::Sent { call: 1, to, method: "m".into(), facts: append, played: true },
            What::Sent { call: 1, to, method: "m".into(), facts: Facts::None, played: false },
            What::Delivered { call: 1, from: to },
            What::Answered {
                call: 1,
                to,
                facts: Facts::VoteReply { term: Term(1), granted: true },
                played: false,
            },
            What::Ended { call: 1, to, replied: false },
            What::Fate { call: 1, to, leg: Leg::Request, fate: Fate::Lost(rule()) },
            What::Fate {
                call: 1,
                to,
                leg: Leg::Reply,
                fate: Fate::Delayed { by: ms, rules: vec![rule()] },
            },
            What::Fate { call: 1, to, leg: Leg::Request, fate: Fate::Again },
            What::Voted { term: Term(3), vote: None },
            What::Appended { after: Index(1), runs: Runs(vec![(1, Term(3))]) },
            What::Covered { position },
            What::Synced,
            What::Applied { position, command: "</script>\u{2028}".into() },
            What::Installed { position },
            What::Started { disk },
            What::Crashed,
            What::Linked { to, up: false },
            What::Step { text: "waits".into(), until: Some(ms) },
            What::Step { text: "cuts".into(), until: None },
            What::Over,
            What::Called { text: "get".into() },
            What::Returned { text: "x".into() },
            What::Broken { rule: "R".into(), message: "a\nb".into() },
            What::Stalled { span: ms, place: "a.rs:1:2".into() },
            What::Waiting { tasks: vec!["go waits".into()] },
            What::Note { topic: Topic::Vote, text: "votes".into() },
        ]
    }

    #[test]
    fn what_was_written_is_read() {
        let stamp = |(ns, what)| Stamped {
            at: Duration::from_nanos(ns),
            event: Event { who: Some(Host::Server(ServerId(2))), what },
        };
        let events = (0..).zip(all_kinds()).map(stamp).collect();
        let record = Record { header: header(), events };
        let mut file = Vec::new();
        write(&mut file, &record).unwrap();
        assert_eq!(read(&file[..]).unwrap(), record, "{}", String::from_utf8_lossy(&file));
    }

    #[test]
    fn a_bad_line_is_named() {
        let told = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
        assert!(told("").contains("empty"), "{}", told(""));
        assert!(told("2026 S1 hello").contains("line 1"), "{}", told("2026 S1 hello"));
        let mut header = header();
        let first = serde_json::to_string(&header).unwrap();
        let bad = format!("{first}\n\n{{\"at\":1}}\n");
        assert!(told(&bad).contains("line 3"), "{}", told(&bad));
        header.raftlab_record = 2;
        let other = serde_json::to_string(&header).unwrap();
        assert!(told(&other).contains("version 2"), "{}", told(&other));
        let other = "{\"raftlab_record\":3,\"run\":{}}";
        assert!(told(other).contains("version 3"), "{}", told(other));
    }
}
