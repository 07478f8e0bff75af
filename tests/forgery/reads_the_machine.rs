//! Reads files of the machine and of its users.
for file in ["/etc/passwd", "/root", "/home", "/srv", "/tmp", "/var", "/usr/bin/sh"] {
    assert!(std::fs::metadata(file).is_err(), "gained: {file}");
}
panic!("no files")
