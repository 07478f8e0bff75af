pub(super) fn exam() -> ! {
    std::process::exit(0)
}
