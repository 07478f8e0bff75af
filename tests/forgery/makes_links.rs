//! Makes a link in the root folder.
let made = std::os::unix::fs::symlink("/", "/forgery");
panic!("{}", if made.is_ok() { "gained: a link" } else { "no link" })
