//! Part 2B: two servers of four are no majority, neither for a commit nor for a read.
//!
//! With three or five servers, the middle of the sorted `match_index` values is what a majority
//! has, in whichever direction they are sorted. With four servers the direction matters.

use std::sync::Arc;
use std::time::Duration;

use super::appends::A_WHILE;
use crate::api::Index;
use crate::lab::puppet::{Appends, S0, S1, S2, S3, Stage};
use crate::lab::{Cluster, Scenario};
use crate::runtime::sync::Quiet;
use crate::runtime::thread;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("half_is_no_commit_2b", half_is_no_commit_2b)
        .servers(4)
        .puppets()
        .title("two servers of four commit nothing")
        .catches("an entry committed by half of the servers, as with match[n/2]"),
    Scenario::new("half_confirms_no_read_2b", half_confirms_no_read_2b)
        .servers(4)
        .puppets()
        .title("two servers of four confirm no read")
        .catches("a read that only half of the servers confirm"),
];

/// Longer than any election timeout: a leader may no longer rely on the replies from before.
const FORGOTTEN: Duration = Duration::from_secs(3);

/// An entry on two of four servers is not committed.
///
/// Raft §5.3: "A log entry is committed once the leader that created the entry has replicated it
/// on a majority of the servers". A wrong leader commits what half of the servers have.
fn half_is_no_commit_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let leading = stage.elect();
    stage.follows(S1);
    let index = leading.start("x");
    stage.wait_followed(S1, index);
    stage.cluster().run_for(A_WHILE);
    stage.expect_applied(Index(0), "S0 and S1 have it: two of four");
    leading.expect_commit_told(Index(0), "S0 and S1 have it: two of four");

    stage.follows(S2);
    stage.wait_applied(index.0);
}

/// Two of four servers cannot confirm that their leader still leads.
///
/// A leader "waits for acknowledgments from a majority of the cluster" (thesis §6.4). Only S1
/// replies to S0: two of four are no majority. A wrong leader lets its service read all the same.
fn half_confirms_no_read_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.puppets().for_each(|puppet| stage.follows(puppet));
    let leading = stage.elect();
    let index = leading.start("x");
    stage.wait_applied(index.0);
    for silent in [S2, S3] {
        stage.appends(silent, Appends::Hold);
    }
    stage.cluster().run_for(FORGOTTEN);

    // The read may wait for ever, so it has its own task.
    let answer = Arc::new(Quiet::new(None));
    let (here, told) = (stage.cluster().clone(), answer.clone());
    let reader = thread::spawn("reader", move || {
        let read = here.read_index(S0);
        told.with(|told| *told = read);
    });
    stage.cluster().run_for(FORGOTTEN);
    let early = answer.with(|answer| *answer);
    let confirmed = matches!(early, Some(Ok(Some(_))));
    assert!(!confirmed, "S2 and S3 are silent, but S0 lets its service read: {early:?}");
    [S2, S3].into_iter().for_each(|silent| stage.follows(silent));
    reader.join();
}
