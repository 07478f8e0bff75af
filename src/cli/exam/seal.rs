//! The seal of a line that an examined program writes.
//!
//! A grader judges what a program says about itself, and the program contains a stranger's server.
//! Its messages share a pipe with everything that the server prints. So the grader sends a key
//! first, which the program keeps to itself, and takes only lines that were sealed with the key, in
//! order.

use std::fmt::Write as _;

use hmac_sha256::HMAC;

/// The key of one examined program: 32 bytes in hexadecimal digits.
#[derive(Clone)]
pub(in crate::cli) struct Key(String);

impl Key {
    /// A key that cannot be guessed. Fails if the system has no random numbers.
    #[cfg(feature = "solutions")]
    pub(in crate::cli) fn random() -> Result<Key, String> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
        Ok(Key(hex(&bytes)))
    }

    /// The key that the grader has sent.
    pub(in crate::cli) fn received(digits: String) -> Key {
        Key(digits)
    }

    /// The key as it is sent.
    #[cfg(feature = "solutions")]
    pub(in crate::cli) fn digits(&self) -> String {
        self.0.clone()
    }

    /// Seals the `number`-th line.
    pub(in crate::cli) fn seal(&self, number: usize, line: &str) -> String {
        format!("{} {line}", self.of(number, line))
    }

    /// Returns the `number`-th line if `sealed` is that line under its seal.
    #[cfg(feature = "solutions")]
    pub(in crate::cli) fn open<'a>(&self, number: usize, sealed: &'a str) -> Option<&'a str> {
        let (seal, line) = sealed.split_once(' ')?;
        (seal == self.of(number, line)).then_some(line)
    }

    fn of(&self, number: usize, line: &str) -> String {
        hex(&HMAC::mac(format!("{number} {line}"), &self.0))
    }
}

/// `bytes` in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(all(test, feature = "solutions"))]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_once_and_in_its_place_only() {
        let key = Key::random().unwrap();
        let sealed = key.seal(3, "a line");
        assert_eq!(key.open(3, &sealed), Some("a line"));
        assert_eq!(key.open(4, &sealed), None, "repeated");
        assert_eq!(key.open(3, &sealed.replace("a line", "a lie")), None, "changed");
        assert_eq!(Key::random().unwrap().open(3, &sealed), None, "under another key");
        assert_eq!(key.open(3, "a line"), None, "not sealed");
    }
}
