//! Reading ends, whatever the bytes are; a history that was written is read back unchanged.

use proptest::prelude::*;

use super::*;
use crate::checker::models::{
    KvInput, KvOutput, RegisterInput, RegisterOutput, VersionedInput, VersionedOutput,
};
use crate::history::{KvOperation, RegisterOperation, Value, VersionedOperation, write};

/// Pieces of all formats, many of which together make a line that is nearly right.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\\",
    "#",
    ";",
    "0",
    "7",
    "-1",
    "nil",
    "null",
    "é",
    "\u{feff}",
    "{:process 0, :type :invoke, :f :read}",
    ":process 1",
    ":type",
    ":ok",
    ":info",
    ":f :cas",
    ":value [1 2]",
    "INFO  jepsen.util - 0\t:invoke\t:read\tnil",
    "INFO  jepsen.util - 0\t:ok\t:cas\t",
    "{\"client\":0,\"call\":1,\"return\":null,\"op\":\"read\"}",
    "\"client\":1,",
    "\"call\":3,",
    "\"return\":2,",
    "\"op\":\"get\",",
    "\"answer\":{\"value\":",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![".{0,8}", Just("é\"\\\n".to_string())]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![any::<i64>().prop_map(Value::Int), text().prop_map(Value::Text)]
}

fn register() -> impl Strategy<Value = (RegisterInput<Value>, RegisterOutput<Value>)> {
    let nil_or = || proptest::option::of(value());
    prop_oneof![
        nil_or().prop_map(|seen| (RegisterInput::Read, RegisterOutput::Value(seen))),
        value().prop_map(|value| (RegisterInput::Write(value), RegisterOutput::Done)),
        (nil_or(), value(), any::<bool>()).prop_map(|(from, to, swapped)| {
            (RegisterInput::Cas { from, to }, RegisterOutput::Swapped(swapped))
        }),
    ]
}

fn kv() -> impl Strategy<Value = (KvInput, KvOutput)> {
    (text(), text(), 0..3).prop_map(|(key, value, function)| match function {
        0 => (KvInput::Get { key }, KvOutput::Value(value)),
        1 => (KvInput::Put { key, value }, KvOutput::Done),
        _ => (KvInput::Append { key, value }, KvOutput::Done),
    })
}

fn versioned() -> impl Strategy<Value = (VersionedInput, VersionedOutput)> {
    use VersionedOutput::{Done, Found, Maybe, NoKey, WrongVersion};
    (text(), text(), any::<u64>(), 0..6).prop_map(|(key, value, version, what)| match what {
        0 => (VersionedInput::Get { key }, Found { value, version }),
        1 => (VersionedInput::Get { key }, NoKey),
        2 => (VersionedInput::Put { key, value, version }, Done),
        3 => (VersionedInput::Put { key, value, version }, Maybe),
        4 => (VersionedInput::Put { key, value, version }, NoKey),
        _ => (VersionedInput::Put { key, value, version }, WrongVersion),
    })
}

/// Operations of clients that make one call at a time, some of which never return.
fn operations<I, O>(
    of: impl Strategy<Value = (I, O)>,
) -> impl Strategy<Value = Vec<Operation<I, O>>>
where
    I: std::fmt::Debug,
    O: std::fmt::Debug,
{
    let one = (of, 0..4_u64, any::<bool>(), 0..3_u64);
    proptest::collection::vec(one, 1..20).prop_map(|drawn| {
        let drawn = drawn.into_iter().zip(0..);
        let operation = |(((input, output), client, open, span), number): ((_, _, _, u64), u64)| {
            let call = number * 3;
            match open {
                true => Operation::open(client, call, input),
                false => Operation::answered(client, call, input, call + span, output),
            }
        };
        drawn.map(operation).collect()
    })
}

fn history() -> impl Strategy<Value = History> {
    prop_oneof![
        operations((text(), register()).prop_map(|(key, (input, output))| ((key, input), output)))
            .prop_map(|all: Vec<RegisterOperation>| History::Register(all)),
        operations(kv()).prop_map(|all: Vec<KvOperation>| History::Kv(all)),
        operations(versioned()).prop_map(|all: Vec<VersionedOperation>| History::KvVersioned(all)),
    ]
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, None);
    }

    #[test]
    fn no_pieces_are_too_strange(pieces in proptest::collection::vec(0..PIECES.len(), 0..30)) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        if let Err(error) = file(&text) {
            let lines = text.split('\n').count();
            prop_assert!((1..=lines).contains(&error.place.line), "{error}: {text:?}");
            let line = text.split('\n').nth(error.place.line - 1).unwrap_or_default();
            prop_assert!((1..=line.chars().count() + 1).contains(&error.place.column), "{error}");
        }
    }

    #[test]
    fn a_good_line_with_something_put_into_it_is_read_or_refused(
        which in 0..3_usize,
        at in 0..100_usize,
        piece in 0..PIECES.len(),
    ) {
        let mut text = [
            edn(&["0 invoke cas [1 2]", "0 ok cas [1 2]"]),
            jepsen(&["0 invoke cas [1 2]", "0 ok cas [1 2]"]),
            r#"{"client":0,"call":1,"return":2,"op":"cas","from":1,"to":2,"answer":true}"#.into(),
        ][which].clone();
        let at = text.char_indices().map(|(at, _)| at).nth(at).unwrap_or(text.len());
        text.insert_str(at, PIECES[piece]);
        let _ = file(&text);
    }

    #[test]
    fn what_is_written_is_read_again(history in history()) {
        let mut file = Vec::new();
        write(&mut file, &history).unwrap();
        let again = read(&file, Some(history.model()));
        prop_assert_eq!(again.map(|recorded| recorded.history), Ok(history));
    }
}
