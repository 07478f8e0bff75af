//! Reads what the system says about processes.
for file in ["/proc/self/mem", "/proc/self/cmdline", "/proc/1/environ", "/proc/self/maps"] {
    assert!(std::fs::File::open(file).is_err(), "gained: {file}");
}
panic!("no files")
