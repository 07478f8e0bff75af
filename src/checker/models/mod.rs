//! Models of common objects: registers, key/value stores, counters.

mod counter;
mod kv;
mod per_key;
mod register;
mod text;
mod versioned_kv;

pub use counter::{Counter, CounterInput, CounterOutput};
pub use kv::{Kv, KvInput, KvOutput};
pub use per_key::PerKey;
pub use register::{Register, RegisterInput, RegisterOutput};
pub use text::Text;
pub use versioned_kv::{UnsureVersionedKv, VersionedInput, VersionedKv, VersionedOutput};
