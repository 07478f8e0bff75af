//! Starts itself a hundred times.
for _ in 0..100 {
    let _ = std::process::Command::new("/program").arg("exam").spawn();
}
panic!("started")
