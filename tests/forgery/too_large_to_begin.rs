//! Has more static memory than a program may use: it ends before it begins.
static ROOM: std::sync::Mutex<Option<[u8; 1 << 30]>> = std::sync::Mutex::new(None);
panic!("gained: {}", ROOM.lock().is_ok())
