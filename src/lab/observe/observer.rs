//! The trait of an observer: one hook for each kind of event. The list of hooks is at the end.

use std::any::type_name;
use std::time::Duration;

use super::shadow::{Ballot, Lost};
use super::world::{Handling, World};
use crate::api::{ApplyMsg, Entry, Position, ServerId, Term};
use crate::lab::Facts;

/// The result of a hook. `Err` describes the mistake, with the values.
pub(super) type Judged = Result<(), String>;

/// A request leaves.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) from: ServerId,
    pub(super) to: ServerId,
    pub(super) facts: &'a Facts,
}

/// A server writes term and vote.
#[derive(Clone, Copy)]
pub(super) struct Voted {
    pub(super) server: ServerId,
    pub(super) before: Ballot,
    pub(super) after: Ballot,
}

/// A server writes a snapshot.
#[derive(Clone, Copy)]
pub(super) struct Covered {
    pub(super) server: ServerId,
    /// The last entry that the earlier snapshot covers; 0/0 if there was none.
    pub(super) before: Position,
    /// The last entry that the new snapshot covers.
    pub(super) at: Position,
    /// The term that the log had at that index, if it had an entry there.
    pub(super) there: Option<Term>,
}

/// Declares [`Observer`] with these hooks. Each hook also has the parameter `world: &World`.
macro_rules! hooks {
    ($($(#[$doc:meta])* $hook:ident($($arg:ident: $type:ty),*);)*) => {
        /// One rule that must hold for every implementation.
        ///
        /// Each hook is called at one kind of event. A rule implements the hooks of the events that
        /// it looks at; the default bodies find no mistake. The [`World`] is updated before a hook
        /// is called, so an event carries the earlier state if a rule compares the two.
        #[allow(unused_variables, reason = "the default bodies look at nothing")]
        pub(super) trait Observer: Send {
            $($(#[$doc])*
            fn $hook(&mut self, $($arg: $type,)* world: &World) -> Judged {
                Ok(())
            })*

            /// The rule's name, as a failure shows it: the name of its type.
            fn name(&self) -> &'static str {
                let path = type_name::<Self>();
                path.rsplit("::").next().unwrap_or(path)
            }

            /// Called after a hook has failed. Returns the server at fault if it broke the rule by
            /// doing nothing: the event may then belong to another server.
            fn blamed(&self) -> Option<ServerId> {
                None
            }

            /// This rule, and `next` after it.
            fn and<O: Observer>(self, next: O) -> Both<Self, O>
            where
                Self: Sized,
            {
                Both { first: self, second: next, second_failed: false }
            }
        }

        impl<A: Observer, B: Observer> Observer for Both<A, B> {
            $(fn $hook(&mut self, $($arg: $type,)* world: &World) -> Judged {
                self.first.$hook($($arg,)* world)?;
                let judged = self.second.$hook($($arg,)* world);
                judged.inspect_err(|_| self.second_failed = true)
            })*

            fn name(&self) -> &'static str {
                if self.second_failed { self.second.name() } else { self.first.name() }
            }

            fn blamed(&self) -> Option<ServerId> {
                if self.second_failed { self.second.blamed() } else { self.first.blamed() }
            }
        }

        impl<O: Observer> Observer for Option<O> {
            $(fn $hook(&mut self, $($arg: $type,)* world: &World) -> Judged {
                self.as_mut().map_or(Ok(()), |rule| rule.$hook($($arg,)* world))
            })*

            fn name(&self) -> &'static str {
                self.as_ref().map_or("", O::name)
            }

            fn blamed(&self) -> Option<ServerId> {
                self.as_ref().and_then(O::blamed)
            }
        }
    };
}

/// Two rules as one. The second does not see an event at which the first finds a mistake.
///
/// A chain of rules is one type, so the compiler removes the calls of default bodies: an event
/// costs nothing in the rules that do not look at it.
pub(super) struct Both<A, B> {
    first: A,
    second: B,
    second_failed: bool,
}

hooks! {
    /// A request leaves.
    sent(request: Sent<'_>);
    /// A request has arrived at `to`; the handler runs next.
    delivered(to: ServerId, request: &Facts);
    /// A reply leaves `by`, the server that handled the request.
    answered(by: ServerId, handling: &Handling, reply: &Facts);
    /// A reply has reached the server that made the call, or the call has failed.
    ended(caller: ServerId, request: &Facts, got_reply: bool);
    /// Term and vote were written.
    voted(write: Voted);
    /// Entries were written after an entry of term `prev`; they replace all entries from the first
    /// new index on.
    appended(server: ServerId, prev: Option<Term>, entries: &[Entry]);
    /// A snapshot was written.
    covered(write: Covered);
    /// Durable entries are deleted: either a sync has deleted them, or a write that is not synced
    /// yet will, if a crash keeps this write and no later one.
    deleted(server: ServerId, lost: Lost);
    /// All writes of `server` are durable. If `truncated`, the sync deleted durable entries, and
    /// `deleted` was called before.
    synced(server: ServerId, truncated: bool);
    /// The apply channel's reader received a message.
    applied(server: ServerId, msg: &ApplyMsg);
    /// A server in term `term` reported that the log up to `position` is committed. A report that
    /// follows from an earlier one is not shown.
    committed(by: ServerId, term: Term, position: Position);
    /// A server has started, so a life of it has begun.
    booted(server: ServerId);
    /// The apply channel's reader paused or resumed.
    reading(server: ServerId);
    /// A server has crashed, so its life is over.
    crashed(server: ServerId);
    /// The run is over.
    finished();
    /// Called after any other hook, for a rule that judges by the clock.
    happened();
}

/// A moment as failure texts show it.
pub(super) fn at(moment: Duration) -> String {
    format!("{:.6} s", moment.as_secs_f64())
}
