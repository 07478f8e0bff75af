//! Tests over the network: what a server still does after a crash does not count for its next life.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use raftlab::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply, RaftRpc,
    RequestVoteArgs, RequestVoteReply,
};
use raftlab::api::{Index, ServerId, Term};
use raftlab::lab::observe::{Life, Liveness, Observers};
use raftlab::lab::{DESIGNS, Facts, Numbering, Part};
use raftlab::labrpc::{Call, Fault, Host, Leg, Network, Service, Tap};
use raftlab::persister::{Persister, Unsynced};
use raftlab::raft::Peer;
use raftlab::runtime::{self, RunConfig, thread};
use tarpc::context::Context;

use super::play::{S0, S1};

/// Gives every candidate its vote.
#[derive(Clone)]
struct Voter {
    persister: Persister,
}

impl RaftRpc for Voter {
    async fn request_vote(self, _: Context, args: RequestVoteArgs) -> RequestVoteReply {
        self.persister.save_vote(args.term, Some(args.candidate_id));
        self.persister.sync().unwrap();
        RequestVoteReply { term: args.term, vote_granted: true }
    }

    async fn append_entries(self, _: Context, _: AppendEntriesArgs) -> AppendEntriesReply {
        unreachable!("no server leads")
    }

    async fn install_snapshot(self, _: Context, _: InstallSnapshotArgs) -> InstallSnapshotReply {
        unreachable!("no server leads")
    }
}

fn boot(
    network: &Network,
    observers: &Arc<Observers>,
    server: ServerId,
    persister: &Persister,
) -> Arc<Life> {
    let life = observers.boot(server, &persister.load().unwrap(), 0);
    persister.watch(life.clone());
    let service = Service::new(Voter { persister: persister.clone() }.serve());
    network.add_server(Host::Server(server), vec![service]);
    life
}

#[test]
fn a_request_that_a_dead_server_handles_does_not_count_for_its_next_life() {
    let facts: fn(&dyn Any) -> Facts = DESIGNS[0].facts;
    let outcome = runtime::run(&RunConfig::default(), move || {
        let (network, observers) = (
            Network::new(),
            Observers::new(3, facts, Numbering::Entries, Liveness::Judged, Part::LAST),
        );
        network.tap(observers.clone());
        network.add_rule("late", Arc::new(Fault::hold(Leg::Request, Duration::from_secs(1))));
        let (candidate, voter) = (Persister::new(), Persister::new());
        boot(&network, &observers, S0, &candidate);
        let first = boot(&network, &observers, S1, &voter);
        candidate.save_vote(Term(1), Some(S0));
        candidate.sync().unwrap();
        let (from, to) = (Host::Server(S0), Host::Server(S1));
        let peer = Peer::from(network.end(from, to));
        network.enable(from, to, true);
        let asked = thread::spawn("asks", move || {
            let args = RequestVoteArgs {
                term: Term(1),
                candidate_id: S0,
                last_log_index: Index(0),
                last_log_term: Term(0),
            };
            runtime::block_on(peer.request_vote(raftlab::labrpc::context(), args))
        });
        thread::sleep(Duration::from_millis(500));
        // S1 crashes and starts again while the request to its first life is in flight.
        first.end();
        network.delete_server(to);
        let voter = voter.crash(Unsynced::LoseAll);
        boot(&network, &observers, S1, &voter);
        assert!(asked.join().is_err(), "the reply of a dead life reached the candidate");
        thread::sleep(Duration::from_secs(2));
        assert_eq!(voter.load().unwrap().voted_for, None, "a write of a dead life was kept");
        observers.finish();
    });
    outcome.result.unwrap_or_else(|failure| panic!("false alarm: {failure}"));
}

/// Counts the requests and the replies that it sees.
#[derive(Default)]
struct Shown(runtime::sync::Quiet<(u32, u32)>);

impl Tap for Shown {
    fn sent(&self, _: &Call<'_>, _: &dyn Any) {
        self.0.with(|(sent, _)| *sent += 1);
    }

    fn answered(&self, _: &Call<'_>, _: &dyn Any) {
        self.0.with(|(_, answered)| *answered += 1);
    }
}

#[test]
fn a_request_of_a_dead_server_reaches_no_server_and_no_tap() {
    let outcome = runtime::run(&RunConfig::default(), || {
        let (network, shown) = (Network::new(), Arc::new(Shown::default()));
        network.tap(shown.clone());
        let (from, to) = (Host::Server(S0), Host::Server(S1));
        let service = Service::new(Voter { persister: Persister::new() }.serve());
        network.add_server(to, vec![service]);
        let peer = Peer::from(network.end(from, to));
        network.enable(from, to, true);
        network.delete_server(from);
        let args = RequestVoteArgs {
            term: Term(1),
            candidate_id: S0,
            last_log_index: Index(0),
            last_log_term: Term(0),
        };
        let reply = runtime::block_on(peer.request_vote(raftlab::labrpc::context(), args));
        (reply.is_err(), shown.0.with(|shown| *shown))
    });
    assert_eq!(outcome.result.unwrap(), (true, (0, 0)));
}
