//! The suite: every scenario on the virtual clock, with several seeds each, on every design.
//!
//! `cargo test 2a` runs part 2A. `RAFTLAB_RUNS=500 cargo test 2a` runs more seeds, from
//! `RAFTLAB_SEED` on. A failure ends with the command that repeats it.

mod support;

use raftlab::runtime::Schedule;
use support::OldSeed;

raftlab::guard!();

macro_rules! tests {
    ($($name:ident: $part:ident, $servers:literal servers, $network:ident, $title:literal,
        $breaks:literal;)*) => {
        $(test!($name, $part);)*
    };
}

macro_rules! test {
    ($name:ident, Store) => {};
    ($name:ident, $part:ident) => {
        #[test]
        fn $name() {
            support::check(stringify!($name));
        }
    };
}

raftlab::lab::scenarios!(tests);

/// The suite on the tick-based design, without the scenarios that speak `RaftRpc`.
mod tick {
    macro_rules! test {
        ($name:ident, puppets) => {};
        ($name:ident, $network:ident) => {
            #[test]
            fn $name() {
                crate::support::check_design(stringify!($name), "tick");
            }
        };
    }

    macro_rules! tests {
        ($($name:ident: $part:ident, $servers:literal servers, $network:ident, $title:literal,
            $breaks:literal;)*) => {
            $(test!($name, $network);)*
        };
    }

    raftlab::lab::scenarios!(tests);
}

/// The suite on the crate `raft`, in a build that has it, without the servers with a database.
#[cfg(feature = "raft-rs")]
mod raft_rs {
    macro_rules! test {
        ($name:ident, $part:ident, puppets) => {};
        ($name:ident, Store, $network:ident) => {};
        ($name:ident, $part:ident, $network:ident) => {
            #[test]
            fn $name() {
                crate::support::check_design(stringify!($name), "raft-rs");
            }
        };
    }

    macro_rules! tests {
        ($($name:ident: $part:ident, $servers:literal servers, $network:ident, $title:literal,
            $breaks:literal;)*) => {
            $(test!($name, $part, $network);)*
        };
    }

    raftlab::lab::scenarios!(tests);
}

#[test]
fn old_seeds_belong_to_scenarios_and_designs() {
    for OldSeed { test, design, .. } in support::old_seeds() {
        support::scenario(&test);
        // `raft-rs` is not in every build.
        assert!(["rpc", "tick", "raft-rs"].contains(&design.as_str()), "{test}: {design:?}?");
    }
}

#[test]
fn a_seed_is_read_with_its_schedule_and_design() {
    let read = |line| {
        let OldSeed { test, seed, schedule, design } = support::read_seed(line)?;
        assert_eq!((test.as_str(), seed), ("figure8_2c", 53), "{line}");
        Some((schedule, design))
    };
    let rpc = |schedule| Some((schedule, "rpc".to_string()));
    let tick = |schedule| Some((schedule, "tick".to_string()));
    assert_eq!(read("figure8_2c 53  # a vote was given twice"), rpc(Schedule::Random));
    assert_eq!(read("figure8_2c 53 hostile  # story"), rpc(Schedule::Hostile));
    assert_eq!(read("figure8_2c 53 hostile tick  # story"), tick(Schedule::Hostile));
    assert_eq!(read("figure8_2c 53 tick  # story"), tick(Schedule::Random));
    assert_eq!(read("figure8_2c 53 tick hostile  # story"), None, "the design before the schedule");
    assert_eq!(read("figure8_2c 53"), None, "a seed without a story");
    assert_eq!(read("figure8_2c # story"), None, "a story without a seed");
}
