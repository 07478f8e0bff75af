fn main() {
    println!("passed");
}
