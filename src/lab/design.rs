//! Designs: implementations of [`Consensus`] that the suite can run, from whatever crate.
//!
//! [`Design::raft_rpc`] makes one of a server that speaks `RaftRpc`, [`Design::new`] of any other:
//!
//! ```
//! use std::sync::Arc;
//!
//! use raftlab::api::raft_rpc::RaftRpc;
//! use raftlab::lab::{Boot, Design, Instance};
//! use raftlab::labrpc::Service;
//! use raftlab::persister::PersistError;
//! use raftlab::raft::Raft; // or one of your own
//!
//! const MINE: Design = Design::raft_rpc("mine", make);
//!
//! fn make(boot: Boot<'_>) -> Result<Instance, PersistError> {
//!     let raft = Raft::make(boot.raft_peers(), boot.me, boot.persister, boot.apply_ch)?;
//!     let services = vec![Service::new(raft.clone().serve())];
//!     Ok(Instance { consensus: Arc::new(raft), services })
//! }
//! ```
//!
//! `rpc_design.rs` and `tick_design.rs` beside this file have our own two; `raft_rs_design.rs` has
//! the second one by other hands, in a build with the feature `raft-rs`.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;

use super::digest::Digest;
use super::raft_rpc::{self, RaftPeer};
#[cfg(feature = "raft-rs")]
use super::raft_rs_design::RAFT_RS;
use super::{KvDesign, Scenario};
#[cfg(feature = "solutions")]
use super::{rpc_design::RPC, tick_design::TICK};
use crate::api::{ApplyMsg, Consensus, Index, Position, ServerId, Term};
use crate::labrpc::{Host, Network, Service};
use crate::persister::{PersistError, Persisted, Persister, plain_snapshot};
use crate::runtime::channel::Sender;

/// What one incarnation of a server is made from.
pub struct Boot<'a> {
    /// How many servers the cluster has.
    pub servers: usize,
    /// Which of them this is.
    pub me: ServerId,
    /// The network, for ends to the other servers.
    pub network: &'a Network,
    /// What survived earlier lives.
    pub persister: Persister,
    /// Where committed commands and snapshots go, in order.
    ///
    /// It has no room of its own: a `send` returns when the service takes the message, and the
    /// service may then call [`Consensus::snapshot`]. So hold no lock while you send. A life begins
    /// after the snapshot that it finds stored, which its service has too: to send that again is
    /// allowed, and not needed. After the life's end messages are taken and thrown away.
    pub apply_ch: Sender<ApplyMsg>,
}

impl Boot<'_> {
    /// The ways to all servers, one slot per server; our own is there and unused.
    pub fn raft_peers(&self) -> Vec<RaftPeer> {
        let all = (0..self.servers).map(ServerId::from_slot).map(Host::Server);
        all.map(|peer| RaftPeer::from(self.network.end(Host::Server(self.me), peer))).collect()
    }
}

/// One incarnation of a server.
pub struct Instance {
    /// The server as its service sees it.
    pub consensus: Arc<dyn Consensus>,
    /// The server as its peers see it.
    pub services: Vec<Service>,
}

/// An implementation that the suite can run.
#[derive(Debug, Clone, Copy)]
pub struct Design {
    /// What `--design` calls it.
    pub name: &'static str,
    /// Brings one server to life.
    pub make: fn(Boot<'_>) -> Result<Instance, PersistError>,
    /// What a typed request or reply of this design says, in neutral words.
    pub facts: fn(&dyn Any) -> Facts,
    /// What its service counts.
    pub numbering: Numbering,
    /// The service's own snapshot in what a server has stored, and the last command that it
    /// covers, under the index that the service knows.
    pub snapshot: fn(&Persisted) -> Option<(Position, Bytes)>,
    /// The service above it, in parts 3A and 3B; without one the design does not play them.
    pub kv: Option<KvDesign>,
    /// Whether its servers speak `RaftRpc`, so that a scenario can play their peers.
    pub raft_rpc: bool,
    /// Whether part `store` stands on it: its servers bring their own database and service.
    pub store: bool,
    /// By which rules its runs are judged.
    pub rules: Rules,
}

/// Which of the observers' rules hold in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Those of the scenario's part and of the parts before it: a server that stores nothing
    /// yet passes 2A and 2B.
    OfThePart,
    /// All of them in every part, because the user asked for it: `--strict`.
    AllOnDemand,
    /// All of them in every part, always.
    All,
}

/// Why a scenario says nothing about a design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It plays servers itself, in the words of `RaftRpc`, which the design does not speak.
    RaftRpc,
    /// It is about servers with a database, which the design does not have.
    Store,
    /// It is about a key/value service, which the design does not have.
    Service,
}

