//! Part 2B: reads by index at a server that leads, is deposed, and leads again.

use std::time::Duration;

use crate::api::{Entry, Index, Position};
use crate::lab::puppet::{S0, S1, Stage};
use crate::lab::{Cluster, Scenario};
use crate::runtime::thread;

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new("late_reads_2b", late_reads_2b)
    .puppets()
    .title("a read of an earlier leadership")
    .catches("a read of an earlier leadership that a later one confirms")];

/// How many reads are tried: each waits less than a second, and an election may take longer.
const ROUNDS: usize = 6;

/// Longer than any election timeout: a leader may no longer rely on the replies from before.
const FORGOTTEN: Duration = Duration::from_secs(3);

/// A server that was deposed when a read came does not confirm the read by leading again later.
///
/// Raft §8: a leader must check "whether it has been deposed before processing a read-only
/// request". S0 hears that S1 leads only after the read has come. A wrong server lets the read take
/// the old index x, although S1 has committed y:
///
/// ```text
/// S0      leads      x              read? ······ y    leads again: not from x on
/// S1 S2                x    S1 leads: y
/// ```
fn late_reads_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.puppets().for_each(|puppet| stage.follows(puppet));
    let mut leading = stage.elect();
    for round in 0..ROUNDS {
        let index = leading.start(&format!("x {round}"));
        stage.wait_applied(index.0);
        stage.wait_followed(S1, index);

        // The others have S1 as their leader, which commits y, and no longer hear S0.
        stage.puppets().for_each(|puppet| stage.reaches(puppet, false));
        stage.cluster().run_for(FORGOTTEN);
        let (before, mut log) = (stage.last_of(S1), stage.entries_of(S1));
        let term = stage.fresh_term();
        let y = Entry { term, index: before.index.next(), data: format!("y {round}").into() };
        log.push(y.clone());

        let here = stage.cluster().clone();
        let reader = thread::spawn("reader", move || here.read_index(S0));
        stage.cluster().run_for(Duration::from_millis(1));
        let commit = y.index.0;
        let _ = stage.append(S1, term, before, vec![y], commit);
        for puppet in stage.puppets() {
            stage.has_log(puppet, log.clone());
            stage.follows(puppet);
            stage.reaches(puppet, true);
        }
        leading = stage.elect();
        judge(reader.join(), Position { term, index: Index(commit) });
    }
}

/// Fails if the service may read without `committed`, which was committed before the read.
fn judge<E>(answer: Option<Result<Option<Index>, E>>, committed: Position) {
    if let Some(Ok(Some(index))) = answer {
        assert!(
            index >= committed.index,
            "S1 had committed {committed} when the service asked S0, but S0 lets it read at index \
             {index}"
        );
    }
}
