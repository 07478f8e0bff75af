//! `block_on`, wakers, sleeping futures.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use raftlab::runtime::sync::Quiet;
use raftlab::runtime::time::{self, Instant};
use raftlab::runtime::{Clock, block_on, thread};
use tokio::sync::oneshot;

use crate::{SPAN, on_both_clocks, run_on};

#[test]
fn a_sleeping_future_lasts_its_span() {
    on_both_clocks(|| {
        let begun = Instant::now();
        block_on(async {
            time::sleep(SPAN).await;
            time::sleep(SPAN).await;
        });
        assert!(begun.elapsed() >= SPAN * 2, "it ended too early");
    });
}

#[test]
fn the_sooner_of_two_sleeps_wins() {
    on_both_clocks(|| {
        let begun = Instant::now();
        let winner = block_on(async {
            let (mut long, mut short) =
                (Box::pin(time::sleep(SPAN * 500)), Box::pin(time::sleep(SPAN)));
            poll_fn(move |cx| {
                if long.as_mut().poll(cx).is_ready() {
                    return Poll::Ready("long");
                }
                short.as_mut().poll(cx).map(|()| "short")
            })
            .await
        });
        assert_eq!(winner, "short");
        assert!(begun.elapsed() < SPAN * 400, "it waited for the longer one");
    });
}

#[test]
fn an_answer_from_another_task_wakes() {
    on_both_clocks(|| {
        let (sender, receiver) = oneshot::channel();
        thread::go(move || {
            thread::sleep(SPAN);
            sender.send(5).unwrap();
        });
        assert_eq!(block_on(receiver), Ok(5));
        let (sender, receiver) = oneshot::channel::<()>();
        thread::go(move || drop(sender));
        assert!(block_on(receiver).is_err(), "a dropped sender must wake too");
    });
}

#[test]
fn block_on_nests_and_loses_no_wake_up() {
    on_both_clocks(|| {
        let (outer_sender, outer) = oneshot::channel();
        let (inner_sender, inner) = oneshot::channel();
        thread::go(move || {
            outer_sender.send(1).unwrap();
            thread::sleep(SPAN);
            inner_sender.send(2).unwrap();
        });
        let mut inner = Some(inner);
        let mut outer = Box::pin(outer);
        let both = block_on(poll_fn(move |cx| {
            let first = outer.as_mut().poll(cx);
            // Blocks in the middle of a poll, while the outer future's wake-up arrives.
            let second = inner.take().map(|inner| block_on(inner).unwrap());
            match (first, second) {
                (Poll::Ready(first), second) => Poll::Ready((first.unwrap(), second)),
                (Poll::Pending, _) => Poll::Pending,
            }
        }));
        assert_eq!(both.0, 1);
    });
}

#[test]
fn a_waker_may_be_called_late_twice_and_by_a_stranger() {
    on_both_clocks(|| {
        let kept: Arc<Quiet<Option<Waker>>> = Arc::default();
        let theirs = kept.clone();
        let mut polls = 0;
        let task = thread::spawn("polled", move || {
            block_on(poll_fn(|cx| {
                polls += 1;
                theirs.with(|slot| *slot = Some(cx.waker().clone()));
                if polls < 2 { Poll::Pending } else { Poll::Ready(()) }
            }));
        });
        let waker = loop {
            match kept.with(|slot| slot.clone()) {
                Some(waker) => break waker,
                None => thread::sleep(SPAN),
            }
        };
        waker.wake_by_ref();
        waker.wake_by_ref();
        task.join();
        waker.wake();
    });
}

/// A run reuses the resources of a task that has ended. Only the virtual clock promises that no
/// waker of that task reaches the next one.
#[test]
fn a_waker_that_outlives_its_task_wakes_no_later_one() {
    let outcome = run_on(Clock::Virtual, 1, || {
        let kept: Arc<Quiet<Vec<Waker>>> = Arc::default();
        let (first, second) = (kept.clone(), kept.clone());
        let poll_once = move |cx: &mut Context<'_>| {
            first.with(|wakers| wakers.push(cx.waker().clone()));
            Poll::Ready(())
        };
        thread::spawn("first", move || block_on(poll_fn(poll_once))).join();
        let polls = thread::spawn("second", move || {
            let mut polls = 0;
            block_on(poll_fn(|cx| {
                polls += 1;
                second.with(|wakers| wakers.push(cx.waker().clone()));
                if polls < 2 { Poll::Pending } else { Poll::Ready(Instant::now()) }
            }))
        });
        thread::sleep(SPAN);
        let wakers = kept.with(std::mem::take);
        wakers[0].wake_by_ref();
        thread::sleep(SPAN);
        let woken = Instant::now();
        wakers[1].wake_by_ref();
        assert!(polls.join() >= woken, "a waker of a task that had ended woke another one");
    });
    outcome.result.unwrap();
}

#[test]
fn a_thousand_messages_pass_through_futures() {
    on_both_clocks(|| {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let task = thread::spawn("sender", move || {
            block_on(async {
                for i in 0..1000 {
                    sender.send(i).await.unwrap();
                }
            });
        });
        let received = block_on(async {
            let mut count = 0;
            while let Some(i) = receiver.recv().await {
                assert_eq!(i, count, "a message was overtaken");
                count += 1;
            }
            count
        });
        assert_eq!(received, 1000);
        task.join();
    });
}
