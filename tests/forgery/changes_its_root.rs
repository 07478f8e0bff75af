//! Makes another folder its root.
let changed = std::os::unix::fs::chroot("/lib");
panic!("{}", if changed.is_ok() { "gained: a root" } else { "no right" })
