//! Never returns.
loop {
    std::hint::spin_loop();
}
