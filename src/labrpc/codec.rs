//! The wire format of a message: postcard, one message per frame.
//!
//! Requests and replies are really serialised, so that caller and handler share no memory.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::runtime::{self, FailureKind};

/// One encoded message.
pub(super) type Frame = Vec<u8>;

/// Minimum capacity of a new frame, in bytes: most calls of Raft fit into it.
const ROOM_MIN: usize = 64;

/// Maximum capacity of a new frame, in bytes: one large snapshot must not enlarge all frames.
const ROOM_MAX: usize = 4096;

/// Appends to a frame whose capacity was reserved in advance.
struct Growing(Frame);

impl Flavor for Growing {
    type Output = Frame;

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Frame> {
        Ok(self.0)
    }
}

/// Encodes `message`; `expected` is the probable length of the frame.
///
/// A message that cannot be encoded ends the run: its type has a mistake.
pub(super) fn encode<T: Serialize>(message: &T, expected: usize) -> Frame {
    let room = expected.clamp(ROOM_MIN, ROOM_MAX);
    let encoded = postcard::serialize_with_flavor(message, Growing(Frame::with_capacity(room)));
    encoded.unwrap_or_else(|error| broken::<T>("encoded", &error))
}

/// Decodes a frame that [`encode`] made on the other side.
pub(super) fn decode<T: DeserializeOwned>(frame: &[u8]) -> T {
    postcard::from_bytes(frame).unwrap_or_else(|error| broken::<T>("decoded", &error))
}

fn broken<T>(what: &str, error: &postcard::Error) -> ! {
    let name = std::any::type_name::<T>();
    let message = format!(
        "a {name} cannot be {what} for the network: {error}; give it plain `#[derive(Serialize, \
         Deserialize)]` fields without `skip`, `flatten` or `untagged`",
    );
    runtime::fail(FailureKind::Assertion, "labrpc_codec", message)
}
