//! Has more static memory than a program may use: it ends before it begins.
static ROOM: std::sync::Mutex<[u8; 5 << 28]> = std::sync::Mutex::new([0; 5 << 28]);
panic!("gained: {}", ROOM.lock().map_or(0, |room| room.len()))
