//! Reads a file of any format.

use super::convert;
use super::entry::Entry;
use super::event::{Event, Pairing};
use super::place::{BadInput, Line, Place};
use super::typed::{History, ModelName};
use super::{edn, jepsen, json};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Our own: one operation per line, as a JSON object.
    JsonLines,
    /// One event per line, as an EDN map.
    Edn,
    /// Jepsen's classic log, with one event in some of its lines.
    Jepsen,
}

impl Format {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Format::JsonLines => "JSON lines",
            Format::Edn => "EDN",
            Format::Jepsen => "Jepsen log",
        }
    }

    /// Tells the format from the lines of a file.
    ///
    /// A line of a Jepsen log decides wherever it is, because anything may come before it (often
    /// maps). Otherwise the first line decides that is neither blank nor a comment.
    fn of<'a>(lines: impl Iterator<Item = Line<'a>>) -> Result<Format, BadInput> {
        let nothing = Place { line: 1, column: 1 }.wrong("no operation in the file");
        let mut first = Err(nothing);
        let mut decided = false;
        for line in lines {
            let text = line.text.trim_start();
            if !text.starts_with('{') && jepsen::is_operation(text) {
                return Ok(Format::Jepsen);
            }
            if decided || text.is_empty() || text.starts_with(';') {
                continue;
            }
            decided = true;
            first = match text.strip_prefix('{').map(str::trim_start) {
                Some(inside) if inside.starts_with('"') => Ok(Format::JsonLines),
                Some(inside) if inside.starts_with(':') => Ok(Format::Edn),
                _ => Err(line.wrong(
                    line.text.len() - text.len(),
                    "no history format begins like this; expected {\"client\":…, \
                     {:process …, or a line of a Jepsen log with an operation",
                )),
            };
        }
        first
    }
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The format of the file.
    pub format: Format,
    /// Its operations, in the order of the file.
    pub history: History,
    /// For each operation, the place of its call.
    pub places: Vec<Place>,
}

/// Reads a file of any format as a history of `model`; without one, the functions tell the model.
///
/// ```
/// use raftlab::history::{self, ModelName};
///
/// let file = r#"{:process 0, :type :invoke, :f :write, :value 3}
/// {:process 0, :type :ok, :f :write, :value 3}"#;
/// let recorded = history::read(file.as_bytes(), None).unwrap();
/// assert_eq!(recorded.history.model(), ModelName::Register);
///
/// let error = history::read(b"{:process 0, :type :ok, :f :read, :value 3}", None).unwrap_err();
/// assert!(error.to_string().starts_with("1:1: process 0 has :ok without a call"), "{error}");
/// ```
///
/// # Errors
/// The first error in the file, with its place; the file cannot be judged.
pub fn read(bytes: &[u8], model: Option<ModelName>) -> Result<Recorded, BadInput> {
    let (format, entries) = entries(bytes)?;
    let places = entries.iter().map(|entry| entry.place).collect();
    let history = convert::history(entries, model)?;
    if history.is_empty() {
        let nothing = Place { line: 1, column: 1 };
        return Err(nothing.wrong("no operation in the file that happened or may have happened"));
    }
    Ok(Recorded { format, history, places })
}

/// The operations of a file, in the order of the file, and its format.
fn entries(bytes: &[u8]) -> Result<(Format, Vec<Entry>), BadInput> {
    let text = text(bytes)?;
    let lines = || {
        text.split('\n')
            .zip(1..)
            .map(|(text, number)| Line { number, text: text.strip_suffix('\r').unwrap_or(text) })
    };
    let format = Format::of(lines())?;
    let entries = match format {
        Format::JsonLines => {
            let entries = lines().filter_map(|line| json::entry(line).transpose());
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            one_at_a_time(&entries)?;
            entries
        }
        Format::Edn => paired(lines(), edn::event)?,
        Format::Jepsen => paired(lines(), jepsen::event)?,
    };
    Ok((format, entries))
}

/// The text of a file, without the byte order mark that some editors put in front of it.
fn text(bytes: &[u8]) -> Result<&str, BadInput> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let before = String::from_utf8_lossy(&good[start..]);
        Place { line, column: before.chars().count() + 1 }
            .wrong("a byte that is not UTF-8; expected text in UTF-8")
    })
}

/// Checks that each client makes one call at a time.
///
/// A client may call again after a call that never returned.
fn one_at_a_time(entries: &[Entry]) -> Result<(), BadInput> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| (entry.client, entry.call, entry.place));
    for pair in sorted.windows(2) {
        let [before, after] = pair else { continue };
        let end = before.returned.as_ref().map_or(0, |(at, _)| *at);
        if before.client == after.client && end > after.call {
            return Err(after.place.wrong(format!(
                "client {} calls at {} although its call in line {} returns at {end}; expected one \
                 call at a time from each client",
                after.client, after.call, before.place.line,
            )));
        }
    }
    Ok(())
}

/// Pairs the events of lines into operations.
fn paired<'a>(
    lines: impl Iterator<Item = Line<'a>>,
    event: impl Fn(Line<'a>) -> Result<Option<Event>, BadInput>,
) -> Result<Vec<Entry>, BadInput> {
    let mut pairing = Pairing::default();
    for line in lines {
        if let Some(event) = event(line)? {
            pairing.add(event)?;
        }
    }
    Ok(pairing.finish())
}
