//! Channels in crossbeam's shape: any number of senders and receivers, cloned at will.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::base::instant::Instant;
use super::sim::{self, SimReceiver, SimSender};
use super::{context, real};

pub use super::base::channel_errors::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};

/// The sending half of a channel.
pub struct Sender<T>(Tx<T>);

/// The receiving half of a channel.
///
/// On both clocks, dropping the last receiver also drops the messages that were sent and not
/// received. A task that waits in `send` gets its message back in the error, and so does every
/// later caller. So a message that was sent may never be read: if it must not be lost, the reader
/// has to acknowledge it.
pub struct Receiver<T> {
    rx: Rx<T>,
    /// Shown every message that is received; see [`Receiver::inspect`].
    hook: Option<Hook<T>>,
}

type Hook<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// A channel belongs to the clock on which it was made.
enum Tx<T> {
    Real(crossbeam_channel::Sender<T>),
    Sim(SimSender<T>),
}

enum Rx<T> {
    Real(crossbeam_channel::Receiver<T>),
    Sim(SimReceiver<T>),
}

/// Makes a channel with room for `capacity` messages. With 0, a send waits for its receiver.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    if sim::current().is_some() {
        return in_simulation(Some(capacity));
    }
    let (sender, receiver) = crossbeam_channel::bounded(capacity);
    (Sender(Tx::Real(sender)), Receiver { rx: Rx::Real(receiver), hook: None })
}

/// Makes a channel on which a send never waits.
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    if sim::current().is_some() {
        return in_simulation(None);
    }
    let (sender, receiver) = crossbeam_channel::unbounded();
    (Sender(Tx::Real(sender)), Receiver { rx: Rx::Real(receiver), hook: None })
}

fn in_simulation<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = sim::channel(capacity);
    (Sender(Tx::Sim(sender)), Receiver { rx: Rx::Sim(receiver), hook: None })
}

impl<T> Sender<T> {
    /// Sends `message`, waiting for room.
    ///
    /// # Errors
    /// [`SendError`]: no receiver is left; stop sending.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let sent = match &self.0 {
            Tx::Sim(sender) => sender.send(message, None, Location::caller()),
            Tx::Real(sender) => real::send(sender, message, None),
        };
        sent.map_err(|error| match error {
            SendTimeoutError::Timeout(back) | SendTimeoutError::Disconnected(back) => {
                SendError(back)
            }
        })
    }

    /// Sends `message`, waiting for room for at most `span`.
    ///
    /// # Errors
    /// [`SendTimeoutError`] says whether the time ran out or no receiver is left.
    #[track_caller]
    pub fn send_timeout(&self, message: T, span: Duration) -> Result<(), SendTimeoutError<T>> {
        let deadline = context::quiet_now() + span;
        match &self.0 {
            Tx::Sim(sender) => sender.send(message, Some(deadline.as_ns()), Location::caller()),
            Tx::Real(sender) => real::send(sender, message, Some(deadline)),
        }
    }

    /// Sends `message` if there is room (at capacity 0: if a receiver waits).
    ///
    /// # Errors
    /// [`TrySendError`] says whether to try later or to stop.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match &self.0 {
            Tx::Sim(sender) => sender.try_send(message, Location::caller()),
            Tx::Real(sender) => real::try_send(sender, message),
        }
    }
}

impl<T> Receiver<T> {
    /// Shows every message that is received from now on to `hook`, after earlier hooks.
    ///
    /// The receiving task itself calls the hook, just before it gets the message, without a
    /// scheduling point between the two. Hooks are for observers and must not block.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use raftlab::runtime::channel;
    ///
    /// let seen = Arc::new(AtomicU32::new(0));
    /// let (sender, receiver) = channel::unbounded();
    /// let onlooker = seen.clone();
    /// let receiver = receiver.inspect(move |number| onlooker.store(*number, Ordering::Relaxed));
    /// sender.send(7).expect("the receiver is here");
    /// assert_eq!(seen.load(Ordering::Relaxed), 0, "nothing has been received");
    /// assert_eq!((receiver.recv(), seen.load(Ordering::Relaxed)), (Ok(7), 7));
    /// ```
    #[must_use]
    pub fn inspect(self, hook: impl Fn(&T) + Send + Sync + 'static) -> Receiver<T>
    where
        T: 'static,
    {
        let hook: Hook<T> = match self.hook {
            None => Arc::new(hook),
            Some(earlier) => Arc::new(move |message| {
                earlier(message);
                hook(message);
            }),
        };
        Receiver { rx: self.rx, hook: Some(hook) }
    }

    /// Shows a received message to the hooks, and returns it.
    fn shown(&self, message: T) -> T {
        if let Some(hook) = &self.hook {
            hook(&message);
        }
        message
    }

    /// Receives a message, waiting for one.
    ///
    /// # Errors
    /// [`RecvError`]: the channel is empty and no sender is left; stop receiving.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let received = match &self.rx {
            Rx::Sim(receiver) => receiver.recv(None, Location::caller()),
            Rx::Real(receiver) => real::recv(receiver, None),
        };
        received.map(|message| self.shown(message)).map_err(|_| RecvError)
    }

    /// Receives a message if there is one (at capacity 0: if a sender waits).
    ///
    /// # Errors
    /// [`TryRecvError`] says whether to try later or to stop.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let received = match &self.rx {
            Rx::Sim(receiver) => receiver.try_recv(Location::caller()),
            Rx::Real(receiver) => real::try_recv(receiver),
        };
        received.map(|message| self.shown(message))
    }

    /// Receives a message, waiting for one for at most `span`.
    ///
    /// # Errors
    /// [`RecvTimeoutError`] says whether the time ran out or no sender is left.
    #[track_caller]
    pub fn recv_timeout(&self, span: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_deadline(context::quiet_now() + span)
    }

    /// Receives a message, waiting for one until `deadline` at the latest.
    ///
    /// # Errors
    /// [`RecvTimeoutError`] says whether the time ran out or no sender is left.
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        let received = match &self.rx {
            Rx::Sim(receiver) => receiver.recv(Some(deadline.as_ns()), Location::caller()),
            Rx::Real(receiver) => real::recv(receiver, Some(deadline)),
        };
        received.map(|message| self.shown(message))
    }

    /// Receives until no sender is left.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender(match &self.0 {
            Tx::Real(sender) => Tx::Real(sender.clone()),
            Tx::Sim(sender) => Tx::Sim(sender.clone()),
        })
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        let rx = match &self.rx {
            Rx::Real(receiver) => Rx::Real(receiver.clone()),
            Rx::Sim(receiver) => Rx::Sim(receiver.clone()),
        };
        Receiver { rx, hook: self.hook.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}
