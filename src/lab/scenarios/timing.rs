//! Part 2A: time, bounded from below as well as from above.
//!
//! A timeout that is too short costs as much as one that is too long, and no test of the course
//! notices either. The bounds leave room: a server may wait two heartbeats or twenty, but a lost
//! heartbeat must not depose a leader, and a lost leader must be replaced within the lab's five
//! seconds even when the first vote is split.

use std::time::Duration;

use crate::api::{ServerId, Term};
use crate::lab::Cluster;
use crate::lab::puppet::{Heard, Overtaken, S1, S2, Stage, Votes, at};
use crate::runtime::thread;
use crate::runtime::time::{Instant, since_start};

/// Longest time without a leader after which a follower stands for election. Two of these and
/// the calls fit the lab's five seconds, so that one vote may be split.
const ELECTION_TIMEOUT_MAX: Duration = Duration::from_millis(2000);

/// How late a request may be on the lab's unreliable network.
const DELAY_MAX: Duration = Duration::from_millis(27);

/// How far apart two calls are that are heard as two: what is sent twice at once counts once.
const APART: Duration = Duration::from_millis(10);

/// How often a leader may be heard in a second, by each follower: the lab's limit.
const HEARTBEATS_PER_SECOND_MAX: u64 = 30;

/// A timeout is drawn anew for each election, and is not too long.
///
/// Raft §5.2: "Raft uses randomized election timeouts". S0 stands eight times in vain.
pub fn election_timeouts_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.all_vote(Votes::Refuse);
    let mut timeouts: Vec<Duration> = Vec::new();
    let mut before = (stage.mark(), Duration::ZERO, Term(0));
    for _ in 0..8 {
        let (mark, at, term) = before;
        let stands = |heard: &Heard| heard.vote().is_some() && heard.term() > term;
        let heard = stage.hear(mark, ELECTION_TIMEOUT_MAX, "stand for election", stands);
        timeouts.push(heard.at - at);
        before = (heard.mark(), heard.at, heard.term());
    }
    let shortest = timeouts.iter().min().copied().unwrap_or_default();
    let longest = timeouts.iter().max().copied().unwrap_or_default();
    if longest - shortest < Duration::from_millis(5) {
        let message = format!("eight election timeouts in a row were {shortest:?} to {longest:?}");
        stage.cluster().end_by_limit("timeouts_not_random", message);
    }
}

/// A new leader is heard at once, then regularly, and a follower bears a late heartbeat.
///
/// S0's own heartbeats are the measure: as a follower it must bear it that one of the like comes
/// half an interval late, and as late again as the lab's network may make it.
pub fn heartbeats_2a(cluster: &mut Cluster) {
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
                let message = format!("S0 won at once, and its first heartbeat took {silence:?}");
                stage.cluster().end_by_limit("first_heartbeat", message);
            }
        }
        depose(&stage);
    }

    let gap = interval * 3 / 2 + DELAY_MAX;
    follows(&stage, "heartbeats that are late,", gap, |term| {
        stage.append(S1, term, at(0, 0), Vec::new(), 0).map(drop)
    });
}

/// The timer starts again for a leader's heartbeat, whatever it brings, and for a vote given.
///
/// Raft §5.2. Every 60 ms for two seconds; S0 must not stand.
pub fn timer_is_reset_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let gap = Duration::from_millis(60);
    follows(&stage, "heartbeats", gap, |term| {
        stage.append(S1, term, at(0, 0), Vec::new(), 0).map(drop)
    });
    follows(&stage, "a heartbeat that it refuses", gap, |term| {
        stage.append(S1, term, at(7, 7), Vec::new(), 0).map(drop)
    });
    follows(&stage, "votes that it gives", gap, |_| {
        let reply = stage.ask_vote(S1, stage.fresh_term(), at(0, 0))?;
        assert!(reply.vote_granted, "a new term, an empty log: {reply:?}");
        Ok(())
    });
}

/// The timer does not start again for anything else, or those who ask in vain keep those who
/// could lead from standing.
pub fn timer_is_not_reset_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stands_despite(&stage, "requests for a vote that S1 has", |term| {
        stage.ask_vote(S2, term, at(0, 0)).map(drop)
    });
    stands_despite(&stage, "requests for votes of an older term", |term| {
        stage.ask_vote(S2, Term(term.0 - 1), at(0, 0)).map(drop)
    });
    stands_despite(&stage, "heartbeats of an older leader", |term| {
        stage.append(S2, Term(term.0 - 1), at(0, 0), Vec::new(), 0).map(drop)
    });
}

/// A candidate with an outdated log asks again and again, in ever newer terms; S0, which could
/// lead, stands all the same.
///
/// Part 2B: only now are there logs that are outdated.
pub fn outdated_candidate_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| stage.give_log(&[1, 1], 0));
    let mark = stage.mark();
    let deadline = Instant::now() + ELECTION_TIMEOUT_MAX;
    let stands = |heard: &Heard| heard.vote().is_some();
    while stage.try_hear(mark, Duration::from_millis(50), stands).is_none() {
        if Instant::now() >= deadline {
            let message = "a candidate without a single entry keeps S0 from standing".to_string();
            stage.cluster().end_by_limit("no_election", message);
        }
        if let Ok(reply) = stage.ask_vote(S1, stage.fresh_term(), at(0, 0)) {
            assert!(!reply.vote_granted, "S1 lacks both entries: {reply:?}");
        }
    }
}

/// While nothing happens, nobody stands for election.
pub fn stable_leader_2a(cluster: &mut Cluster) {
    elections_in_half_a_minute(cluster, 2);
}

/// A leader that loses a heartbeat in ten keeps its place most of the time.
pub fn stable_leader_unreliable_2a(cluster: &mut Cluster) {
    elections_in_half_a_minute(cluster, 9);
}

/// When a leader is gone, the next one comes in a second or two, and not after five.
pub fn leader_is_replaced_2a(cluster: &mut Cluster) {
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
        let message = format!("a lost leader was missing for {spans:?}");
        cluster.end_by_limit("slow_election", message);
    }
}

fn leads(cluster: &Cluster, server: ServerId) -> bool {
    cluster.state_of(server).is_some_and(|state| state.is_leader)
}

/// Fails when there are more than `elections_max` elections in 30 quiet seconds; when the
/// schedule and the network disturb nobody, at the first.
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

/// How often S0 is heard when it leads: the usual time between two heartbeats.
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
        let message = format!("a leader was heard {} times in a second", times.len());
        stage.cluster().end_by_limit("heartbeats_too_rare", message)
    };
    depose(stage);
    usual
}

/// Ends S0's leadership.
fn depose(stage: &Stage<'_>) {
    let _ = stage.append(S1, stage.fresh_term(), at(0, 0), Vec::new(), 0);
}

/// Does `keep` at once and every `gap` for two seconds, in a term of its own; S0 must not stand
/// meanwhile, where nothing but that decides.
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
                let message = format!("S0 stands for election despite {what} every {gap:?}");
                stage.cluster().end_by_limit("needless_election", message);
            }
            return;
        }
    }
}

/// S0 votes for S1, and then gets `disturb` every 40 ms, in vain: it must stand soon.
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
            let message = format!("{what} keep S0 from standing for election");
            stage.cluster().end_by_limit("no_election", message);
        }
        if disturb(term).is_err() {
            return;
        }
    }
}
