//! A small record for the views' tests.

use std::time::Duration;

use crate::api::{Facts, Host, Index, Position, ServerId, Term};
use crate::record::{Disk, Event, Failed, Header, Record, Stamped, What};

pub(super) const S0: Option<Host> = Some(Host::Server(ServerId(0)));
pub(super) const S1: Option<Host> = Some(Host::Server(ServerId(1)));
pub(super) const CLIENT: Option<Host> = Some(Host::Client(0));

pub(super) fn stamp(at_ms: u64, who: Option<Host>, what: What) -> Stamped {
    Stamped { at: Duration::from_millis(at_ms), event: Event { who, what } }
}

/// The request of a call from S0 to S1, its reply, and the end of the call.
fn call(at_ms: u64, call: u64, facts: Facts) -> [Stamped; 4] {
    let (s0, s1) = (S0.expect("some"), S1.expect("some"));
    let method = "request_vote".to_string();
    [
        stamp(at_ms, S0, What::Sent { call, to: s1, method, facts, played: false }),
        stamp(at_ms + 1, S1, What::Delivered { call, from: s0 }),
        stamp(at_ms + 2, S1, What::Answered { call, to: s0, facts: Facts::None, played: false }),
        stamp(at_ms + 3, S0, What::Ended { call, to: s1, replied: true }),
    ]
}

/// Two servers and a client: S0 asks for a vote, the client's operation begins and ends, S1 breaks
/// a rule at 400 ms.
pub(super) fn record() -> Record {
    let last = Position { term: Term(1), index: Index(1) };
    let vote = Facts::VoteRequest { candidate: ServerId(0), term: Term(2), last };
    let started = |who| stamp(0, who, What::Started { disk: Disk::default() });
    let mut events = vec![
        started(S0),
        started(S1),
        stamp(
            0,
            None,
            What::Step { text: "waits".into(), until: Some(Duration::from_millis(250)) },
        ),
        stamp(100, S0, What::Voted { term: Term(2), vote: Some(ServerId(0)) }),
        stamp(100, S0, What::Synced),
    ];
    events.extend(call(110, 7, vote));
    events.push(stamp(200, CLIENT, What::Called { text: "get a".into() }));
    events.push(stamp(300, CLIENT, What::Returned { text: "1".into() }));
    let (rule, message) = ("OneVote".to_string(), "two votes".to_string());
    events.push(stamp(400, S1, What::Broken { rule: rule.clone(), message: message.clone() }));
    let failed = Failed { rule, message, place: "S1".into(), at: 400_000_000 };
    let header = Header {
        raftlab_record: 1,
        test: "votes_2a".into(),
        part: "2A".into(),
        design: "rpc".into(),
        schedule: "random".into(),
        seed: 3,
        strict: false,
        servers: 2,
        elapsed: 400_000_000,
        hash: "00".into(),
        again: "raftlab replay votes_2a --seed 3".into(),
        failure: Some(failed),
    };
    Record { header, events }
}
