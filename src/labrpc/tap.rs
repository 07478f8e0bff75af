//! Taps: listeners that see every call of a network, typed, and change nothing.

use std::any::Any;

use super::Call;

/// Sees the calls of a network as typed messages, so that the network need not know a protocol.
///
/// Messages come as `&dyn Any`; downcast to the generated `RaftRpcRequest`, `RaftRpcResponse`, ….
/// The order for one call: `sent`; perhaps `dispatched` and `answered`, in the handler's task;
/// `ended`. A duplicated request is dispatched and answered again, under the same id and possibly
/// after `ended`. A call whose future is dropped before its end has no `ended`.
///
/// When a server's life is over, a tap sees neither its calls nor the rest of its handlers' work:
/// nothing of this reaches another host.
///
/// A tap must not block, lock a [`Mutex`], sleep or draw random numbers: then a run with taps takes
/// the same course as one without. Keep the tap's own state in a [`Quiet`].
///
/// [`Mutex`]: crate::runtime::sync::Mutex
/// [`Quiet`]: crate::runtime::sync::Quiet
pub trait Tap: Send + Sync {
    /// Called when a call was made; its request is in flight if the called host can be reached.
    fn sent(&self, _call: &Call<'_>, _request: &dyn Any) {}

    /// Called when the request has arrived and was decoded; the handler runs next.
    fn dispatched(&self, _call: &Call<'_>, _request: &dyn Any) {}

    /// Called when the handler has returned; no fault of the reply's leg has happened yet.
    fn answered(&self, _call: &Call<'_>, _reply: &dyn Any) {}

    /// Called when the call is over for its caller.
    fn ended(&self, _call: &Call<'_>, _got_reply: bool) {}
}
