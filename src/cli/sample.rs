//! Invented reports, for tests of the program's output.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::{Digest, Facts, Host, Index, Position, ServerId, Term};
use crate::lab::{Part, Report};
use crate::record::{Event, Stamped, What};
use crate::runtime::{Choices, Clock, Failure, FailureKind, Kept, Schedule, Turns};

/// A run that passed.
pub(super) fn passed(seed: u64) -> Report {
    Report {
        test: "figure8_2c",
        part: Part::P2C,
        servers: 3,
        design: "rpc",
        strict: false,
        clock: Clock::Virtual,
        schedule: Schedule::Random,
        seed,
        kept: Kept::default(),
        choices: Choices::default(),
        turns: Turns::default(),
        missed_turns: 0,
        pending: Vec::new(),
        ok: true,
        undecided: None,
        cut_short: None,
        elapsed: Duration::from_millis(31_200),
        wall: Duration::from_micros(2900),
        cpu: Duration::from_micros(2800),
        rpcs: 959,
        bytes: 12_390,
        commits: 32,
        hash: 0xf00d,
        thread_left: false,
        failure: None,
        situations: BTreeMap::from([
            ("a leader crashed", 2),
            ("a leader crashed with uncommitted entries of its term", 1),
            ("a server crashed with writes it had not synced", 0),
        ]),
        histories: Vec::new(),
        record: Vec::new(),
    }
}

/// A run in which an observer found a broken rule.
pub(super) fn failed(seed: u64) -> Report {
    let failure = Failure {
        kind: FailureKind::Observer,
        name: "LogMatching".to_string(),
        message: "S1 and S2 differ at 4/7\nS1 has 3 bytes, S2 has 5".to_string(),
        task: "raft2/apply".to_string(),
        label: Some(2),
        place: String::new(),
        at: Duration::from_micros(3_412_078),
    };
    let prev = Position { term: Term(4), index: Index(6) };
    let facts = Facts::Append {
        leader: ServerId(1),
        term: Term(4),
        commit: Index(6),
        prev,
        last: Position { index: Index(7), ..prev },
        entries: Digest::default(),
    };
    let (to, method) = (Host::Server(ServerId(2)), "append_entries".to_string());
    let what = What::Sent { call: 31, to, method, facts, played: false };
    let event = Event { who: Some(Host::Server(ServerId(1))), what };
    let record = vec![Stamped { at: Duration::from_micros(3_411_900), event }];
    Report { ok: false, failure: Some(failure), record, ..passed(seed) }
}

/// A run whose history could not be judged.
pub(super) fn undecided(seed: u64) -> Report {
    let why = "10000000 steps were not enough to judge 2718 operations".to_string();
    Report { ok: false, undecided: Some(why), ..passed(seed) }
}
