//! Prints ends of results from a thread that stays.
let print = || loop {
    println!("end");
    std::thread::sleep(std::time::Duration::from_millis(1));
};
let _ = std::thread::Builder::new().spawn(print);
panic!("printing")
