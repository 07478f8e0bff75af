//! The command line: `cargo run --release -- test 2A`.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::cli::main(&[my_raft::MINE])
}
