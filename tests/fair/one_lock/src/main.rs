//! The command line, for the Raft of this crate.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::cli::main(&[fair_one_lock::ONE_LOCK])
}
