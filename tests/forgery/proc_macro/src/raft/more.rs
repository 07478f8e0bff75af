//! A macro that runs code in the compiler.

#[proc_macro]
pub fn forge(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    std::process::exit(0)
}
