//! A macro that takes the compiler for ever.

macro_rules! more {
    ($($word:tt)*) => { more!($($word)* $($word)* x); };
}
more!(x);
