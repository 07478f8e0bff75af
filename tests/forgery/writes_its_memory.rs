//! Opens its own memory for writing.
let memory = std::fs::OpenOptions::new().write(true).open("/proc/self/mem");
panic!("{}", if memory.is_ok() { "gained: memory" } else { "no memory" })
