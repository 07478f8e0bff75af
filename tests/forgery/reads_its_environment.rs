//! Looks for the secret in its variables.
for (name, value) in std::env::vars() {
    assert!(!name.contains("SECRET"), "gained: {name}={value}");
}
panic!("no secret")
