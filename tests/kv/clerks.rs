//! The clients' view: an operation happens once, however often it is sent.

use std::sync::Arc;

use raftlab::api::PutError;
use raftlab::api::kv_rpc::Version;
use raftlab::labrpc::{Call, Fault, Leg, Verdict};
use raftlab::runtime::rand::Chance;
use raftlab::runtime::sync::Quiet;
use raftlab::runtime::{thread, time};

use crate::cluster::{BOTH, Cluster, LONG, in_virtual_time, on_both_clocks};

#[test]
fn a_clerk_reads_what_it_wrote() {
    for reads in BOTH {
        on_both_clocks(3, move || {
            let cluster = Cluster::reading(reads);
            let mut clerk = cluster.clerk(0);
            assert_eq!((clerk.get("a").as_str(), clerk.get_versioned("a")), ("", None));
            clerk.append("a", "1");
            assert_eq!(clerk.get("a"), "1", "an append to nothing is a put");
            clerk.append("a", "2");
            assert_eq!(cluster.clerk(1).get("a"), "12");
            clerk.put("a", "3");
            assert_eq!(clerk.get_versioned("a"), Some(("3".to_string(), Version(3))));
            cluster.shutdown();
        });
    }
}

#[test]
fn each_append_happens_once_and_in_its_clerks_order_on_a_net_that_loses_messages() {
    const CLERKS: u32 = 4;
    const APPENDS: u32 = 15;
    in_virtual_time(10, || {
        let cluster = Cluster::reading(BOTH[1]);
        cluster.network.set_reliable(false);
        let clerks = (0..CLERKS).map(|number| {
            let mut clerk = cluster.clerk(number);
            thread::spawn(format!("clerk{number}"), move || {
                (0..APPENDS).for_each(|it| clerk.append("a", &format!("({number}.{it})")));
            })
        });
        let clerks: Vec<_> = clerks.collect();
        clerks.into_iter().for_each(thread::JoinHandle::join);
        let value = cluster.clerk(CLERKS).get("a");
        for number in 0..CLERKS {
            let theirs =
                value.split_inclusive(')').filter(|it| it.starts_with(&format!("({number}.")));
            let expected: Vec<_> = (0..APPENDS).map(|it| format!("({number}.{it})")).collect();
            assert_eq!(theirs.collect::<Vec<_>>(), expected, "in {value}");
        }
        cluster.shutdown();
    });
}

#[test]
fn requests_that_arrive_again_much_later_do_nothing() {
    in_virtual_time(10, || {
        let cluster = Cluster::reading(BOTH[0]);
        let late = Fault::repeat(LONG / 30, LONG / 3).method("KvRpc.append");
        cluster.network.add_rule("late copies", Arc::new(late));
        let mut clerk = cluster.clerk(0);
        let pieces: Vec<_> = (0..10).map(|it| format!("{it}.")).collect();
        pieces.iter().for_each(|piece| clerk.append("a", piece));
        thread::sleep(LONG);
        assert_eq!(clerk.get("a"), pieces.concat());
        cluster.shutdown();
    });
}

#[test]
fn a_clerk_leaves_a_leader_that_cannot_commit() {
    on_both_clocks(5, || {
        let cluster = Cluster::reading(BOTH[0]);
        let mut clerk = cluster.clerk(0);
        clerk.put("a", "1");
        let old = cluster.leader();
        cluster.connect(old, false);
        let start = time::Instant::now();
        clerk.append("a", "2");
        assert!(start.elapsed() < LONG, "it waited {:?} for a minority", start.elapsed());
        assert_eq!(clerk.get("a"), "12");
        cluster.connect(old, true);
        cluster.leader();
        assert_eq!(clerk.get("a"), "12", "the old leader's copy of the append was applied too");
        cluster.shutdown();
    });
}

#[test]
fn a_clerk_remembers_the_leader() {
    in_virtual_time(1, || {
        let cluster = Cluster::reading(BOTH[0]);
        cluster.leader();
        let mut clerk = cluster.clerk(0);
        clerk.put("a", "1");
        let asked: Arc<Quiet<u32>> = Arc::default();
        let count = asked.clone();
        let counts = move |call: &Call<'_>, leg: Leg, _: usize, _: &mut Chance| {
            let ours = leg == Leg::Request && call.method.starts_with("KvRpc.");
            count.with(|count| *count += u32::from(ours));
            Verdict::Pass
        };
        cluster.network.add_rule("count", Arc::new(counts));
        (0..10).for_each(|_| clerk.append("a", "1"));
        assert_eq!(asked.with(|asked| *asked), 10, "one call each");
        cluster.shutdown();
    });
}

/// Checks a clerk's answer to a put when the first message of `leg` is lost. The put expects
/// version `expected`; the key has version 1.
fn put_versioned_losing(leg: Leg, expected: u64, told: Result<(), PutError>, value: &str) {
    let value = value.to_string();
    in_virtual_time(3, move || {
        let cluster = Cluster::reading(BOTH[0]);
        cluster.leader();
        let mut clerk = cluster.clerk(0);
        clerk.put_versioned("other", "", Version(0)).unwrap();
        let lost: Quiet<bool> = Quiet::default();
        let loses = move |call: &Call<'_>, at: Leg, _: usize, _: &mut Chance| {
            let ours = at == leg && call.method == "KvRpc.put_versioned";
            let first = ours && lost.with(|lost| !std::mem::replace(lost, true));
            if first { Verdict::Drop } else { Verdict::Pass }
        };
        cluster.network.add_rule("the first is lost", Arc::new(loses));
        let answer = clerk.put_versioned("other", "new", Version(expected));
        assert_eq!(answer, told, "the first message of {leg:?} was lost");
        assert_eq!(clerk.get("other"), value, "told {told:?}");
        cluster.shutdown();
    });
}

#[test]
fn a_put_whose_answer_was_lost_may_have_happened() {
    put_versioned_losing(Leg::Reply, 1, Err(PutError::Maybe), "new");
}

#[test]
fn a_put_whose_request_was_lost_happens() {
    put_versioned_losing(Leg::Request, 1, Ok(()), "new");
}

#[test]
fn a_repeated_put_at_a_wrong_version_does_not_know() {
    put_versioned_losing(Leg::Reply, 7, Err(PutError::Maybe), "");
}

#[test]
fn a_put_that_is_sent_once_is_refused_for_what_it_is() {
    on_both_clocks(2, || {
        let cluster = Cluster::reading(BOTH[0]);
        // Even while there is no leader yet: servers that refuse a put do not carry it out.
        let mut clerk = cluster.clerk(0);
        assert_eq!(clerk.put_versioned("a", "1", Version(1)), Err(PutError::NoKey));
        assert_eq!(clerk.put_versioned("a", "1", Version(0)), Ok(()));
        assert_eq!(clerk.put_versioned("a", "2", Version(0)), Err(PutError::Version));
        assert_eq!(clerk.get_versioned("a"), Some(("1".to_string(), Version(1))));
        cluster.shutdown();
    });
}
