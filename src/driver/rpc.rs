//! The one call that carries all messages: it delivers a message and returns its response.
//!
//! To the core a response is a message like any other, and nothing waits for it. On the network it
//! is the reply of the call that carried its request, so it can be lost or come two seconds late,
//! like every reply.
//!
//! Differs: there is one call for everything, where Figures 2 and 13 have one for each request.

use crate::tick::Message;

/// The call that every server answers for its peers.
#[tarpc::service]
pub trait TickRpc {
    /// Delivers a message; returns the response that it triggers, if any.
    async fn deliver(message: Message) -> Option<Message>;
}
