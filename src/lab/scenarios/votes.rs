//! Part 2A: what a voter and a candidate owe each other, each rule tested by itself.

use std::time::Duration;

use crate::api::raft_rpc::{RaftRpcResponse, RequestVoteReply};
use crate::api::{ServerId, Term};
use crate::lab::puppet::{Appends, Heard, S0, S1, S2, Stage, Votes, at};
use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("vote_rules_2a", vote_rules_2a)
        .puppets()
        .title("one vote per term")
        .catches("two votes in one term; a vote that is not cleared when the term rises"),
    Scenario::new("candidate_rules_2a", candidate_rules_2a)
        .puppets()
        .title("a candidate asks every peer, again and again")
        .catches("no vote for oneself; votes requested one by one; no second election"),
    Scenario::new("candidate_follows_2a", candidate_follows_2a)
        .puppets()
        .title("a candidate hears its term's leader")
        .catches("a candidate that keeps counting votes after it heard its term's leader"),
    Scenario::new("stale_vote_replies_2a", stale_vote_replies_2a)
        .puppets()
        .title("votes of an earlier election")
        .catches("votes of an earlier election that count in a later one"),
    Scenario::new("votes_at_the_last_moment_2a", votes_at_the_last_moment_2a)
        .servers(5)
        .puppets()
        .title("votes right before the next election")
        .catches("a vote whose term is checked in one election and that counts in the next"),
    Scenario::new("newer_term_deposes_2a", newer_term_deposes_2a)
        .puppets()
        .title("a newer term deposes a leader")
        .catches("a leader or candidate that adopts a newer term and keeps its role"),
    Scenario::new("majority_of_four_2a", two_votes_are_too_few)
        .servers(4)
        .puppets()
        .title("two votes of four are no majority")
        .catches("a leader elected with two votes of four"),
    Scenario::new("majority_of_five_2a", two_votes_are_too_few)
        .servers(5)
        .puppets()
        .title("two votes of five are no majority")
        .catches("a leader elected with two votes of five"),
];

/// Longest election timeout: half of the lab's time limit, since one election may fail.
const STANDS_MAX: Duration = Duration::from_millis(2500);

/// How long a candidate may take to ask the other peers, once it has asked one.
const AT_ONCE: Duration = Duration::from_millis(150);

/// Where every log ends in part 2A: no server has an entry yet.
const EMPTY: crate::api::Position = at(0, 0);

/// A voter gives one vote per term, to the first candidate, and repeats it when asked again.
///
/// Figure 2, RequestVote. A wrong voter gives two votes in one term, or does not free its vote in a
/// newer term. S0 gets these requests in this order:
///
/// ```text
/// term     10   10   10   9    20
/// from     S1   S2   S1   S2   S2
/// vote     yes  no   yes  no   yes
/// ```
fn vote_rules_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        let term = stage.fresh_term();
        let first = stage.ask_vote(S1, term, EMPTY)?;
        assert!(first.vote_granted, "S0 had not voted in term {term}: {first:?}");
        assert_eq!(first.term, term, "a voter adopts the candidate's term");

        let second = stage.ask_vote(S2, term, EMPTY)?;
        assert!(!second.vote_granted, "in term {term} S0 votes for S1 and for S2: {second:?}");
        let again = stage.ask_vote(S1, term, EMPTY)?;
        assert!(again.vote_granted, "the first reply may be lost: {again:?}");
        let older = stage.ask_vote(S2, Term(term.0 - 1), EMPTY)?;
        assert!(!older.vote_granted, "step 1: term {} is over: {older:?}", term.0 - 1);

        // Term first, vote second: in a new term S0 has not voted yet.
        let newer = stage.ask_vote(S2, stage.fresh_term(), EMPTY)?;
        assert!(newer.vote_granted, "S0 has not voted in this newer term: {newer:?}");
        let rival = stage.ask_vote(S1, newer.term, EMPTY)?;
        assert!(
            !rival.vote_granted,
            "in term {} S0 votes for S2 and for S1: {rival:?}",
            newer.term
        );

        // An older leader learns the term, and changes nothing.
        let heartbeat = stage.append(S1, Term(newer.term.0 - 1), EMPTY, Vec::new(), 0)?;
        assert_eq!(heartbeat.term, newer.term, "an older leader must learn the term");
        let rival = stage.ask_vote(S1, newer.term, EMPTY)?;
        assert!(!rival.vote_granted, "S0 has voted for S2: {rival:?}");

        // An older candidate changes nothing either, even if S0 has not voted.
        let term = stage.fresh_term();
        stage.append(S1, term, EMPTY, Vec::new(), 0)?;
        let older = stage.ask_vote(S2, Term(term.0 - 1), EMPTY)?;
        assert!(!older.vote_granted, "step 1: term {} is over: {older:?}", term.0 - 1);
        Ok(())
    });
}

