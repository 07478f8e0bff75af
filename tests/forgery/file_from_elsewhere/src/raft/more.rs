//! Source that includes a file of the machine.

pub const TEXT: &str = include_str!("/etc/hostname");
