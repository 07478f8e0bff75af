//! The command line, for the Raft of this crate.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::cli::main(&[fair_event_loop::EVENT_LOOP])
}