/// A candidate votes for itself in a new term, asks all peers at once, and retries in a newer term.
///
/// Raft §5.2. It starts the next election if no majority votes for it. A wrong candidate does not
/// vote for itself, asks its peers one by one, or starts no second election.
///
/// ```text
/// S0   candidate in T ──► S1 (no reply) ──────────────────► candidate in T' > T
///                    └──► S2 (no reply)
///              ▲
///              S1 asks for a vote in T: no
/// ```
fn candidate_rules_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let mark = stage.mark();
    stage.all_vote(Votes::Hold);

    // S0 asks both, although the first one never replies.
    let asked = stands(&stage, mark);
    let term = asked.term();
    let other = if asked.puppet == S1 { S2 } else { S1 };
    let in_term = |heard: &Heard| heard.puppet == other && heard.term() == term;
    let also = stage.hear(mark, Duration::from_secs(1), "ask the second peer", in_term);
    assert_eq!(also.vote().map(|args| args.candidate_id), Some(S0), "it is the candidate");

    // S0 has voted for itself. (If it is in another term by now, this proves nothing.)
    if let Ok(reply) = stage.ask_vote(S1, term, EMPTY) {
        assert!(!reply.vote_granted, "in term {term} S0 is a candidate, and gives S1 its vote");
    }

    // Without a reply there is no leader: S0 starts another election, in another term.
    let later = |heard: &Heard| heard.vote().is_some() && heard.term() > term;
    let again = stage.hear(mark, STANDS_MAX + STANDS_MAX, "start another election", later);

    // Both refuse from now on: it starts a third election.
    let mark = stage.mark();
    stage.all_vote(Votes::Refuse);
    let later = |heard: &Heard| heard.vote().is_some() && heard.term() > again.term();
    stage.hear(mark, STANDS_MAX + STANDS_MAX, "start a third election", later);
    assert!(!stage.state().is_leader, "no other server voted for S0");

    // With S1's vote it has two of three, whether S2 ever replies or not.
    stage.votes(S1, Votes::Grant);
    stage.votes(S2, Votes::Hold);
    let leads = |heard: &Heard| heard.append().is_some();
    stage.hear(
        mark,
        Duration::from_secs(5),
        "send a heartbeat, with the votes of two of three,",
        leads,
    );
}

/// A candidate that hears the leader of its own term follows it.
///
/// Figure 2, Rules for Servers, Candidates: "If AppendEntries RPC received from new leader:
/// convert to follower". A vote that arrives after that no longer counts; a wrong candidate still
/// counts it.
///
/// The puppets lie here: two of the three servers voted for S1, and now say that they voted for S0.
/// Without the lie, a candidate that continues to count could not get a majority; but it must not
/// rely on that.
fn candidate_follows_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.all_vote(Votes::Hold);
        let mark = stage.mark();
        let asked = stands(&stage, mark);
        let heartbeat = stage.append(S1, asked.term(), EMPTY, Vec::new(), 0)?;
        assert_eq!(heartbeat.term, asked.term(), "S1 leads in the same term");

        let mark = stage.mark();
        for heard in stage.heard_since(0).iter().filter(|heard| heard.term() == asked.term()) {
            let reply = RequestVoteReply { term: heard.term(), vote_granted: true };
            stage.lie(heard, RaftRpcResponse::RequestVote(reply));
        }
        let acts = |heard: &Heard| heard.append().is_some();
        let leads = stage.try_hear(mark, Duration::from_millis(300), acts);
        assert_eq!(leads.map(|heard| heard.term()), None, "S0 must follow S1, but leads");
        Ok(())
    });
}

/// Votes of an earlier election do not count in a later one.
///
/// A wrong candidate takes a late vote for a vote in its present term.
///
/// ```text
/// S0   candidate in T ──► S1, S2     candidate in T' ──► S1, S2
///                           └─────── yes, for T ───────────┘       no leader
/// ```
fn stale_vote_replies_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.all_vote(Votes::Hold);
    let mark = stage.mark();
    let first = stands(&stage, mark);
    let later = |heard: &Heard| heard.vote().is_some() && heard.term() > first.term();
    stage.hear(mark, STANDS_MAX + STANDS_MAX, "start another election", later);

    let answered = stage.mark();
    for heard in stage.heard_since(mark).iter().filter(|heard| heard.term() == first.term()) {
        stage.release(heard);
    }
    let acts = |heard: &Heard| heard.append().is_some();
    let leads = stage.try_hear(answered, Duration::from_millis(300), acts);
    let led = leads.map(|heard| heard.term());
    assert_eq!(led, None, "S0 leads by votes that were given in term {}", first.term());
    assert!(!stage.state().is_leader, "S0 leads by votes given in term {}", first.term());
}

