//! Waits for a lock of the system that it holds itself.
let lock = std::sync::Mutex::new(());
let _one = lock.lock();
let _other = lock.lock();
panic!("never")
