//! Part 2A: time limits, from below as well as from above.
//!
//! A timeout that is too short costs as much as one that is too long, and no test of the course
//! notices either. The limits leave room: a server may wait two heartbeats or twenty. But a lost
//! heartbeat must not depose a leader, and a lost leader must be replaced within the lab's five
//! seconds even when the first vote is split.

use std::time::Duration;

use crate::api::{ServerId, Term};
use crate::lab::puppet::{Heard, Overtaken, S1, S2, Stage, Votes, at};
use crate::lab::{Cluster, Scenario};
use crate::runtime::thread;
use crate::runtime::time::{Instant, since_start};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("election_timeouts_2a", election_timeouts_2a)
        .puppets()
        .title("election timeouts")
        .catches("election timeouts of several seconds, or always the same timeout"),
    Scenario::new("heartbeats_2a", heartbeats_2a)
        .puppets()
        .title("heartbeats")
        .catches("a silent new leader; an election because of one late heartbeat"),
    Scenario::new("timer_is_reset_2a", timer_is_reset_2a)
        .puppets()
        .title("what resets the election timer")
        .catches("elections although the leader is alive, or right after a vote was given"),
    Scenario::new("timer_is_not_reset_2a", timer_is_not_reset_2a)
        .puppets()
        .title("what does not reset the election timer")
        .catches("an election timer that any call resets"),
    // While nothing fails, no server starts an election.
    //
    // A wrong server starts elections without a cause.
    Scenario::new("stable_leader_2a", |cluster| elections_in_half_a_minute(cluster, 2))
        .title("half a minute without faults")
        .catches("elections while the leader is alive and connected"),
    // A leader keeps leading most of the time, although one heartbeat in ten is lost.
    //
    // A wrong follower starts an election after a single lost heartbeat.
    Scenario::new("stable_leader_unreliable_2a", |cluster| elections_in_half_a_minute(cluster, 9))
        .unreliable()
        .title("half a minute of lost heartbeats")
        .catches("a leader that is deposed because one heartbeat was lost"),
    Scenario::new("leader_is_replaced_2a", leader_is_replaced_2a)
        .title("time to a new leader")
        .catches("election timeouts of many seconds"),
    Scenario::new("outdated_candidate_2b", outdated_candidate_2b)
        .puppets()
        .title("an outdated candidate that keeps asking")
        .catches("an election timer that every vote request resets"),
];

/// Longest time that a follower may hear no leader before it starts an election.
///
/// Two of these and the calls fit into the lab's five seconds, so that one vote may be split.
const ELECTION_TIMEOUT_MAX: Duration = Duration::from_millis(2000);

/// How late a request may be on the lab's unreliable network.
const DELAY_MAX: Duration = Duration::from_millis(27);

/// Calls closer together than this count as one: a leader may send two at once.
const APART: Duration = Duration::from_millis(10);

/// How often each follower may hear its leader in a second: the lab's limit.
const HEARTBEATS_PER_SECOND_MAX: u64 = 30;

/// A server draws a new timeout for each election, and none is too long.
///
/// Raft §5.2: "Raft uses randomized election timeouts". S0 starts eight elections in vain. A wrong
/// server waits for seconds, or always for the same time.
fn election_timeouts_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.all_vote(Votes::Refuse);
    let mut timeouts: Vec<Duration> = Vec::new();
    let mut before = (stage.mark(), Duration::ZERO, Term(0));
    for _ in 0..8 {
        let (mark, at, term) = before;
        let stands = |heard: &Heard| heard.vote().is_some() && heard.term() > term;
        let heard = stage.hear(mark, ELECTION_TIMEOUT_MAX, "start an election", stands);
        timeouts.push(heard.at - at);
        before = (heard.mark(), heard.at, heard.term());
    }
    let shortest = timeouts.iter().min().copied().unwrap_or_default();
    let longest = timeouts.iter().max().copied().unwrap_or_default();
    if longest - shortest < Duration::from_millis(5) {
        let message = format!("all of eight election timeouts were {shortest:?} to {longest:?}");
        stage.cluster().end_by_limit("timeouts_not_random", message);
    }
}

