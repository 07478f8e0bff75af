pub const TEXT: &str = include_str!("/etc/hostname");
