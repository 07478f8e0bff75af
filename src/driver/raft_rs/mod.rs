//! The crate `raft` (raft-rs, of TiKV) as a core: an independent implementation of the paper, which
//! runs through the same suite.
//!
//! It has the design of our own core, from the same ancestor, so it fits the driver's trait, with
//! one difference: storing changes its state. The crate hands out a `Ready`, is told that it is
//! stored, and only then counts the leader's own copy of an entry. The results, commits and the
//! messages about them, come in a second, lighter `Ready`. To the driver it is simply the next one:
//!
//! ```text
//!            driver                  here                      crate
//!            ready() ──────────────► ready() ────────────────► ready()
//!            store, send, apply                                   │
//!            advance() ────────────► advance() ──────────────► advance(ready)
//!            ready() ◄───────────────── the rest ◄───────────── LightReady
//!            send, apply                                          │
//!            advance() ────────────► advance() ──────────────► advance_apply()
//! ```
//!
//! The driver gives the core no input between a `ready` and its `advance`: the crate forbids it.
//!
//! The crate leaves other duties to its owner:
//!
//! - *Randomness.* The crate draws its election timeouts from a source without a seed. Each is
//!   replaced by one of ours before it is used ([`RaftRs::draw_timeout`]).
//! - *Proposals.* A follower passes a proposal on to its leader and reports success. So only a
//!   leader is asked here.
//! - *Reads.* A leader that has not committed in its term drops a read without an error. Such reads
//!   wait here.
//! - *Lost snapshots.* The crate sends nothing more to a follower until it learns what became of a
//!   snapshot. The driver reports a loss, as it does to our own core.
//! - *Pace.* One append with entries is in flight to a follower at a time, as with our own core:
//!   later entries share the next append. The crate's own setting for fewer messages,
//!   `batch_append`, adds entries to an append that has not left yet. It is off: the crate adds
//!   them to an empty append without checking that they follow it, and the follower then claims
//!   entries that it lacks (`tests.rs` shows how).
//!
//! The crate panics at an inconsistency, and the run fails.
//!
//! `words.rs` translates the messages, `storage.rs` is the disk that the crate reads.

mod storage;
#[cfg(test)]
mod tests;
mod words;

use bytes::Bytes;
use raft::eraftpb::{self, MessageType};
use raft::{Config, LightReady, RawNode, SnapshotStatus, StateRole};
use slog::{Discard, Logger, o};

use self::storage::Disk;
use super::core::{Core, Life, Status};
use super::timing::{ELECTION_TICKS, FLOW_CONTROL, HEARTBEAT_TICKS};
use crate::api::{Index, Position, ServerId, Term};
use crate::runtime::rand::Chance;
use crate::tick::{Message, Ready, Role, SoftState};

/// A node of the crate `raft`.
pub struct RaftRs {
    node: RawNode<Disk>,
    me: ServerId,
    /// The source of election timeouts.
    chance: Chance,
    /// The current election timeout.
    timeout: Timeout,
    /// The work that the driver is doing.
    handed: Handed,
    /// The results of the last `advance`.
    rest: Option<LightReady>,
    /// Reads that came before this term's first commit, oldest first.
    postponed: Vec<u64>,
}

/// An election timeout of ours, with the role and the term for which it was drawn.
#[derive(Debug, Clone, Copy)]
struct Timeout {
    role: StateRole,
    term: u64,
    ticks: usize,
}

/// The part of a `Ready` that the driver is working on.
#[derive(Debug, Default)]
enum Handed {
    #[default]
    Nothing,
    All(Box<raft::Ready>),
    Rest,
}

impl RaftRs {
    /// Replaces the crate's election timeout by one of ours.
    ///
    /// The crate draws one at each change of role or term, and uses it at the next tick.
    fn draw_timeout(&mut self) {
        let raft = &mut self.node.raft;
        let (role, term) = (raft.state, raft.term);
        if (role, term) != (self.timeout.role, self.timeout.term) {
            let ticks = draw(&mut self.chance);
            self.timeout = Timeout { role, term, ticks };
            raft.set_randomized_election_timeout(ticks);
        }
        let (in_force, ours) = (raft.randomized_election_timeout(), self.timeout.ticks);
        assert_eq!(
            in_force, ours,
            "the core drew another timeout while it still was {role:?} of term {term}"
        );
    }

    fn leads(&self) -> bool {
        self.node.raft.state == StateRole::Leader
    }

    /// Starts the reads that waited for this term's first commit.
    ///
    /// A deposed leader has none: the driver has refused them all.
    fn release_reads(&mut self) {
        if !self.leads() {
            self.postponed.clear();
        } else if self.node.raft.commit_to_current_term() {
            for context in std::mem::take(&mut self.postponed) {
                self.node.read_index(words::context(context));
            }
        }
    }

    /// Stores what the crate reads again, and translates its `Ready` into ours.
    fn hand_over(&mut self, ready: &mut raft::Ready) -> Ready {
        let snapshot = Some(ready.snapshot()).filter(|snapshot| !snapshot.is_empty());
        let snapshot = snapshot.cloned().map(words::our_snapshot);
        let disk = self.node.mut_store();
        if let Some(snapshot) = snapshot.clone() {
            disk.install(snapshot);
        }
        disk.append(ready.entries());
        // A leader's messages may leave before the rest is stored, all others only after it. Here
        // all leave after it.
        let mut messages = ready.take_messages();
        messages.extend(ready.take_persisted_messages());
        Ready {
            soft_state: ready.ss().map(soft_state),
            hard_state: ready.hs().map(words::our_hard_state),
            entries: ready.take_entries().into_iter().map(words::our_entry).collect(),
            snapshot,
            committed_entries: entries(ready.take_committed_entries()),
            messages: messages.into_iter().map(words::ours).collect(),
            read_states: ready.read_states().iter().map(words::our_read_state).collect(),
            must_sync: ready.must_sync(),
        }
    }
}

