//! Leaves half a line before each result.
print!("{{\"test\":");
panic!("printed")
