//! Part 2C: a server keeps what its reply promised, even if it crashes right after the reply.
//!
//! Figure 2, persistent state: "Updated on stable storage before responding to RPCs". Each crash
//! here loses everything that was not synced.

use std::time::Duration;

use super::appends::A_WHILE;
use crate::api::{Index, Position};
use crate::lab::puppet::{Heard, S0, S1, S2, S4, Stage, Votes, at, entries};
use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("vote_is_durable_2c", vote_is_durable_2c)
        .puppets()
        .title("a vote, then a crash")
        .catches("a vote that is not stored, or stored only after the reply"),
    Scenario::new("term_is_durable_2c", term_is_durable_2c)
        .puppets()
        .title("a newer term, then a crash")
        .catches("a newer term that is stored only along with a vote or entries"),
    Scenario::new("candidacy_is_durable_2c", candidacy_is_durable_2c)
        .puppets()
        .title("a candidate, then a crash")
        .catches("a candidate that requests votes before its vote for itself is stored"),
    Scenario::new("entries_are_durable_2c", entries_are_durable_2c)
        .puppets()
        .title("entries, then a crash")
        .catches("acknowledged entries that are not stored; deleted entries that come back"),
    Scenario::new("own_entries_are_durable_2c", own_entries_are_durable_2c)
        .puppets()
        .title("a commit, then a crash")
        .catches("a leader that counts itself before it has stored the entry"),
    Scenario::new("commits_are_replayed_2c", commits_are_replayed_2c)
        .puppets()
        .title("a restart applies the log again")
        .catches("a commit index that is stored although the service's state is not"),
    Scenario::new("figure8_steps_2c", figure8_steps_2c)
        .servers(5)
        .puppets()
        .title("Figure 8, step by step")
        .catches("an entry of an older term committed by counting replicas"),
];

/// A server that has voted in a term votes for no other candidate in that term, even after a crash.
///
/// Raft §5.2. A wrong server does not store its vote, or stores it after the reply.
///
/// ```text
/// S1 ── term 10? ──► S0    yes
///                    crash, restart
/// S2 ── term 10? ──► S0    no
/// S1 ── term 10? ──► S0    yes
/// ```
fn vote_is_durable_2c(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        let term = stage.fresh_term();
        let first = stage.ask_vote(S1, term, at(0, 0))?;
        assert!(first.vote_granted, "S0 had not voted in term {term}: {first:?}");
        stage.restart();
        let rival = stage.ask_vote(S2, term, at(0, 0))?;
        assert!(!rival.vote_granted, "before its crash S0 voted for S1 in term {term}");
        let again = stage.ask_vote(S1, term, at(0, 0))?;
        assert!(again.vote_granted, "S0 voted for S1 in term {term} before its crash");

        // Again, in a term that S0 knew before it voted.
        stage.give_log(&[1], 0)?;
        let term = stage.fresh_term();
        let outdated = stage.ask_vote(S1, term, at(0, 0))?;
        assert!(!outdated.vote_granted, "S1 lacks 1/1: {outdated:?}");
        let second = stage.ask_vote(S2, term, at(1, 1))?;
        assert!(second.vote_granted, "S1 was refused, so the vote was free: {second:?}");
        stage.restart();
        let rival = stage.ask_vote(S1, term, at(1, 1))?;
        assert!(!rival.vote_granted, "before its crash S0 voted for S2 in term {term}");
        Ok(())
    });
}

/// A server still knows the term of its reply after a crash, even if the reply was a refusal.
///
/// Figure 2, persistent state. A wrong server stores a term only together with a vote or with
/// entries.
fn term_is_durable_2c(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1], 0)?;

        let term = stage.fresh_term();
        let vote = stage.ask_vote(S1, term, at(0, 0))?;
        assert!(!vote.vote_granted, "S1 lacks both entries: {vote:?}");
        stage.restart();
        let now = stage.state().term;
        assert!(now >= term, "S0 refused its vote in term {term}; after a crash it is in {now}");

        let term = stage.fresh_term();
        let append = stage.append(S1, term, at(9, 9), Vec::new(), 0)?;
        assert!(!append.success, "S0 has no entry 9/9: {append:?}");
        stage.restart();
        let now = stage.state().term;
        assert!(now >= term, "S0 refused entries in term {term}; after a crash it is in {now}");
        Ok(())
    });
}

