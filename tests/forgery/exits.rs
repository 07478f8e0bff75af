//! Ends the program as if all were well.
std::process::exit(0)
