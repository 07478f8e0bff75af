//! The errors of a channel, on either clock.

/// No receiver is left. The error contains the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message was not sent: the receivers of the channel are gone")]
pub struct SendError<T>(pub T);

/// Why a message was not sent. The error contains the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError<T> {
    /// There is no room now.
    #[error("the message was not sent: the channel is full")]
    Full(T),
    /// The receivers are gone.
    #[error("the message was not sent: the receivers of the channel are gone")]
    Disconnected(T),
}

/// Why a message was not sent in time. The error contains the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendTimeoutError<T> {
    /// The time ran out.
    #[error("the message was not sent in time")]
    Timeout(T),
    /// The receivers are gone.
    #[error("the message was not sent: the receivers of the channel are gone")]
    Disconnected(T),
}

/// The channel is empty and the senders are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel is empty, and its senders are gone")]
pub struct RecvError;

/// Why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TryRecvError {
    /// The channel has no message now.
    #[error("the channel is empty")]
    Empty,
    /// The channel is empty and the senders are gone.
    #[error("the channel is empty, and its senders are gone")]
    Disconnected,
}

/// Why nothing was received in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecvTimeoutError {
    /// The time ran out.
    #[error("nothing was received in time")]
    Timeout,
    /// The channel is empty and the senders are gone.
    #[error("the channel is empty, and its senders are gone")]
    Disconnected,
}
