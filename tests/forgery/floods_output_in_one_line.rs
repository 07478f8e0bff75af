//! Prints 64 MB without an end of line.
for _ in 0..1 << 16 {
    print!("{}", "x".repeat(1024));
}
panic!("printed")
