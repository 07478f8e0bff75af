//! The tasks that replicate: one per follower, which also sends its heartbeats.
//!
//! `replication.rs` decides what to send, and `replies.rs` what a reply means. This file decides
//! when to send: at once if entries are owed, after a moment if only a new commit index is, and at
//! the latest when a heartbeat is due. A replicator never waits for a reply. Each call has a short
//! task of its own: a call to a server that is cut off may take seconds, and a follower must hear
//! its leader every [`HEARTBEAT_INTERVAL`], whatever happened to the last call.

use std::sync::Arc;

use super::replication::{Message, Owed};
use super::replies::Sent;
use super::server::Server;
use super::timing::{COMMIT_NEWS_DELAY, HEARTBEAT_INTERVAL};
use crate::api::ServerId;
use crate::api::raft_rpc::{AppendEntriesArgs, InstallSnapshotArgs};
use crate::labrpc;
use crate::runtime::time::Instant;

/// Sends `follower` the owed messages, and heartbeats when they are due, until the instance stops.
///
/// One critical section checks that we lead and makes the message, so the message belongs to one
/// term. A new task then sends it, without the lock, and waits for the reply.
pub fn run(server: &Arc<Server>, follower: ServerId) {
    let wake = server.replicator(follower);
    let mut heartbeat_due = Instant::now();
    let mut guard = server.lock();
    while !server.stop.is_stopped() {
        if !guard.is_leader() {
            guard.wait(wake);
            continue;
        }
        let now = Instant::now();
        match guard.owed_to(follower) {
            Owed::Message => heartbeat_due = now,
            Owed::CommitNews => heartbeat_due = heartbeat_due.min(now + COMMIT_NEWS_DELAY),
            Owed::Nothing => {}
        }
        if now < heartbeat_due {
            guard.wait_until(wake, heartbeat_due);
            continue;
        }
        let read_round = guard.read_round;
        heartbeat_due = now + HEARTBEAT_INTERVAL;
        let message = guard.step(|state, _| state.message_to(follower)).flatten();
        drop(guard);
        match message {
            Some(Message::Append(args)) => append_entries(server, follower, args, read_round),
            Some(Message::Install(args)) => install_snapshot(server, follower, args),
            None => {}
        }
        guard = server.lock();
    }
}

fn append_entries(
    server: &Arc<Server>,
    follower: ServerId,
    args: AppendEntriesArgs,
    read_round: u64,
) {
    let sent = Sent {
        term: args.term,
        prev_log_index: args.prev_log_index,
        last_new_index: args.last_new_index(),
        read_round,
    };
    let peer = server.peer(follower);
    let call = async move { peer.append_entries(labrpc::context(), args).await };
    server.call(call, move |server, reply| {
        server.step(|state, effects| state.on_append_reply(follower, sent, &reply, effects));
    });
}

fn install_snapshot(server: &Arc<Server>, follower: ServerId, args: InstallSnapshotArgs) {
    let (term, last_included_index) = (args.term, args.last_included_index);
    let peer = server.peer(follower);
    let call = async move { peer.install_snapshot(labrpc::context(), args).await };
    server.call(call, move |server, reply| {
        server.step(|state, effects| {
            state.on_install_reply(follower, term, last_included_index, &reply, effects);
        });
    });
}