/// A vote that arrives at the last moment counts only in the election in which it was given.
///
/// Five servers. In each term a different puppet votes for S0, and its reply arrives 0.2 to 0.7 s
/// later, which may be just when S0 starts the next election. So S0 never has more than two votes
/// of five. A wrong candidate checks a vote's term before the new election and counts the vote
/// after it, which makes three.
///
/// ```text
/// S0   election 1                 election 2                 election 3
/// S1               yes, for 1 ────┤
/// S2                                          yes, for 2 ────┤
/// ```
fn votes_at_the_last_moment_2a(cluster: &mut Cluster) {
    const ROUNDS: usize = 30;
    let stage = Stage::new(cluster);
    let voters: Vec<ServerId> = stage.puppets().collect();
    stage.votes(voters[0], Votes::Hold);
    let mut before = (stage.mark(), Term(0));
    for round in 0..ROUNDS {
        let (mark, term) = before;
        let goes_on = |heard: &Heard| heard.append().is_some() || heard.term() > term;
        let asked = stage.hear(mark, STANDS_MAX, "start another election", goes_on);
        assert!(
            asked.append().is_none(),
            "S0 leads, but in no term has it more than two of five votes"
        );
        before = (asked.mark(), asked.term());

        let voter = voters[round % voters.len()];
        stage.votes(voters[(round + 1) % voters.len()], Votes::Hold);
        let asks = |heard: &Heard| heard.puppet == voter && heard.term() == asked.term();
        let Some(call) = stage.try_hear(asked.mark(), AT_ONCE, asks) else { continue };
        stage.handle(&call);
        stage.cluster().sleep_ms(200 + stage.cluster().draw(500));
        stage.votes(voter, Votes::Refuse);
        stage.release(&call);
    }
}

/// A leader or candidate that learns of a newer term becomes a follower.
///
/// Figure 2, Rules for Servers, All Servers. It learns the term from a request, or from the reply
/// to one of its own. A wrong leader raises its term and continues to lead.
fn newer_term_deposes_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);

    // A leader, by a request.
    let leading = stage.elect();
    let newer = stage.fresh_term();
    let mark = stage.mark();
    let asked = stage.ask_vote(S1, newer, EMPTY);
    assert!(asked.is_err() || stage.state().term >= newer, "S0 was told of term {newer}");
    leads_no_more(&stage, mark, leading.term);

    // A leader, by a reply.
    stage.puppets().for_each(|puppet| stage.appends(puppet, Appends::Hold));
    let leading = stage.elect();
    let mark = stage.mark();
    let newer = stage.fresh_term();
    stage.puppets().for_each(|puppet| stage.learns_of(puppet, newer));
    for heard in stage.heard_since(leading.mark).iter().filter(|heard| heard.append().is_some()) {
        stage.release(heard);
    }
    // S0 may have given these calls up. Then it learns the term from the reply to a later one.
    stage.puppets().for_each(|puppet| stage.appends(puppet, Appends::Follow));
    assert!(
        stage.happens_soon(|| stage.state().term >= newer),
        "a reply said that the term is {newer}; S0 is in {}",
        stage.state().term
    );
    leads_no_more(&stage, mark, leading.term);

    // A candidate, by a reply.
    stage.all_vote(Votes::Hold);
    let asked = stands(&stage, stage.mark());
    let newer = stage.fresh_term();
    stage.learns_of(asked.puppet, newer);
    stage.release(&asked);
    stage.votes(asked.puppet, Votes::Refuse);
    assert!(
        stage.happens_soon(|| stage.state().term >= newer),
        "a voter said that the term is {newer}; S0 is in {}",
        stage.state().term
    );
}

/// Two votes of four or five are no majority; three are.
///
/// Figure 2, Rules for Servers, Candidates: "If votes received from majority of servers: become
/// leader". S0 starts three elections with its own vote and S1's; then it gets a third vote. A
/// wrong candidate leads with two votes.
fn two_votes_are_too_few(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.votes(S1, Votes::Grant);
    let mark = stage.mark();
    let mut term = Term(0);
    for _ in 0..3 {
        let is_new = |heard: &Heard| heard.term() > term || heard.append().is_some();
        let asks_s1 = |heard: &Heard| heard.puppet == S1 && is_new(heard);
        let asked = stage.hear(mark, STANDS_MAX, "start an election", asks_s1);
        assert!(
            asked.append().is_none(),
            "S0 leads with two votes of {}",
            stage.cluster().server_count()
        );
        term = asked.term();
    }
    stage.votes(S2, Votes::Grant);
    let leads = |heard: &Heard| heard.append().is_some();
    stage.hear(mark, Duration::from_secs(5), "send a heartbeat, with three votes,", leads);
}

/// S0's first request for a vote since `mark`.
fn stands(stage: &Stage<'_>, mark: usize) -> Heard {
    stage.hear(mark, STANDS_MAX, "start an election", |heard| heard.vote().is_some())
}

/// Fails if S0, which led in `term` and knows a newer term, says or shows that it still leads.
///
/// What it sent before it knew may still arrive.
fn leads_no_more(stage: &Stage<'_>, mark: usize, term: Term) {
    assert!(!stage.state().is_leader, "S0 knows of a term after {term}, but still leads");
    let acts = |heard: &Heard| heard.append().is_some() && heard.term() > term;
    let led = stage.try_hear(mark, Duration::from_millis(300), acts).map(|heard| heard.term());
    assert_eq!(led, None, "no server elected S0 in a term after {term}");
}