impl Design {
    /// A design whose servers speak `RaftRpc`: `make` brings one to life.
    ///
    /// Every entry of its log is a command, and what `snapshot` is given is stored as it is. The
    /// service above it is the one that comes with this build, if any; see
    /// [`with_kv`](Design::with_kv).
    pub const fn raft_rpc(
        name: &'static str,
        make: fn(Boot<'_>) -> Result<Instance, PersistError>,
    ) -> Design {
        Design { raft_rpc: true, ..Design::new(name, make, raft_rpc::facts) }
    }

    /// A design with messages of its own, which `facts` translates for the observers. It does not
    /// play the tests that speak `RaftRpc`; the rest is as with [`Design::raft_rpc`].
    pub const fn new(
        name: &'static str,
        make: fn(Boot<'_>) -> Result<Instance, PersistError>,
        facts: fn(&dyn Any) -> Facts,
    ) -> Design {
        Design {
            name,
            make,
            facts,
            numbering: Numbering::Entries,
            snapshot: plain_snapshot,
            kv: super::service::SHIPPED,
            raft_rpc: false,
            store: false,
            rules: Rules::OfThePart,
        }
    }

    /// The same design with another service above it.
    pub const fn with_kv(self, kv: KvDesign) -> Design {
        Design { kv: Some(kv), ..self }
    }

    /// The same design, judged by all rules in every part.
    pub const fn strict(self) -> Design {
        match self.rules {
            Rules::All => self,
            Rules::OfThePart | Rules::AllOnDemand => Design { rules: Rules::AllOnDemand, ..self },
        }
    }

    /// Whether `scenario` says anything about this design.
    pub const fn can_play(&self, scenario: &Scenario) -> bool {
        self.unfit_for(scenario).is_none()
    }

    /// Why `scenario` says nothing about this design; `None` if it does.
    pub const fn unfit_for(&self, scenario: &Scenario) -> Option<Unfit> {
        if scenario.puppets && !self.raft_rpc {
            return Some(Unfit::RaftRpc);
        }
        if scenario.part.keeps_a_database() {
            return if self.store { None } else { Some(Unfit::Store) };
        }
        if scenario.part.chooses_service() && self.kv.is_none() {
            return Some(Unfit::Service);
        }
        None
    }
}

/// What the index of a command is to the service above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// The index of its entry in the log: every entry is a command.
    Entries,
    /// Its number among the commands of the log. A leader opens its term with an entry that is
    /// none, so the first entry of each term has no number.
    Commands,
}

/// What a message shows of the protocol, whatever the design. A reply's facts are joined with
/// its request's by the call's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facts {
    /// Nothing that concerns an observer.
    None,
    /// A server acts as leader: it sends entries, or a heartbeat.
    Acts {
        /// Who acts.
        leader: ServerId,
        /// In which term.
        term: Term,
        /// How far the leader says that the log is committed.
        commit: Index,
        /// The entry before the first one sent.
        prev: Position,
        /// The last entry sent; `prev` where none is.
        last: Position,
        /// The entries sent; the default where nothing is said of them.
        entries: Digest,
    },
    /// A server acts as leader, and says nothing of the log but how far *the receiver* may take
    /// what it has for committed.
    Beats {
        /// Who acts.
        leader: ServerId,
        /// In which term.
        term: Term,
        /// How far the log that the receiver is known to have is committed.
        commit: Index,
    },
    /// A candidate asks for a vote.
    AsksVote {
        /// Who asks.
        candidate: ServerId,
        /// For which term.
        term: Term,
        /// The end of the candidate's log.
        last: Position,
    },
    /// The answer to [`Facts::AsksVote`].
    Votes {
        /// The voter's term.
        term: Term,
        /// Whether the vote was given.
        granted: bool,
    },
    /// The answer to [`Facts::Acts`], and to [`Facts::Installs`] and [`Facts::Beats`], which have
    /// no failure of their own: what tells there is whether the term is still the request's.
    Matches {
        /// The follower's term.
        term: Term,
        /// Whether the follower now has the leader's log up to `last`.
        success: bool,
    },
    /// The same, of a design whose followers say how far the logs agree. It is a success if that
    /// is as far as was asked for, and a failure if it does not even reach `prev`.
    Agrees {
        /// The follower's term.
        term: Term,
        /// Up to where the follower has the leader's log.
        index: Index,
    },
    /// A leader sends its snapshot in place of entries.
    Installs {
        /// Who sends.
        leader: ServerId,
        /// In which term.
        term: Term,
        /// The last entry that the snapshot covers.
        last_included: Position,
    },
}

/// All designs of this build, the reference first.
///
/// None without the feature `solutions`.
pub static DESIGNS: &[Design] = &[
    #[cfg(feature = "solutions")]
    RPC,
    #[cfg(feature = "solutions")]
    TICK,
    #[cfg(feature = "raft-rs")]
    RAFT_RS,
];

/// What designs are called, also those that only another build has.
pub const DESIGN_NAMES: [&str; 3] = ["rpc", "tick", "raft-rs"];

/// Why there is no design of a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchDesign {
    /// None is called that: take one of [`DESIGN_NAMES`].
    #[error("no design is called {0:?}")]
    Unknown(String),
    /// This build was made without it: build with the feature, which has the design's name.
    #[error(
        "this build is without it: add `--features {0}`, as in `cargo run --release --features {0} -- test --design {0}`"
    )]
    NotBuilt(&'static str),
}

/// The design called `name` among `designs`.
///
/// # Errors
/// [`NoSuchDesign`], which says what to do.
pub fn find_design(
    designs: &'static [Design],
    name: &str,
) -> Result<&'static Design, NoSuchDesign> {
    let found = designs.iter().find(|design| design.name == name);
    found.ok_or_else(|| match DESIGN_NAMES.into_iter().find(|known| *known == name) {
        Some(known) => NoSuchDesign::NotBuilt(known),
        None => NoSuchDesign::Unknown(name.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn designs_are_found_by_name_or_the_missing_feature_is_named() {
        for name in DESIGN_NAMES {
            match find_design(DESIGNS, name) {
                Ok(design) => assert_eq!(design.name, name),
                Err(why) => {
                    assert!(why.to_string().contains(&format!("--features {name}")), "{why}")
                }
            }
        }
        assert_eq!(find_design(DESIGNS, "raft-rs").is_ok(), cfg!(feature = "raft-rs"));
        assert_eq!(
            find_design(DESIGNS, "paper").unwrap_err(),
            NoSuchDesign::Unknown("paper".into())
        );
        assert!(DESIGNS.iter().all(|design| DESIGN_NAMES.contains(&design.name)), "{DESIGNS:?}");
    }
}
