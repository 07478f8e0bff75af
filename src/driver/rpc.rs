//! How messages travel: one call, which carries a message and brings back what it calls forth.
//!
//! To the core a response is a message as any other, and nothing waits for it. On the network it
//! is the reply of the call that carried its request, so that what may happen to a reply, to be
//! lost or to come two seconds late, happens to it.
//!
//! Differs: there is one call for everything, where Figures 2 and 13 have one for each request.

use crate::tick::Message;

/// What every server answers to its peers.
#[tarpc::service]
pub trait TickRpc {
    /// Takes in a message; the response, if the message calls one forth.
    async fn deliver(message: Message) -> Option<Message>;
}
