macro_rules! more {
    ($($word:tt)*) => { more!($($word)* $($word)* x); };
}
more!(x);
