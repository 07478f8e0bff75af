//! A program that prints what one would like to see.

fn main() {
    println!("passed");
}
