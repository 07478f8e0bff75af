//! Never returns, and gives the processor away.
loop {
    std::thread::yield_now();
}
