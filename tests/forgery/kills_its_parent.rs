//! Asks the system to kill processes.
for process in ["1", "2", "-1"] {
    let kill = std::process::Command::new("/bin/kill").args(["-9", process]).status();
    assert!(kill.is_err(), "gained: kill");
}
panic!("no kill")
