//! Sleeps an hour of wall time.
std::thread::sleep(std::time::Duration::from_secs(3600));
panic!("awake")
