//! The receivers of the three calls: each locks, applies the paper's rule, syncs, and replies.

use raftlab::api::Term;
use raftlab::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Context, InstallSnapshotArgs, InstallSnapshotReply,
    RaftRpc, RequestVoteArgs, RequestVoteReply,
};

use crate::raft::Raft;

/// The term in a dead server's reply. It is older than any request's, so no caller takes the reply
/// for a promise.
const NO_TERM: Term = Term(0);

impl RaftRpc for Raft {
    async fn request_vote(self, _: Context, args: RequestVoteArgs) -> RequestVoteReply {
        if let Some(mut state) = self.live() {
            let vote_granted = state.grant_vote(&args);
            if state.flush() {
                return RequestVoteReply { term: state.current_term, vote_granted };
            }
        }
        RequestVoteReply { term: NO_TERM, vote_granted: false }
    }

    async fn append_entries(self, _: Context, args: AppendEntriesArgs) -> AppendEntriesReply {
        if let Some(mut state) = self.live() {
            let reply = state.append(args);
            if state.flush() {
                self.wake_applier(&state);
                return reply;
            }
        }
        AppendEntriesReply { term: NO_TERM, success: false, conflict: None }
    }

    async fn install_snapshot(self, _: Context, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        if let Some(mut state) = self.live() {
            state.install(args);
            if state.flush() {
                self.wake_applier(&state);
                return InstallSnapshotReply { term: state.current_term };
            }
        }
        InstallSnapshotReply { term: NO_TERM }
    }
}
