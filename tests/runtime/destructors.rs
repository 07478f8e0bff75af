//! Destructors may do anything, at any time: the run ends with a report.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use raftlab::runtime::sync::{Mutex, Quiet};
use raftlab::runtime::thread::{self, JoinHandle};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{self, Clock, FailureKind, Outcome, RunConfig, channel};

use crate::{SPAN, failures, on_both_clocks, run_on};

/// Runs a closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn outcomes(main: impl Fn() + Clone + Send + 'static) -> [(Clock, Outcome<()>); 2] {
    [Clock::Virtual, Clock::Real].map(|clock| (clock, run_on(clock, 1, main.clone())))
}

#[test]
fn the_closure_of_a_task_that_never_began_may_lock_when_it_is_dropped() {
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    static BEGUN: AtomicU32 = AtomicU32::new(0);
    let count = 50;
    for seed in 0..60 {
        DROPPED.store(0, Ordering::Relaxed);
        BEGUN.store(0, Ordering::Relaxed);
        let outcome = run_on(Clock::Virtual, seed, move || {
            let shared = Arc::new(Mutex::new(0));
            for _ in 0..count {
                let shared = shared.clone();
                let locks = OnDrop(move || {
                    *shared.lock() += 1;
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                });
                thread::go(move || {
                    BEGUN.fetch_add(1, Ordering::Relaxed);
                    drop(locks);
                });
            }
        });
        assert!(outcome.result.is_ok() && outcome.tasks_left == 0, "{outcome:?}");
        // A task that had begun may have been unwound out of its destructor.
        let (dropped, begun) = (DROPPED.load(Ordering::Relaxed), BEGUN.load(Ordering::Relaxed));
        assert!(dropped + begun >= count, "{dropped} destructors ran with seed {seed}");
        assert!(begun < count, "every task began with seed {seed}");
    }
}

#[test]
fn a_destructor_may_wait_for_anything_while_the_run_ends() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded::<u32>(0);
        for i in 0..4 {
            let (sender, receiver) = (sender.clone(), receiver.clone());
            thread::spawn(format!("waits {i}"), move || {
                let _waits = OnDrop(|| match i {
                    0 => drop(sender.send(1)),
                    1 => drop(receiver.recv()),
                    2 => thread::sleep(Duration::from_secs(1000)),
                    _ => drop(receiver.recv_timeout(Duration::from_secs(1000))),
                });
                thread::sleep(Duration::from_secs(1000));
            });
        }
        thread::sleep(SPAN);
    });
}

#[test]
fn a_destructor_may_join_a_task_while_the_run_ends() {
    on_both_clocks(|| {
        let mut handle = Some(thread::spawn("joined", || thread::sleep(Duration::from_secs(1000))));
        thread::spawn("joins", move || {
            let _joins = OnDrop(|| handle.take().into_iter().for_each(JoinHandle::join));
            thread::sleep(Duration::from_secs(1000));
        });
        thread::sleep(SPAN);
    });
}

#[test]
fn a_destructor_may_join_a_task_while_a_panic_that_is_caught_unwinds() {
    on_both_clocks(|| {
        let joined = Arc::new(Mutex::new(0));
        let handle = thread::spawn("joined", || {
            thread::sleep(SPAN);
            5
        });
        let mut handle = Some(handle);
        let theirs = joined.clone();
        let caught = catch_unwind(AssertUnwindSafe(move || {
            let _joins = OnDrop(|| *theirs.lock() = handle.take().map_or(0, JoinHandle::join));
            panic!("caught by its own task");
        }));
        assert!(caught.is_err() && *joined.lock() == 5, "the task was not joined");
    });
}

#[test]
fn after_a_caught_panic_a_task_waits_as_before() {
    on_both_clocks(|| {
        let (_sender, receiver) = channel::unbounded::<()>();
        let shared = Arc::new(Mutex::new(()));
        // Meanwhile another task unwinds, and waits for a lock in its destructor.
        let guard = shared.lock();
        let theirs = shared.clone();
        let other = thread::spawn("other", move || {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _locks = OnDrop(|| drop(theirs.lock()));
                panic!("caught as well");
            }));
        });
        thread::sleep(SPAN / 4);
        assert!(catch_unwind(|| panic!("caught")).is_err());
        let start = Instant::now();
        thread::sleep(SPAN);
        assert!(start.elapsed() >= SPAN, "a sleep took no time");
        let received = receiver.recv_timeout(SPAN);
        assert_eq!(received, Err(channel::RecvTimeoutError::Timeout), "its sender lives");
        assert!(start.elapsed() >= SPAN * 2, "a wait took no time");
        drop(guard);
        other.join();
    });
}

#[test]
fn a_panic_inside_a_future_leaves_the_outer_one_its_timers() {
    on_both_clocks(|| {
        let sleep = runtime::time::sleep(SPAN);
        let mut outer = Box::pin(sleep);
        runtime::block_on(std::future::poll_fn(move |cx| {
            let polled = outer.as_mut().poll(cx);
            let inner = async { panic!("inside") };
            assert!(catch_unwind(AssertUnwindSafe(|| runtime::block_on(inner))).is_err());
            polled
        }));
    });
}

