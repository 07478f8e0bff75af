//! Asks for memory, 64 MB at a time.
let mut taken = Vec::new();
for _ in 0..64 {
    taken.push(vec![1_u8; 64 << 20]);
}
panic!("gained: {} times 64 MB", taken.len())
