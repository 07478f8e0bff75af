//! Reads on standard input, where the order came from.
let mut line = String::new();
let read = std::io::stdin().read_line(&mut line).unwrap_or(0);
assert_eq!(read, 0, "gained: standard input has {line}");
panic!("nothing")
