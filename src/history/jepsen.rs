//! Jepsen's classic log of one register, as `jepsen.util` writes it.
//!
//! ```text
//! INFO  jepsen.util - 3  :invoke  :cas  [1 4]
//! INFO  jepsen.util - 3  :info  :cas  :timed-out
//! ```

use super::edn;
use super::entry::Function;
use super::event::{Event, Kind};
use super::place::{BadInput, Line};

/// The text before the process.
const LOGGER: &str = "jepsen.util - ";

/// Whether this line can only be one of an operation in Jepsen's log.
pub(super) fn is_operation(text: &str) -> bool {
    parts(text).is_some()
}

/// Reads one line; `None` if it is not one of an operation.
pub(super) fn event(line: Line<'_>) -> Result<Option<Event>, BadInput> {
    let Some((digits, rest)) = parts(line.text) else { return Ok(None) };
    let process = digits
        .parse()
        .map_err(|_| line.place_of(digits).wrong("a process is expected to be a 64-bit number"))?;
    let (word, rest) = next_word(rest);
    let kind = Kind::named(&word[1..]).ok_or_else(|| {
        let what = format!("{word} is expected to be :invoke, :ok, :fail or :info");
        line.place_of(word).wrong(what)
    })?;
    let (word, rest) = next_word(rest);
    let function = word.strip_prefix(':').and_then(Function::named);
    let function = function
        .filter(|function| matches!(function, Function::Read | Function::Write | Function::Cas))
        .ok_or_else(|| {
            let what = format!("{word:?} is expected to be :read, :write or :cas");
            line.place_of(word).wrong(what)
        })?;
    let (value, error) = edn::first_form(line, rest)?;
    Ok(Some(Event {
        place: line.place_of(digits),
        process,
        kind,
        function,
        key: None,
        value: edn::value(&value),
        value_place: line.place_of(rest.trim_start()),
        has_error: !error.trim().is_empty(),
    }))
}

/// The process and the text after it, which begins with a keyword.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (_, after) = text.split_once(LOGGER)?;
    let after = after.trim_start();
    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (process, rest) = after.split_at(digits);
    let keyword = rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with(':');
    (digits > 0 && keyword).then_some((process, rest))
}

fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}