/// A candidate stores its new term and its own vote before it asks any other server for a vote.
///
/// A wrong candidate asks first: after a crash it can vote for a rival in the same term.
fn candidacy_is_durable_2c(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.all_vote(Votes::Hold);
        let mark = stage.mark();
        let stands = |heard: &Heard| heard.vote().is_some();
        let asked = stage.hear(mark, Duration::from_secs(5), "start an election", stands);
        // Look at the calls first and at the storage afterwards: S0 may enter the next term in
        // between.
        let newest = stage.heard_since(mark).iter().map(Heard::term).max().unwrap_or_default();
        let (term, vote) = stage.persister().durable_vote();
        assert!(term >= newest, "S0 asks for votes in term {newest}, but has stored term {term}");
        let own = vote == Some(S0) || term > newest;
        assert!(own, "S0 is a candidate in term {term}, but has stored the vote {vote:?}");

        stage.restart();
        let rival = stage.ask_vote(S1, asked.term(), at(0, 0))?;
        assert!(!rival.vote_granted, "S0 crashed as a candidate in term {}", asked.term());
        Ok(())
    });
}

/// After a crash, a follower has the entries that it acknowledged, and not those it replaced.
///
/// A wrong follower replies before its entries are stored, or finds replaced entries again.
fn entries_are_durable_2c(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 1], 0)?;
        stage.restart();
        assert!(stage.has(at(1, 3))?, "S0 acknowledged three entries before it crashed");

        let reply = stage.append(S1, stage.fresh_term(), at(1, 1), entries(at(1, 1), &[2]), 0)?;
        assert!(reply.success, "S0 has 1/1: {reply:?}");
        stage.restart();
        assert!(stage.has(at(2, 2))?, "S0 acknowledged 2/2 before it crashed");
        assert!(!stage.has(at(1, 3))?, "2/2 replaced 1/2 and 1/3 before the crash");
        Ok(())
    });
}

/// A leader that counts itself among the servers that have an entry has stored that entry.
///
/// A wrong leader counts itself before its write is synced: after its crash no majority has the
/// entry, although the leader has committed it.
fn own_entries_are_durable_2c(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.follows(S1);
    let leading = stage.elect();
    let index = leading.start("x");
    stage.wait_applied(index.0);
    stage.restart();
    let own = Position { term: leading.term, index };
    let has = stage.insist(|| stage.has(own));
    assert!(has, "S0 and S1 are the majority that has {own}; a crash made S0 lose it");
}

/// After a restart, the service gets all committed entries again, from the first one on.
///
/// Figure 2: commitIndex and lastApplied are volatile, because the service's state is volatile too.
/// A wrong server stores them and skips these entries.
fn commits_are_replayed_2c(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 1], 3)?;
        stage.wait_applied(3);
        stage.restart();
        stage.append(S1, stage.fresh_term(), at(1, 3), Vec::new(), 3)?;
        stage.wait_applied(3);
        stage.expect_commands(&["1/1", "1/2", "1/3"], "the service restarted empty");
        Ok(())
    });
}

/// An entry of an older term is on a majority and is still replaced, so it was never committed.
///
/// Raft §5.4.2; Figure 8, (a) to (d). A wrong leader commits entry 2 in (c) by counting its copies.
/// In Figure 8's numbers:
///
/// ```text
///      (a)    (b)    (c)    (d)
/// S0   1 2    1 2    1 2    1 3      (a) and (c): leads; crashes after (a)
/// S1   1 2    1 2    1 2    1 3
/// S2   1      1      1 2    1 3      2 is on three of five
/// S3   1      1      1      1 3
/// S4   1      1 3    1 3    1 3      (b) and (d): leads
/// ```
fn figure8_steps_2c(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let one = || entries(at(0, 0), &[1]);
    stage.attempt(|| {
        stage.give_log(&[1], 1)?;
        stage.wait_applied(1);
        Ok(())
    });

    // (a) S0 leads, and only S1 gets its entry.
    stage.puppets().for_each(|puppet| stage.has_log(puppet, one()));
    stage.follows(S1);
    let first = stage.elect();
    let index = first.start("two");
    stage.wait_followed(S1, index);

    // (b) S4 leads in a new term, of which S0 hears only after its crash.
    let third = stage.fresh_term();
    stage.has_log(S4, one().into_iter().chain(entries(at(1, 1), &[third.0])).collect());
    stage.restart();

    // (c) S0 leads again, and S2 gets the entry of the older term.
    stage.follows(S2);
    let again = stage.elect();
    if !stage.happens_soon(|| stage.last_of(S2).index >= index) {
        // A leader may hold the older entry back until it has an entry of its own term to send.
        return;
    }
    stage.cluster().run_for(A_WHILE);
    assert!(stage.applied_index() <= Index(1), "entry 2 is of term {}", first.term);
    assert!(again.commit_told() <= Index(1), "entry 2 is of term {}", first.term);

    // (d) S4 leads again, and replaces the entry.
    let replaced = stage.insist(|| {
        let entry = entries(at(1, 1), &[third.0]);
        stage.append(S4, stage.fresh_term(), at(1, 1), entry, 2)
    });
    assert!(replaced.success, "S0 has 1/1: {replaced:?}");
    stage.wait_applied(2);
    stage.expect_commands(&["1/1", &format!("{third}/2")], "S4's entry must stay");
}
