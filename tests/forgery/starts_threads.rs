//! Starts two hundred threads of the system.
for number in 0..200 {
    let name = format!("bomb {number}");
    let sleep = || std::thread::sleep(std::time::Duration::from_secs(3600));
    let _ = std::thread::Builder::new().name(name).spawn(sleep);
}
panic!("started")
