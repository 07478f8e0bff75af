//! The tasks that replicate: one per follower, which is also its heartbeat.
//!
//! What to send and what an answer means is decided in `replication.rs`. Here is when: at once
//! where entries are owed, after a moment where only news of the commit index is, and at the
//! latest when a heartbeat is due. A replicator never waits for an answer. Each call has a short
//! task of its own, since one to a server that is cut off may take seconds, and a follower must
//! hear its leader every [`HEARTBEAT_INTERVAL`] whatever became of the last call.

use std::sync::Arc;

use super::replication::{Message, Owed};
use super::replies::Sent;
use super::server::Server;
use super::timing::{COMMIT_NEWS_DELAY, HEARTBEAT_INTERVAL};
use crate::api::ServerId;
use crate::api::raft_rpc::{AppendEntriesArgs, InstallSnapshotArgs};
use crate::labrpc;
use crate::runtime::time::Instant;

/// Sends `follower` what it is owed and, at the latest, a heartbeat; until the instance stops.
///
/// The message is made in the same critical section that finds us leading, so it says what was
/// true of one term. It is sent outside, by a task of its own that waits for the answer.
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
