//! Prints 64 MB in lines.
for _ in 0..1 << 16 {
    println!("{}", "x".repeat(1024));
}
panic!("printed")
