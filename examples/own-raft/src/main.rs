//! The command line, for the Raft of this crate.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::cli::main(&[own_raft::MINE])
}
