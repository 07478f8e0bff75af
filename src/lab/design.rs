//! Designs: implementations of [`Consensus`] that the suite can run, from any crate.
//!
//! [`Design::raft_rpc`] makes a design of a server that speaks `RaftRpc`, [`Design::new`] of any
//! other server:
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
//! `rpc_design.rs` and `tick_design.rs` next to this file have our own two designs.
//! `raft_rs_design.rs` has the tick-based design with a core by other authors, in a build with the
//! feature `raft-rs`.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;

use super::raft_rpc::{self, RaftPeer};
#[cfg(feature = "raft-rs")]
use super::raft_rs_design::RAFT_RS;
use super::{KvDesign, Part, Scenario};
#[cfg(feature = "solutions")]
use super::{rpc_design::RPC, tick_design::TICK};
use crate::api::{ApplyMsg, Consensus, Facts, Position, ServerId};
use crate::labrpc::{Host, Network, Service};
use crate::persister::{PersistError, Persisted, Persister, plain_snapshot};
use crate::runtime::channel::Sender;

/// The parts from which a server is made. One server has several lives: each start begins one.
pub struct Boot<'a> {
    /// Number of servers in the cluster.
    pub servers: usize,
    /// The server's own id.
    pub me: ServerId,
    /// The network, which gives ends to the other servers.
    pub network: &'a Network,
    /// The storage that survived earlier lives.
    pub persister: Persister,
    /// The channel for committed commands and snapshots, in order.
    ///
    /// It has no buffer: a `send` returns when the service receives the message, and the service
    /// may then call [`Consensus::snapshot`]. So hold no lock while you send. A life begins after
    /// the stored snapshot. The service has that snapshot, too: the server may send it again, but
    /// need not. The suite receives and discards all messages that come after the end of a life.
    pub apply_ch: Sender<ApplyMsg>,
}

impl Boot<'_> {
    /// Clients for the calls to all servers, one slot per server; our own is unused.
    pub fn raft_peers(&self) -> Vec<RaftPeer> {
        let all = (0..self.servers).map(ServerId::from_slot).map(Host::Server);
        all.map(|peer| RaftPeer::from(self.network.end(Host::Server(self.me), peer))).collect()
    }
}

/// A server in one of its lives.
pub struct Instance {
    /// The server's interface for its service.
    pub consensus: Arc<dyn Consensus>,
    /// The server's interface for its peers.
    pub services: Vec<Service>,
}

/// An implementation that the suite can run.
#[derive(Debug, Clone, Copy)]
pub struct Design {
    /// Its name for `--design`.
    pub name: &'static str,
    /// Starts one server.
    pub make: fn(Boot<'_>) -> Result<Instance, PersistError>,
    /// Translates a typed request or reply of this design into neutral facts.
    pub facts: fn(&dyn Any) -> Facts,
    /// How its service numbers commands.
    pub numbering: Numbering,
    /// Finds the service's own snapshot in a server's storage, and the position of the last command
    /// that it covers. The index is the one that the service knows for this command.
    pub snapshot: fn(&Persisted) -> Option<(Position, Bytes)>,
    /// Its key/value service, for parts 3A and 3B; without one the design cannot play those parts.
    pub kv: Option<KvDesign>,
    /// Whether its servers speak `RaftRpc`, so that a scenario can play their peers.
    pub raft_rpc: bool,
    /// Whether its servers can keep log and data in one database, so that it plays part `store`.
    pub store: bool,
    /// The rules by which its runs are judged.
    pub rules: Rules,
}

/// The observers' rules that apply to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// The rules of the scenario's part and of the parts before it, so that a server without
    /// persistence can pass 2A and 2B.
    OfThePart,
    /// All rules in every part, because the user asked for it: `--strict`.
    AllOnDemand,
    /// All rules in every part, always.
    All,
}

/// Why a design cannot play a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The scenario plays servers itself, with messages of `RaftRpc`, which the design does not
    /// speak.
    RaftRpc,
    /// The scenario is about a service that the design does not have.
    Service,
}

impl Design {
    /// A design whose servers speak `RaftRpc`: `make` starts one server.
    ///
    /// Every entry of its log is a command, and it stores the service's snapshots unchanged. Its
    /// key/value service is the one that comes with this build, if any; see
    /// [`with_kv`](Design::with_kv).
    pub const fn raft_rpc(
        name: &'static str,
        make: fn(Boot<'_>) -> Result<Instance, PersistError>,
    ) -> Design {
        Design { raft_rpc: true, ..Design::new(name, make, raft_rpc::facts) }
    }

    /// A design with messages of its own, which `facts` translates for the observers.
    ///
    /// It does not play the tests that speak `RaftRpc`; otherwise it is like
    /// [`Design::raft_rpc`].
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

    /// Returns this design with another key/value service.
    pub const fn with_kv(self, kv: KvDesign) -> Design {
        Design { kv: Some(kv), ..self }
    }

    /// Returns this design, judged by all rules in every part.
    pub const fn strict(self) -> Design {
        match self.rules {
            Rules::All => self,
            Rules::OfThePart | Rules::AllOnDemand => Design { rules: Rules::AllOnDemand, ..self },
        }
    }

    /// Whether this design can play `scenario`.
    pub const fn can_play(&self, scenario: &Scenario) -> bool {
        self.unfit_for(scenario).is_none()
    }

    /// Why this design cannot play `scenario`; `None` if it can.
    pub const fn unfit_for(&self, scenario: &Scenario) -> Option<Unfit> {
        if scenario.puppets && !self.raft_rpc {
            return Some(Unfit::RaftRpc);
        }
        let has_service = match scenario.part {
            Part::P2A | Part::P2B | Part::P2C | Part::P2D => true,
            Part::P3A | Part::P3B => self.kv.is_some(),
            Part::Store => self.store,
        };
        if has_service { None } else { Some(Unfit::Service) }
    }
}

/// The meaning of the index that a service receives with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// The index of the command's entry in the log: every entry is a command.
    Entries,
    /// The command's number among the commands of the log. A leader begins its term with a no-op
    /// entry, so the first entry of each term has no number.
    Commands,
}

/// All designs of this build, the reference first; none without the feature `solutions`.
pub static DESIGNS: &[Design] = &[
    #[cfg(feature = "solutions")]
    RPC,
    #[cfg(feature = "solutions")]
    TICK,
    #[cfg(feature = "raft-rs")]
    RAFT_RS,
];

/// The names of all designs, including those that only another build has.
pub const DESIGN_NAMES: [&str; 3] = ["rpc", "tick", "raft-rs"];

/// Why no design was found by its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchDesign {
    /// No design has that name: choose one of [`DESIGN_NAMES`].
    #[error("no design is called {0:?}")]
    Unknown(String),
    /// This build does not have the design: build with the feature of the same name.
    #[error(
        "this build does not include it: add `--features {0}`, as in `cargo run --release --features {0} -- test --design {0}`"
    )]
    NotBuilt(&'static str),
}

/// Finds the design with the name `name` among `designs`.
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