#[test]
fn a_payload_whose_destructor_panics_is_a_failure_in_time() {
    for (clock, outcome) in outcomes(|| {
        panic_any(OnDrop(|| {
            if !std::thread::panicking() {
                panic!("in the payload's destructor");
            }
        }));
    }) {
        assert_eq!(outcome.result.unwrap_err().message, "a panic without a text", "{clock}");
        assert_eq!(outcome.tasks_left, 0, "on the {clock} clock");
        assert!(outcome.elapsed < Duration::from_secs(10), "it took {:?}", outcome.elapsed);
    }
}

/// On other platforms this ends the process, as in any Rust program.
#[cfg(all(target_os = "linux", not(raftlab_portable)))]
#[test]
fn a_panic_in_a_destructor_that_unwinds_is_a_failure_and_costs_a_thread() {
    for (clock, outcome) in outcomes(|| {
        thread::under_test(2, || {
            thread::spawn("server", || {
                let _panics = OnDrop(|| panic!("second"));
                panic!("first");
            })
        });
        thread::sleep(Duration::from_secs(1000));
    }) {
        let failure = outcome.result.unwrap_err();
        assert_eq!((failure.kind, failure.label), (FailureKind::Panic, Some(2)), "{clock}");
        assert!(failure.message.contains("second"), "{failure}");
        assert!(failure.place.contains("destructors.rs"), "{failure}");
        assert_eq!(failure.task, "server");
        assert!(outcome.thread_left && outcome.tasks_left > 0, "on the {clock} clock");
    }
    // The process continues, and can still catch panics.
    for failure in failures(|| panic!("third")) {
        assert_eq!(failure.message, "third");
    }
}

#[test]
fn a_failure_from_a_destructor_that_unwinds_is_the_runs() {
    for (clock, outcome) in outcomes(|| {
        thread::go(|| {
            let _fails = OnDrop(|| runtime::fail(FailureKind::Observer, "Rule", String::new()));
            panic!("later than the rule");
        });
        thread::sleep(Duration::from_secs(1000));
    }) {
        assert_eq!(outcome.result.unwrap_err().name, "Rule", "on the {clock} clock");
        assert_eq!(outcome.tasks_left, 1, "on the {clock} clock");
    }
}

#[test]
fn destructors_that_start_tasks_come_to_an_end() {
    struct Starts;
    impl Drop for Starts {
        fn drop(&mut self) {
            let again = Starts;
            thread::go(move || {
                let _ = &again;
            });
        }
    }
    for (clock, outcome) in outcomes(|| {
        let starts = Starts;
        thread::go(move || {
            let _starts = &starts;
            thread::sleep(Duration::from_secs(1000));
        });
        thread::sleep(SPAN);
    }) {
        assert!(outcome.result.is_ok(), "on the {clock} clock: {outcome:?}");
        assert!(outcome.tasks_left > 0, "on the {clock} clock");
    }
}

/// At the end of a run, a destructor can start only as many tasks as may live at once. The closures
/// of the others are leaked, and counted.
#[test]
fn a_destructor_that_starts_too_many_tasks_leaves_some() {
    const STARTED: u32 = 200;
    const LIVE_MAX: u32 = 50;
    let dropped = Arc::new(AtomicU32::new(0));
    let counter = dropped.clone();
    let starts = move || {
        for _ in 0..STARTED {
            let counter = counter.clone();
            let counts = OnDrop(move || {
                counter.fetch_add(1, Ordering::Relaxed);
            });
            thread::go(move || drop(counts));
        }
    };
    let config = RunConfig { tasks_max: LIVE_MAX, ..RunConfig::default() };
    let outcome = runtime::run(&config, move || {
        let starts = OnDrop(starts);
        thread::go(move || {
            let _starts = starts;
            thread::sleep(Duration::from_secs(1000));
        });
        thread::sleep(SPAN);
    });
    assert!(outcome.result.is_ok(), "{outcome:?}");
    // The task with the destructor counts too.
    assert_eq!(dropped.load(Ordering::Relaxed), LIVE_MAX - 1);
    assert_eq!(outcome.tasks_left, STARTED - (LIVE_MAX - 1));
}

#[test]
fn data_of_a_run_is_dropped_in_the_run_and_may_look_for_more() {
    type Looks = OnDrop<fn()>;
    let look: fn() = || assert!(runtime::in_run(), "dropped outside of its run");
    on_both_clocks(move || {
        runtime::set_local(Arc::new(OnDrop(look)));
        let looks = OnDrop(|| drop(runtime::local::<Looks>()));
        runtime::set_local(Arc::new(looks));
        runtime::set_local(Arc::new(OnDrop(look)));
    });
}

