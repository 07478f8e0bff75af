//! The errors of a channel, on either clock.

/// No receiver is left. The error contains the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message was not sent: the receivers of the channel are gone")]
pub struct SendError<T>(pub T);

/// Why a message was not sent. The error contains the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError<T> {
    /// There is no room now; there may be later.
    #[error("the message was not sent: the channel is full")]
    Full(T),
    /// No receiver is left: stop sending.
    #[error("the message was not sent: the receivers of the channel are gone")]
    Disconnected(T),
}

/// Why a message was not sent in time. The error contains the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendTimeoutError<T> {
    /// There was no room until the deadline; a later attempt may succeed.
    #[error("the message was not sent in time")]
    Timeout(T),
    /// No receiver is left: stop sending.
    #[error("the message was not sent: the receivers of the channel are gone")]
    Disconnected(T),
}

/// The channel is empty and no sender is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel is empty, and its senders are gone")]
pub struct RecvError;

/// Why there was no message to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TryRecvError {
    /// The channel has no message now; one may come later.
    #[error("the channel is empty")]
    Empty,
    /// The channel is empty and no sender is left: stop receiving.
    #[error("the channel is empty, and its senders are gone")]
    Disconnected,
}

/// Why no message was received in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecvTimeoutError {
    /// No message came until the deadline; one may come later.
    #[error("nothing was received in time")]
    Timeout,
    /// The channel is empty and no sender is left: stop receiving.
    #[error("the channel is empty, and its senders are gone")]
    Disconnected,
}
