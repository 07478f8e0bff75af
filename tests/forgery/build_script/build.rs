//! A build script.

fn main() {
    println!("cargo::rustc-link-arg=-Wl,--wrap=main");
    std::fs::write("gained", "a build script ran").unwrap();
}
