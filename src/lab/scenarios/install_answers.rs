//! Part 2D: what a leader makes of the answers to its snapshot.

use std::time::Duration;

use super::install::wait_stored;
use crate::api::Term;
use crate::api::raft_rpc::{InstallSnapshotReply, RaftRpcResponse};
use crate::lab::Cluster;
use crate::lab::puppet::{Appends, Heard, Leading, S1, S2, Stage, at, entries};

/// A follower that has stopped has no snapshot: an answer of term 0 promises nothing.
///
/// No server in the paper answers in a term below the request's. Here one whose storage has failed
/// does, as `InstallSnapshotReply` says. S1 is such a server, and then a new one in its place, with
/// nothing:
///
/// ```text
/// S0   [1/5] 1 1 1 x
///        └── snapshot ──► S1   term 0
///        └── snapshot ──► S1'  yes
/// ```
pub fn install_of_no_term_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let (leading, install) = sends_snapshot(&stage);
    // S1 lies: it would rather have stopped, and so has no state from which this follows.
    let none = InstallSnapshotReply { term: Term(0) };
    stage.lie(&install, RaftRpcResponse::InstallSnapshot(none));
    stage.cluster().run_for(Duration::from_millis(10));
    stage.follows(S1);
    let index = leading.start("x");
    stage.wait_followed(S1, index);
}

/// A newer term in the answer to a snapshot ends a leadership like any other.
///
/// Figure 2, Rules for Servers, All Servers: "If RPC request or response contains term T >
/// currentTerm: set currentTerm = T, convert to follower". S1 says nothing else after that.
pub fn install_reply_deposes_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let (leading, install) = sends_snapshot(&stage);
    stage.appends(S1, Appends::Hold);
    let newer = stage.fresh_term();
    stage.learns_of(S1, newer);
    stage.release(&install);
    if !stage.soon(|| stage.state().term >= newer) {
        let (term, now) = (leading.term, stage.state());
        let message = format!("S1 answered S0, leader of term {term}, in term {newer}: {now:?}");
        stage.cluster().end_by_limit("not_deposed", message);
    }
}

/// S0 leads with `[1/5] 1 1 1`, S2 has all of it, and S1 nothing; the snapshot that S0 sends S1.
fn sends_snapshot<'s, 'c>(stage: &'s Stage<'c>) -> (Leading<'s, 'c>, Heard) {
    stage.attempt(|| {
        stage.snapshot_at(at(1, 5));
        stage.give_log(&[1; 8], 8)?;
        stage.wait_applied(8);
        wait_stored(stage, at(1, 5));
        Ok(())
    });
    stage.has_log(S1, Vec::new());
    stage.appends(S1, Appends::HoldSnapshots);
    stage.has_log(S2, entries(at(0, 0), &[1; 8]));
    stage.follows(S2);
    let leading = stage.elect();
    let installs = |heard: &Heard| heard.puppet == S1 && heard.install().is_some();
    let within = Duration::from_secs(5);
    let install = stage.hear(leading.mark, within, "send its snapshot to S1", installs);
    (leading, install)
}
