//! Writes a hundred files of 1 MB where it can.
for folder in ["/tmp", "/var/tmp", "/dev/shm", ".", "/"] {
    for number in 0..20 {
        let file = format!("{folder}/forgery-{number}");
        assert!(std::fs::write(&file, vec![1_u8; 1 << 20]).is_err(), "gained: {file}");
    }
}
panic!("no room")
