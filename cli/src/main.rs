//! The program `raftlab`.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab_cli::main()
}