/// A new leader sends heartbeats at once and then regularly, and a follower tolerates late ones.
///
/// The measure is S0's own heartbeat interval: as a follower, S0 must tolerate heartbeats that come
/// half an interval late, plus the longest delay of the lab's network. A wrong leader is silent
/// after its election; a wrong follower starts an election when one heartbeat is late.
fn heartbeats_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let interval = heartbeat_interval(&stage);

    // "Upon election: send initial empty AppendEntries RPCs to each server" (Figure 2).
    for _ in 0..5 {
        let begun = since_start();
        let leading = stage.elect();
        let heard = stage.heard_since(leading.mark);
        let of_term = |heard: &&Heard| heard.term() == leading.term;
        let asked = heard.iter().filter(of_term).find(|heard| heard.vote().is_some());
        let leads = heard.iter().filter(of_term).find(|heard| heard.vote().is_none());
        if let (Some(asked), Some(leads)) = (asked, leads) {
            let silence = leads.at - asked.at;
            if silence > interval / 3 && stage.cluster().was_undisturbed_since(begun) {
                let message = format!("S0 won at once, but its first heartbeat took {silence:?}");
                stage.cluster().end_by_limit("first_heartbeat", message);
            }
        }
        depose(&stage);
    }

    let gap = interval * 3 / 2 + DELAY_MAX;
    follows(&stage, "late heartbeats", gap, |term| {
        stage.append(S1, term, at(0, 0), Vec::new(), 0).map(drop)
    });
}

/// A leader's heartbeat resets the election timer, even a refused one, and so does a vote given.
///
/// Raft §5.2. One of these comes every 60 ms for two seconds, and S0 must start no election. A
/// wrong follower starts one under a live leader, or right after it has given a vote.
fn timer_is_reset_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let gap = Duration::from_millis(60);
    follows(&stage, "heartbeats", gap, |term| {
        stage.append(S1, term, at(0, 0), Vec::new(), 0).map(drop)
    });
    follows(&stage, "heartbeats that it refuses", gap, |term| {
        stage.append(S1, term, at(7, 7), Vec::new(), 0).map(drop)
    });
    follows(&stage, "votes that it gives", gap, |_| {
        let reply = stage.ask_vote(S1, stage.fresh_term(), at(0, 0))?;
        assert!(reply.vote_granted, "a new term, an empty log: {reply:?}");
        Ok(())
    });
}

/// A refused vote or a call from an older term does not reset the election timer.
///
/// Otherwise a candidate that cannot win keeps servers that could win from starting an election. A
/// wrong follower resets its timer at any call.
fn timer_is_not_reset_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stands_despite(&stage, "requests of S2 for a vote that S1 has", |term| {
        stage.ask_vote(S2, term, at(0, 0)).map(drop)
    });
    stands_despite(&stage, "requests for votes of an older term", |term| {
        stage.ask_vote(S2, Term(term.0 - 1), at(0, 0)).map(drop)
    });
    stands_despite(&stage, "heartbeats of an older leader", |term| {
        stage.append(S2, Term(term.0 - 1), at(0, 0), Vec::new(), 0).map(drop)
    });
}

/// A candidate with an outdated log asks again and again; S0, which could win, starts an election.
///
/// Each request has a newer term. A wrong follower resets its election timer at every vote request.
/// This is part 2B, since no log is outdated before that.
fn outdated_candidate_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| stage.give_log(&[1, 1], 0));
    let mark = stage.mark();
    let deadline = Instant::now() + ELECTION_TIMEOUT_MAX;
    let stands = |heard: &Heard| heard.vote().is_some();
    while stage.try_hear(mark, Duration::from_millis(50), stands).is_none() {
        if Instant::now() >= deadline {
            let message = "an outdated candidate keeps S0 from starting an election".to_string();
            stage.cluster().end_by_limit("no_election", message);
        }
        if let Ok(reply) = stage.ask_vote(S1, stage.fresh_term(), at(0, 0)) {
            assert!(!reply.vote_granted, "S1 lacks both entries: {reply:?}");
        }
    }
}

/// When a leader is gone, the servers elect the next one in a second or two, not in five.
///
/// A wrong server waits for many seconds before it starts an election.
fn leader_is_replaced_2a(cluster: &mut Cluster) {
    let mut spans = Vec::new();
    for _ in 0..5 {
        let old = cluster.wait_for_leader();
        cluster.isolate(old);
        let begun = Instant::now();
        while !cluster.servers().any(|server| server != old && leads(cluster, server)) {
            if begun.elapsed() > Duration::from_secs(5) {
                cluster.end_by_limit("no_leader", "no new leader for five seconds".to_string());
            }
            cluster.sleep_ms(10);
        }
        spans.push(begun.elapsed());
        cluster.heal();
    }
    spans.sort();
    if spans[2] > ELECTION_TIMEOUT_MAX {
        let message = format!("lost leaders were replaced after {spans:?}");
        cluster.end_by_limit("slow_election", message);
    }
}

