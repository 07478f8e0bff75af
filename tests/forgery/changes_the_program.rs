//! Writes to the program file.
let written = std::fs::write("/program", "");
let allowed = std::fs::metadata("/program").and_then(|meta| {
    std::fs::set_permissions("/program", meta.permissions())
});
assert!(written.is_err() && allowed.is_err(), "gained: the program");
panic!("read only")
