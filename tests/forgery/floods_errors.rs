//! Prints 64 MB to standard error.
for _ in 0..1 << 16 {
    eprintln!("{}", "x".repeat(1024));
}
panic!("printed")
