//! Leaks 16 MB per server.
std::mem::forget(vec![1_u8; 16 << 20]);
panic!("leaked")
