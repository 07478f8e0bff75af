//! Writing for people: colours where they are wanted, no fuss about a closed pipe.

use std::io::{ErrorKind, Write};

use anstyle::{AnsiColor, Style};

use crate::exit::Trouble;

/// Something failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something to look at.
pub const ODD: Style = AnsiColor::Yellow.on_default();

/// Prints to standard output, without colours where they are not wanted.
///
/// A reader that has closed its end has seen enough: that is no error.
pub fn print(text: &str) -> Result<(), Trouble> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Trouble::Machine(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints one remark to standard error, as far as that goes.
pub fn complain(kind: &str, text: &str) {
    let style = if kind == "error" { BAD } else { ODD };
    let _ = writeln!(anstream::stderr(), "{style}{kind}{style:#}: {text}");
}

/// A command line of ours as it works where it is printed: under cargo, through cargo.
pub fn here(line: &str) -> String {
    typed(line, std::env::var_os("CARGO").is_some())
}

fn typed(line: &str, under_cargo: bool) -> String {
    match line.strip_prefix("raftlab ") {
        Some(rest) if under_cargo => {
            // The one design that is not in every build.
            let feature =
                if rest.contains(" --design raft-rs") { "--features raft-rs " } else { "" };
            format!("cargo run --release {feature}-- {rest}")
        }
        _ => line.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_works_where_it_is_printed() {
        let line = "raftlab replay backup_2b --seed 3";
        assert_eq!(typed(line, false), line);
        assert_eq!(typed(line, true), "cargo run --release -- replay backup_2b --seed 3");
        let line = "raftlab replay backup_2b --seed 3 --design raft-rs";
        let expected = line.replace("raftlab", "cargo run --release --features raft-rs --");
        assert_eq!(typed(line, true), expected);
    }
}
