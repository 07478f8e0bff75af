//! The command line: parse, call `lab`, print.

fn main() {}
