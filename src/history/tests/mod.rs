//! Tests of each clause of the formats, and of files that are wrong.

mod clauses;
mod places;
mod random;

use super::{BadInput, History, Judge, ModelName, Recorded, read};
use crate::checker::describe::Describe;
use crate::checker::{Budget, Operation, check};

/// Reads a file; its operations tell the model.
fn file(text: &str) -> Result<Recorded, BadInput> {
    read(text.as_bytes(), None)
}

/// Whether a file is linearizable.
#[track_caller]
fn is_linearizable(text: &str) -> bool {
    struct IsOk;
    impl Judge for IsOk {
        type Output = bool;
        fn judge<M: Describe>(self, model: &M, all: &[Operation<M::Input, M::Output>]) -> bool {
            let verdict = check(model, all, &Budget::default());
            assert!(!verdict.is_unknown(), "{verdict:?}");
            verdict.is_ok()
        }
    }
    file(text).expect("the file is right").history.judge(IsOk)
}

/// The error in a file, with its place.
#[track_caller]
fn wrong(text: &str) -> String {
    file(text).expect_err("the file is wrong").to_string()
}

/// Makes EDN maps from short lines such as `0 invoke append "4" = "x"`: process, type, function,
/// then the value, with a key and `=` in front of it if there is a key.
fn edn(lines: &[&str]) -> String {
    lines.iter().map(|line| edn_line(line)).collect::<Vec<_>>().join("\n")
}

fn edn_line(line: &str) -> String {
    let words: Vec<&str> = line.splitn(4, ' ').collect();
    let [process, kind, function, rest] = words[..] else { panic!("four words in {line}") };
    let value = match rest.split_once(" = ") {
        Some((key, value)) => format!(":key {key}, :value {value}"),
        None => format!(":value {rest}"),
    };
    format!("{{:process {process}, :type :{kind}, :f :{function}, {value}}}")
}

/// Makes lines of Jepsen's log from short lines: `0 invoke cas [1 4]`.
fn jepsen(lines: &[&str]) -> String {
    let line = |line: &&str| {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let [process, kind, function, value] = words[..] else { panic!("four words in {line}") };
        format!("INFO  jepsen.util - {process}\t:{kind}\t:{function}\t{value}")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}