#[cfg(all(target_os = "linux", not(raftlab_portable)))]
#[test]
fn a_thread_local_whose_destructor_panics_costs_a_thread() {
    type Panics = OnDrop<fn()>;
    thread_local! {
        static KEPT: Cell<Option<Panics>> = const { Cell::new(None) };
    }
    let outcome = run_on(Clock::Virtual, 1, || {
        let panics: fn() = || panic!("after the run");
        KEPT.set(Some(OnDrop(panics)));
        7
    });
    assert_eq!(outcome.result.unwrap(), 7);
    assert!(outcome.thread_left && outcome.tasks_left == 0, "the panic had no effect");
}

#[test]
fn tasks_that_never_wait_for_long_end_with_their_run() {
    let config = RunConfig { clock: Clock::Real, ..RunConfig::default() };
    let outcome = runtime::run(&config, || {
        let (ping, pong) = (channel::unbounded::<()>(), channel::unbounded::<()>());
        ping.0.send(()).unwrap();
        thread::spawn("ping", move || while ping.1.recv().is_ok() && pong.0.send(()).is_ok() {});
        thread::spawn("pong", move || while pong.1.recv().is_ok() && ping.0.send(()).is_ok() {});
        thread::spawn("yields", || {
            loop {
                thread::yield_now();
            }
        });
        thread::sleep(SPAN);
    });
    assert!(outcome.result.is_ok() && outcome.tasks_left == 0, "{outcome:?}");
}

#[test]
fn a_future_that_wakes_itself_lets_others_run() {
    on_both_clocks(|| {
        let done = Arc::new(AtomicU32::new(0));
        let theirs = done.clone();
        thread::go(move || {
            thread::sleep(SPAN);
            theirs.store(1, Ordering::Relaxed);
        });
        runtime::block_on(std::future::poll_fn(|cx| {
            if done.load(Ordering::Relaxed) == 1 {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        }));
    });
}

#[test]
fn the_unwinding_of_another_run_is_a_panic_like_any_other() {
    type Payload = Box<dyn std::any::Any + Send>;
    for clock in [Clock::Virtual, Clock::Real] {
        let kept = Arc::new(Quiet::new(None::<Payload>));
        let theirs = kept.clone();
        let first = run_on(clock, 1, move || {
            thread::spawn("keeps", move || {
                let payload = catch_unwind(|| thread::sleep(Duration::from_secs(1000)));
                theirs.with(|kept| *kept = payload.err());
            });
            thread::sleep(SPAN);
        });
        assert!(first.result.is_ok(), "on the {clock} clock");
        let payload = kept.with(Option::take).expect("the sleep was unwound");
        let second = run_on(clock, 1, || std::panic::resume_unwind(payload));
        assert_eq!(second.result.unwrap_err().message, "a panic without a text", "{clock}");
    }
}

#[test]
fn a_message_that_locks_while_it_is_made_keeps_control() {
    struct Locks(Arc<Mutex<u32>>);
    impl std::fmt::Display for Locks {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "it is {}", *self.0.lock())
        }
    }
    on_both_clocks(|| {
        let shared = Locks(Arc::new(Mutex::new(7)));
        let tasks = [0, 1].map(|number| {
            let shared = Locks(shared.0.clone());
            thread::spawn(format!("panics {number}"), move || {
                for _ in 0..50 {
                    let panics = || match number {
                        0 => panic!("{shared}"),
                        _ => panic!("plain"),
                    };
                    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
                }
            })
        });
        tasks.into_iter().for_each(JoinHandle::join);
    });
}

#[cfg(all(target_os = "linux", not(raftlab_portable)))]
#[test]
fn a_vector_of_a_garbage_length_is_a_failure() {
    for (clock, outcome) in outcomes(|| drop(std::hint::black_box(vec![0_u8; 1 << 46]))) {
        assert!(outcome.result.is_err() && outcome.thread_left, "on the {clock} clock");
    }
}

#[test]
fn too_many_tasks_are_a_failure_that_names_server_and_place() {
    for (clock, outcome) in [Clock::Virtual, Clock::Real].map(|clock| {
        let config = RunConfig { clock, tasks_max: 50, ..RunConfig::default() };
        let main = || {
            thread::go(|| thread::sleep(Duration::from_secs(1000)));
            thread::under_test(2, || {
                loop {
                    thread::go(|| thread::sleep(Duration::from_secs(1000)));
                }
            })
        };
        (clock, runtime::run::<()>(&config, main))
    }) {
        let failure = outcome.result.unwrap_err();
        assert_eq!((failure.kind, failure.name.as_str()), (FailureKind::Limit, "tasks_max"));
        assert!(failure.message.contains("50 tasks live at once"), "{failure}");
        assert!(failure.message.contains("S2"), "{failure}");
        assert_eq!(outcome.tasks_left, 0, "on the {clock} clock");
        if clock == Clock::Virtual {
            assert!(failure.message.contains("48 of them were started by S2 at"), "{failure}");
            assert!(failure.message.contains("destructors.rs"), "{failure}");
        }
    }
}
