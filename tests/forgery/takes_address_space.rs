//! Asks for more memory than there is.
let taken: Vec<u8> = Vec::with_capacity(std::hint::black_box(1 << 40));
panic!("gained: {}", std::hint::black_box(&taken).capacity())
