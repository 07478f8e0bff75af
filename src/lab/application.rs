//! What stands above the servers of a cluster.
//!
//! A server replicates commands; an application is what they are commands *of*. The suite's own
//! only checks what it is given. Parts 3A and 3B bring others, with [`Cluster::serve`]:
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

/// What one life of an application is made from.
pub struct Seat {
    /// The server below.
    pub server: ServerId,
    /// Its consensus module in this life.
    pub consensus: Arc<dyn Consensus>,
    /// What that commits. Observers see each message in place, when it is received.
    pub apply_ch: Receiver<ApplyMsg>,
    /// What survives of the server, and the service's own snapshot in it.
    pub stored: Stored,
}

/// An application: makes one [`Living`] for every life of every server.
///
/// A cluster holds its application, so an application must not hold its cluster.
pub trait Application: Send + Sync {
    /// Begins a life. What runs of it may be stalled only if it is started inside
    /// [`under_test`](crate::runtime::thread::under_test).
    ///
    /// What cannot go on from `seat.stored` ends the run with [`fail`](crate::runtime::fail).
    fn begin_life(&self, seat: Seat) -> Box<dyn Living>;
}

/// One life of an application, from boot to crash.
pub trait Living: Send + Sync {
    /// What others can call, beside the server's own services.
    fn services(&self) -> Vec<Service> {
        Vec::new()
    }

    /// The life is over. Its server has been cut off, what it stored has been copied, and right
    /// after this its consensus module is killed. Run as a part of the server's code under test.
    fn end(&self);
}
