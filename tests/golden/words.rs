//! The words of a command: numbers, servers, logs.

use bytes::Bytes;

use super::api::{Entry, Index, ServerId, Term};

/// A server's log in a script, with the server's current term.
pub(super) struct Row {
    pub term: Term,
    pub entries: Vec<Entry>,
}

/// Reads `S1=1,1,2` or `S1=1,1,2@3`: the terms of the entries, and the current term. Without `@3`,
/// the current term is the term of the last entry. Each command has one byte.
pub(super) fn row(word: &str) -> Result<Row, String> {
    let (_, log) = word.split_once('=').ok_or("a log is S1=1,1")?;
    let (log, term) = log.split_once('@').map_or((log, None), |(log, term)| (log, Some(term)));
    let terms: Result<Vec<u64>, _> =
        log.split(',').filter(|term| !term.is_empty()).map(number).collect();
    let terms = terms?;
    let term = term.map_or(Ok(terms.last().copied().unwrap_or(0)), number)?;
    let entry = |(index, term): (u64, &u64)| Entry {
        term: Term(*term),
        index: Index(index),
        data: Bytes::from_static(b"c"),
    };
    Ok(Row { term: Term(term), entries: (1..).zip(&terms).map(entry).collect() })
}

pub(super) fn server(word: &str) -> Result<ServerId, String> {
    let id = word.strip_prefix('S').ok_or_else(|| format!("{word:?} is not a server"))?;
    number(id).map(ServerId)
}

pub(super) fn number<N: std::str::FromStr>(word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("{word:?} is not a number"))
}
