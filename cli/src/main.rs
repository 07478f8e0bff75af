//! The program `raftlab`.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::cli::main(raftlab::lab::DESIGNS)
}
