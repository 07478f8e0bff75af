//! Replaces the panic hook, and panics with a value that is no text.
std::panic::set_hook(Box::new(|_| {}));
std::panic::panic_any(0_u8)
