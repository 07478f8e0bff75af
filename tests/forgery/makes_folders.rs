//! Makes folders where it can.
for folder in ["/tmp/forgery", "/var/tmp/forgery", "/forgery", "forgery"] {
    assert!(std::fs::create_dir(folder).is_err(), "gained: {folder}");
}
panic!("no room")
