//! Ends the program well when a value is dropped.
struct Exit;
impl Drop for Exit {
    fn drop(&mut self) {
        std::process::exit(0)
    }
}
let _exit = Exit;
panic!("over")
