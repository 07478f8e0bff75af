//! The replicators: the tasks, one per follower, that send what `replication.rs` decides. The
//! replies are judged in `replies.rs`.
//!
//! A replicator decides only *when* to send: at once if entries are owed, after a moment if only a
//! new commit index is, and at the latest when a heartbeat is due. It never waits for a reply. Each
//! call has a short task of its own: a call to a server that is cut off may take seconds, and a
//! follower must hear its leader every [`HEARTBEAT_INTERVAL`], whatever happened to the last call.

use std::sync::Arc;

use super::replication::{Message, Owed, Sent, SentSnapshot};
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
pub(super) fn run(server: &Arc<Server>, follower: ServerId) {
    // Handout 2A: while this server leads, send heartbeats; 2B sends entries, 2D snapshots.
    let wake = server.replicator(follower);
    let mut send_at = Instant::now();
    let mut guard = server.lock();
    while !server.stop.is_stopped() {
        if !guard.is_leader() {
            guard.wait(wake);
            continue;
        }
        let now = Instant::now();
        match guard.owed_to(follower) {
            Owed::Message => send_at = now,
            Owed::CommitNews => send_at = send_at.min(now + COMMIT_NEWS_DELAY),
            Owed::Nothing => {}
        }
        if now < send_at {
            guard.wait_until(wake, send_at);
            continue;
        }
        send_at = now + HEARTBEAT_INTERVAL;
        let message = guard.step(|state, _| state.message_to(follower)).flatten();
        drop(guard);
        match message {
            Some(Message::Append(args, sent)) => append_entries(server, follower, args, sent),
            Some(Message::Install(args, sent)) => install_snapshot(server, follower, args, sent),
            None => {}
        }
        guard = server.lock();
    }
}

fn append_entries(server: &Arc<Server>, follower: ServerId, args: AppendEntriesArgs, sent: Sent) {
    let peer = server.peer(follower);
    let call = async move { peer.append_entries(labrpc::context(), args).await };
    server.call(call, move |server, reply| {
        server.step(|state, effects| state.on_append_reply(follower, sent, &reply, effects));
    });
}

fn install_snapshot(
    server: &Arc<Server>,
    follower: ServerId,
    args: InstallSnapshotArgs,
    sent: SentSnapshot,
) {
    let peer = server.peer(follower);
    let call = async move { peer.install_snapshot(labrpc::context(), args).await };
    server.call(call, move |server, reply| {
        server.step(|state, effects| state.on_install_reply(follower, sent, &reply, effects));
    });
}
