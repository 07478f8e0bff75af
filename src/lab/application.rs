//! The application of a cluster: the service that its servers run.
//!
//! A server replicates commands; an application gives them a meaning. The suite's own application
//! only checks the commands. Parts 3A and 3B install other applications with [`Cluster::serve`]:
//!
//! ```text
//!  client ──calls──► Living::services ──start──► Consensus ◄──calls──► other servers
//!                          ▲                         │
//!                          └──────── apply_ch ───────┘
//! ```
//!
//! [`Cluster::serve`]: super::Cluster::serve

use std::sync::Arc;

use crate::api::{ApplyMsg, Consensus, ServerId};
use crate::labrpc::Service;
use crate::persister::Stored;
use crate::runtime::channel::Receiver;

/// The parts from which one life of an application is made.
pub struct Seat {
    /// The server that runs the application.
    pub server: ServerId,
    /// Its consensus module in this life.
    pub consensus: Arc<dyn Consensus>,
    /// The module's apply channel. Observers see each message at the moment when it is received.
    pub apply_ch: Receiver<ApplyMsg>,
    /// The server's storage, and the service's own snapshot in it.
    pub stored: Stored,
}

/// An application: makes one [`Living`] for every life of every server.
///
/// A cluster holds its application, so an application must not hold its cluster: the cycle would
/// keep both alive.
pub trait Application: Send + Sync {
    /// Begins a life. The schedule may stall only tasks that are started inside
    /// [`under_test`](crate::runtime::thread::under_test).
    ///
    /// A service that cannot start from `seat.stored` ends the run with
    /// [`fail`](crate::runtime::fail).
    fn begin_life(&self, seat: Seat) -> Box<dyn Living>;
}

/// One life of an application, from boot to crash.
pub trait Living: Send + Sync {
    /// The services that others can call, besides the server's own.
    fn services(&self) -> Vec<Service> {
        Vec::new()
    }

    /// Ends the life. Its server has already been cut off and its storage copied; its consensus
    /// module is killed right after this call. Runs as part of the server's code under test.
    fn end(&self);
}
