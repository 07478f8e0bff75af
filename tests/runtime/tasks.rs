//! Tasks, time, chance and the data of a run.

use std::sync::Arc;
use std::time::Duration;

use raftlab::runtime::sync::Quiet;
use raftlab::runtime::time::{self, Instant};
use raftlab::runtime::{self, channel, rand, thread};

use crate::{SPAN, on_both_clocks};

#[test]
fn join_returns_what_the_task_returned() {
    on_both_clocks(|| {
        let task = thread::spawn("answer", || 42);
        while !task.is_finished() {
            thread::sleep(SPAN);
        }
        assert_eq!(task.join(), 42);
    });
}

#[test]
fn a_short_task_is_named_after_the_code_it_runs() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::unbounded();
        let inside = sender.clone();
        thread::go(move || sender.send(runtime::task_name()).unwrap());
        assert_eq!(receiver.recv().unwrap(), "go");
        thread::under_test(2, || {
            thread::go(move || inside.send(runtime::task_name()).unwrap());
        });
        assert_eq!(receiver.recv().unwrap(), "go/2");
    });
}

#[test]
fn tasks_have_names_and_short_ones_may_block() {
    on_both_clocks(|| {
        assert_eq!(runtime::task_name(), "main");
        assert_eq!(thread::spawn("raft2/apply", runtime::task_name).join(), "raft2/apply");
        let (sender, receiver) = channel::unbounded();
        for _ in 0..100 {
            let sender = sender.clone();
            thread::go(move || {
                thread::sleep(SPAN);
                sender.send(()).unwrap();
            });
        }
        drop(sender);
        assert_eq!(receiver.iter().count(), 100);
    });
}

#[test]
fn older_tasks_are_those_that_were_started_for_the_server_before() {
    let outcome = runtime::run(&runtime::RunConfig::default(), || {
        let older = |before| runtime::describe_older_tasks(2, before).unwrap();
        let sleeper = || {
            thread::spawn("sleeper", || thread::sleep(2 * SPAN));
        };
        thread::under_test(1, sleeper);
        thread::under_test(2, sleeper);
        let first_life = runtime::tasks_started().unwrap();
        thread::sleep(SPAN);
        thread::under_test(2, sleeper);
        let own_mark = thread::under_test(2, || older(first_life));
        assert_eq!(own_mark.lines().count(), 1, "main and the later one do not count: {own_mark}");
        assert!(own_mark.contains("S2 sleeper: sleeps at "), "{own_mark}");
        thread::sleep(SPAN + SPAN / 2);
        assert_eq!(older(first_life), "", "the first has ended");
        assert_ne!(older(u64::MAX), "", "the second has not");
    });
    outcome.result.unwrap();
}

#[test]
fn sleep_lasts_its_span_and_clocks_agree() {
    on_both_clocks(|| {
        let (begun, quiet) = (Instant::now(), time::since_start());
        thread::sleep(SPAN);
        let (slept, quiet) = (begun.elapsed(), time::since_start() - quiet);
        assert!(slept >= SPAN, "slept {slept:?}");
        assert!(quiet >= SPAN && quiet <= slept + Duration::from_secs(5), "{quiet:?} {slept:?}");
    });
}

#[test]
fn instants_are_ordered_and_never_wrap() {
    on_both_clocks(|| {
        let now = Instant::now();
        assert!(now + SPAN > now);
        assert_eq!((now + SPAN) - now, SPAN);
        assert_eq!(now - (now + SPAN), Duration::ZERO, "an earlier minus a later point is zero");
        assert!(now + Duration::MAX > now, "the end of time is not before now");
    });
}

#[test]
fn a_stream_of_chance_depends_on_seed_and_name_alone() {
    use ::rand::Rng as _;
    on_both_clocks(|| {
        let seed = runtime::seed();
        let expected = rand::Chance::new(seed, "network").next_u64();
        rand::stream("other").next_u64();
        let drawn = thread::spawn("drawer", || rand::stream("network").next_u64()).join();
        assert_eq!(drawn, expected);
    });
}

#[test]
fn data_of_a_run_is_found_from_its_tasks() {
    on_both_clocks(|| {
        assert!(runtime::local::<Quiet<u32>>().is_none(), "an earlier run left its data");
        runtime::set_local(Arc::new(Quiet::new(7_u32)));
        let found = thread::spawn("finder", || {
            runtime::local::<Quiet<u32>>().expect("it was set").with(|value| *value)
        });
        assert_eq!(found.join(), 7);
    });
}

#[test]
#[should_panic(expected = "inside runtime::run")]
fn a_task_outside_a_run_is_refused() {
    thread::go(|| {});
}

#[test]
fn a_run_inside_a_run_is_refused() {
    let [virtual_failure, real_failure] = crate::failures(|| {
        let _ = crate::run_on(runtime::Clock::Virtual, 1, || ());
    });
    for failure in [virtual_failure, real_failure] {
        assert!(failure.message.contains("from inside a run"), "{failure}");
    }
}
