// Asks for more memory than there is.
let taken: Vec<u8> = Vec::with_capacity(1 << 40);
panic!("gained: {}", taken.capacity())
