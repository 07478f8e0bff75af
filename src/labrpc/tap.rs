//! Looking on: a tap sees every call of a network, typed, and changes nothing.

use std::any::Any;

use super::Call;

/// Sees the calls of a network, in place and typed, so that the network need not know a protocol.
///
/// Messages come as `&dyn Any`; downcast to the generated `RaftRpcRequest`, `RaftRpcResponse`, ….
/// For one call: `sent`; perhaps `dispatched` and `answered`, in the handler's task; `ended`. A
/// duplicated request is dispatched and answered again, under the same id and possibly after
/// `ended`. A call whose future is dropped before its end has no `ended`.
///
/// Lives that are over are not shown: neither calls on their ends, nor what their handlers still
/// do. All of it reaches nobody.
///
/// A tap must not block, lock a [`Mutex`], sleep or draw chance: then a run with taps takes the
/// same course as one without. Its own state belongs into a [`Quiet`].
///
/// [`Mutex`]: crate::runtime::sync::Mutex
/// [`Quiet`]: crate::runtime::sync::Quiet
pub trait Tap: Send + Sync {
    /// A call was made; the request is on its way, if there is one.
    fn sent(&self, _call: &Call<'_>, _request: &dyn Any) {}

    /// The request has arrived and was decoded; the handler runs next.
    fn dispatched(&self, _call: &Call<'_>, _request: &dyn Any) {}

    /// The handler has returned; no fault of the reply's leg has happened yet.
    fn answered(&self, _call: &Call<'_>, _reply: &dyn Any) {}

    /// The call is over for its caller.
    fn ended(&self, _call: &Call<'_>, _got_reply: bool) {}
}
