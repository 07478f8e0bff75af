//! Output for people, with colours if the terminal shows them.

use std::io::{ErrorKind, Write};

use anstyle::{AnsiColor, Style};

use crate::cli::exit::Trouble;
use crate::cli::program;

/// The style of a failure.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// The style of a warning, and of an undecided verdict.
pub(super) const ODD: Style = AnsiColor::Yellow.on_default();

/// Prints to standard output, with colours only if it is a terminal that shows them.
///
/// A closed pipe is no error: its reader wants no more output.
pub(super) fn print(text: &str) -> Result<(), Trouble> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Trouble::Machine(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints one message to standard error; an error of the printing is ignored.
pub(super) fn complain(kind: &str, text: &str) {
    let style = if kind == "error" { BAD } else { ODD };
    let _ = writeln!(anstream::stderr(), "{style}{kind}{style:#}: {text}");
}

/// Rewrites a `raftlab` command line as the user must type it: under cargo, as `cargo run`.
pub(super) fn here(line: &str) -> String {
    let first = program::designs()[0].name;
    typed(line, first, std::env::var_os("CARGO").is_some(), &program::name())
}

/// `line` for a program called `name` that tests the design `first` by default.
fn typed(line: &str, first: &str, under_cargo: bool, name: &str) -> String {
    let Some(rest) = line.strip_prefix("raftlab ") else { return line.to_string() };
    let words: Vec<&str> = rest.split(' ').collect();
    let default = words.windows(2).position(|pair| pair == ["--design", first]);
    let rest = match default {
        Some(at) => [&words[..at], &words[at + 2..]].concat().join(" "),
        None => rest.to_string(),
    };
    // The design raft-rs is not in every build.
    let feature = if rest.contains(" --design raft-rs") { "--features raft-rs " } else { "" };
    match under_cargo {
        true => format!("cargo run --release {feature}-- {rest}"),
        false => format!("{name} {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_works_where_it_is_printed() {
        let line = "raftlab replay backup_2b --seed 3 --design rpc --strict";
        assert_eq!(
            typed(line, "rpc", false, "mine"),
            "mine replay backup_2b --seed 3 --strict",
            "the first design is the default and is left out"
        );
        assert_eq!(typed(line, "tick", false, "raftlab"), line);
        assert_eq!(
            typed(line, "rpc", true, "raftlab"),
            "cargo run --release -- replay backup_2b --seed 3 --strict"
        );
        let line = "raftlab replay backup_2b --seed 3 --design raft-rs";
        let expected = line.replace("raftlab", "cargo run --release --features raft-rs --");
        assert_eq!(typed(line, "rpc", true, "raftlab"), expected);
    }
}