fn leads(cluster: &Cluster, server: ServerId) -> bool {
    cluster.state_of(server).is_some_and(|state| state.is_leader)
}

/// Fails if there are more than `elections_max` elections in 30 quiet seconds.
///
/// If neither the schedule nor the network disturbs a server, no election is allowed.
fn elections_in_half_a_minute(cluster: &Cluster, elections_max: u64) {
    cluster.wait_for_leader();
    let terms = || cluster.servers().filter_map(|server| cluster.state_of(server));
    let latest = || terms().map(|state| state.term.0).max().unwrap_or(0);
    let (before, begun) = (latest(), since_start());
    cluster.run_for(Duration::from_secs(30));
    let elections = latest() - before;
    let calm = cluster.is_reliable() && cluster.was_undisturbed_since(begun);
    cluster.check_at_most("elections", elections, if calm { 0 } else { elections_max });
}

/// The usual time between two heartbeats of S0 as leader.
fn heartbeat_interval(stage: &Stage<'_>) -> Duration {
    let leading = stage.elect();
    let mark = stage.mark();
    stage.cluster().run_for(Duration::from_secs(1));
    let heard = stage.heard_since(mark);
    let mut times: Vec<Duration> =
        heard.iter().filter(|heard| heard.puppet == S2).map(|heard| heard.at).collect();
    times.dedup_by(|later, before| *later - *before < APART);
    assert!(stage.state().term >= leading.term, "a term never goes back");
    stage.cluster().check_at_most("heartbeats", times.len() as u64, HEARTBEATS_PER_SECOND_MAX);
    let mut gaps: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort();
    let Some(usual) = gaps.get(gaps.len() / 2).copied() else {
        let message = format!("S2 heard its leader {} times in a second", times.len());
        stage.cluster().end_by_limit("heartbeats_too_rare", message)
    };
    depose(stage);
    usual
}

/// Ends S0's leadership.
fn depose(stage: &Stage<'_>) {
    let _ = stage.append(S1, stage.fresh_term(), at(0, 0), Vec::new(), 0);
}

/// Does `keep` at once and every `gap` for two seconds, in a new term.
///
/// Fails if S0 starts an election meanwhile, although the schedule delayed no server.
pub(super) fn follows(
    stage: &Stage<'_>,
    what: &str,
    gap: Duration,
    keep: impl Fn(Term) -> Result<(), Overtaken>,
) {
    let term = stage.insist(|| {
        let term = stage.fresh_term();
        keep(term).map(|()| term)
    });
    let (begun, mark) = (since_start(), stage.mark());
    while since_start() - begun < Duration::from_secs(2) {
        thread::sleep(gap);
        let stands = |heard: &Heard| heard.vote().is_some() && heard.term() > term;
        if stage.try_hear(mark, Duration::ZERO, stands).is_some() || keep(term).is_err() {
            if stage.cluster().was_undisturbed_since(begun) {
                let message = format!("S0 starts an election despite {what} every {gap:?}");
                stage.cluster().end_by_limit("needless_election", message);
            }
            return;
        }
    }
}

/// Lets S0 vote for S1, then does `disturb` every 40 ms: S0 must still start an election soon.
fn stands_despite(stage: &Stage<'_>, what: &str, disturb: impl Fn(Term) -> Result<(), Overtaken>) {
    let term = stage.insist(|| {
        let term = stage.fresh_term();
        stage.ask_vote(S1, term, at(0, 0)).map(|_| term)
    });
    let mark = stage.mark();
    let deadline = Instant::now() + ELECTION_TIMEOUT_MAX;
    let stands = |heard: &Heard| heard.vote().is_some() && heard.term() > term;
    while stage.try_hear(mark, Duration::from_millis(40), stands).is_none() {
        if Instant::now() >= deadline {
            let message = format!("{what} keep S0 from starting an election: they reset its timer");
            stage.cluster().end_by_limit("no_election", message);
        }
        if disturb(term).is_err() {
            return;
        }
    }
}
