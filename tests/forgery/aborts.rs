//! Ends the program at once.
std::process::abort()