impl Core for RaftRs {
    fn restart(life: Life) -> RaftRs {
        let Life { me, servers, persisted, mut chance } = life;
        let disk = Disk::restored(persisted, servers);
        let config = Config {
            id: words::node_id(me),
            election_tick: ticks(ELECTION_TICKS),
            heartbeat_tick: ticks(HEARTBEAT_TICKS),
            applied: disk.covered().index.0,
            // The crate's default is one message per entry.
            max_size_per_msg: FLOW_CONTROL.append_bytes_max as u64,
            max_inflight_msgs: FLOW_CONTROL.inflight_max,
            ..Config::default()
        };
        let mut node = RawNode::new(&config, disk, &Logger::root(Discard, o!()))
            .expect("what was stored and read back fits together");
        let timeout =
            Timeout { role: node.raft.state, term: node.raft.term, ticks: draw(&mut chance) };
        node.raft.set_randomized_election_timeout(timeout.ticks);
        let (handed, rest, postponed) = (Handed::Nothing, None, Vec::new());
        RaftRs { node, me, chance, timeout, handed, rest, postponed }
    }

    fn tick(&mut self) {
        self.node.tick();
        self.draw_timeout();
    }

    fn step(&mut self, message: Message) -> Option<usize> {
        let place = self.node.raft.msgs.len();
        // The crate does not check the receiver of a message.
        let message = words::theirs(message).filter(|it| it.to == words::node_id(self.me))?;
        let from = message.from;
        // An error means that the sender is unknown; the message changes nothing.
        self.node.step(message).ok()?;
        self.draw_timeout();
        let answers =
            |reply: &eraftpb::Message| reply.to == from && words::is_response(reply.msg_type);
        let found = self.node.raft.msgs.get(place..)?.iter().position(answers);
        found.map(|offset| place + offset)
    }

    fn propose(&mut self, data: Bytes) -> Option<Position> {
        if !self.leads() {
            return None;
        }
        let entry = eraftpb::Entry { data, ..eraftpb::Entry::default() };
        let proposal = eraftpb::Message {
            msg_type: MessageType::MsgPropose,
            from: words::node_id(self.me),
            entries: vec![entry].into(),
            ..eraftpb::Message::default()
        };
        self.node.raft.step(proposal).ok()?;
        let log = &self.node.raft.raft_log;
        Some(Position { term: Term(log.last_term()), index: Index(log.last_index()) })
    }

    fn read_index(&mut self, context: u64) -> bool {
        if self.leads() {
            self.postponed.push(context);
            self.release_reads();
        }
        self.leads()
    }

    fn report_unreachable(&mut self, to: ServerId) {
        self.node.report_unreachable(words::node_id(to));
    }

    fn report_snapshot_lost(&mut self, to: ServerId) {
        self.node.report_snapshot(words::node_id(to), SnapshotStatus::Failure);
    }

    fn compact(&mut self, index: Index, data: Bytes) -> Option<Position> {
        let applied = self.node.raft.raft_log.applied;
        assert!(
            index.0 <= applied,
            "a snapshot up to {index}, but only entries up to {applied} are applied"
        );
        self.node.mut_store().compact(index, data)
    }

    fn ready(&mut self) -> Option<Ready> {
        if let Some(mut rest) = self.rest.take() {
            self.handed = Handed::Rest;
            return Some(Ready {
                committed_entries: entries(rest.take_committed_entries()),
                messages: rest.take_messages().into_iter().map(words::ours).collect(),
                ..Ready::default()
            });
        }
        self.release_reads();
        if !self.node.has_ready() {
            return None;
        }
        let mut ready = Box::new(self.node.ready());
        let ours = self.hand_over(&mut ready);
        self.handed = Handed::All(ready);
        Some(ours)
    }

    fn advance(&mut self) {
        match std::mem::take(&mut self.handed) {
            Handed::All(ready) => {
                let rest = self.node.advance(*ready);
                // The commit index is not stored: drop a rest that has only a new one.
                let empty = rest.messages().is_empty() && rest.committed_entries().is_empty();
                self.rest = Some(rest).filter(|_| !empty);
            }
            Handed::Rest => self.node.advance_apply(),
            Handed::Nothing => panic!("advance follows a ready"),
        }
    }

    fn status(&self) -> Status {
        let raft = &self.node.raft;
        let leader = words::server(raft.leader_id);
        Status { term: Term(raft.term), is_leader: self.leads(), leader }
    }

    fn last_index(&self) -> Index {
        Index(self.node.raft.raft_log.last_index())
    }
}

fn entries(theirs: Vec<eraftpb::Entry>) -> Vec<crate::api::Entry> {
    theirs.into_iter().map(words::our_entry).collect()
}

fn soft_state(state: &raft::SoftState) -> SoftState {
    let role = match state.raft_state {
        StateRole::Follower => Role::Follower,
        StateRole::PreCandidate => Role::PreCandidate,
        StateRole::Candidate => Role::Candidate,
        StateRole::Leader => Role::Leader,
    };
    SoftState { lead: words::server(state.leader_id), role }
}

/// Draws an election timeout, from the shortest to just below twice as long (Raft §5.2).
fn draw(chance: &mut Chance) -> usize {
    let more = u32::try_from(chance.below(ELECTION_TICKS.into())).expect("below its bound");
    ticks(ELECTION_TICKS + more)
}

fn ticks(count: u32) -> usize {
    usize::try_from(count).expect("a few ticks")
}
