//! Channels.

use raftlab::runtime::channel::{
    self, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
use raftlab::runtime::thread;
use raftlab::runtime::time::Instant;

use crate::{SPAN, on_both_clocks};

#[test]
fn messages_arrive_once_and_in_order() {
    on_both_clocks(|| {
        for (sender, receiver) in [channel::unbounded(), channel::bounded(3), channel::bounded(0)] {
            let task = thread::spawn("sender", move || {
                (0..50).for_each(|i| sender.send(i).unwrap());
            });
            let received: Vec<u32> = receiver.iter().collect();
            assert!(received.into_iter().eq(0..50), "a message was lost, doubled or overtaken");
            task.join();
        }
    });
}

#[test]
fn many_senders_and_receivers_share_a_channel() {
    on_both_clocks(|| {
        for capacity in [0, 2] {
            let (sender, receiver) = channel::bounded(capacity);
            for i in 0..3 {
                let sender = sender.clone();
                thread::spawn(format!("sender {i}"), move || {
                    (0..10).for_each(|_| sender.send(1).unwrap());
                });
            }
            drop(sender);
            let tasks: Vec<_> = (0..2)
                .map(|i| {
                    let receiver = receiver.clone();
                    thread::spawn(format!("receiver {i}"), move || receiver.iter().sum::<u32>())
                })
                .collect();
            let total: u32 = tasks.into_iter().map(thread::JoinHandle::join).sum();
            assert_eq!(total, 30);
        }
    });
}

#[test]
fn a_rendezvous_waits_for_the_receiver() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded(0);
        let task = thread::spawn("sender", move || {
            let begun = Instant::now();
            sender.send(1).unwrap();
            begun.elapsed()
        });
        let begun = Instant::now();
        thread::sleep(SPAN);
        assert_eq!(receiver.recv(), Ok(1));
        // The sender may have begun a little later than we did.
        assert!(task.join() + SPAN / 2 >= begun.elapsed().min(SPAN), "the send did not wait");
    });
}

#[test]
fn a_full_channel_makes_the_sender_wait() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded(1);
        sender.send(1).unwrap();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        let refused = sender.send_timeout(2, SPAN);
        assert_eq!(refused, Err(SendTimeoutError::Timeout(2)));
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(sender.try_send(3), Ok(()));
        assert_eq!(receiver.try_recv(), Ok(3));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn try_send_at_a_rendezvous_needs_a_waiting_receiver() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded(0);
        assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
        let task = thread::spawn("receiver", move || receiver.recv());
        while sender.try_send(2).is_err() {
            thread::sleep(SPAN);
        }
        assert_eq!(task.join(), Ok(2));
    });
}

#[test]
fn try_send_at_a_rendezvous_needs_a_receiver_for_each_message() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded(0);
        let theirs = receiver.clone();
        let task = thread::spawn("receiver", move || theirs.recv());
        while sender.try_send(1).is_err() {
            thread::sleep(SPAN);
        }
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)), "one task receives one message");
        assert_eq!(task.join(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "the refused message was sent");
    });
}

#[test]
fn a_send_gives_its_message_back_when_nobody_receives_in_time() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded(0);
        let begun = Instant::now();
        assert_eq!(sender.send_timeout(7, SPAN), Err(SendTimeoutError::Timeout(7)));
        assert!(begun.elapsed() >= SPAN, "gave up too early");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "the returned message was sent");
    });
}

#[test]
fn without_receivers_a_message_comes_back() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded(0);
        let task = thread::spawn("sender", move || sender.send(1));
        thread::sleep(SPAN);
        drop(receiver);
        assert_eq!(task.join(), Err(SendError(1)));
        let (sender, receiver) = channel::unbounded();
        drop(receiver);
        assert_eq!(sender.send(1), Err(SendError(1)));
        assert_eq!(sender.try_send(1), Err(TrySendError::Disconnected(1)));
    });
}

#[test]
fn a_receiver_that_leaves_others_behind_leaves_the_messages_too() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::unbounded();
        sender.send(1).unwrap();
        drop(receiver.clone());
        assert_eq!(receiver.try_recv(), Ok(1));
    });
}

#[test]
fn what_a_rendezvous_gives_back_is_the_senders_own() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded(0);
        let theirs = sender.clone();
        let task = thread::spawn("patient", move || theirs.send(1));
        thread::sleep(SPAN);
        assert_eq!(sender.send_timeout(2, SPAN), Err(SendTimeoutError::Timeout(2)));
        assert_eq!(receiver.recv(), Ok(1));
        task.join().unwrap();
    });
}

#[test]
fn a_channel_wakes_a_task_that_waits_for_it() {
    on_both_clocks(|| {
        let (senders, tasks): (Vec<_>, Vec<_>) = (0..2)
            .map(|i| {
                let (sender, receiver) = channel::bounded(1);
                let task = thread::spawn("both ways", move || {
                    let first = receiver.recv().unwrap();
                    thread::sleep(SPAN * 2);
                    first + receiver.recv().unwrap()
                });
                thread::sleep(SPAN);
                ((i, sender), task)
            })
            .unzip();
        // The second channel first, and in it the receiver's wait before the sender's.
        let fill = |(i, sender): (u32, channel::Sender<u32>)| {
            sender.send(i).unwrap();
            sender.send(i).unwrap();
            sender
        };
        let senders: Vec<_> = senders.into_iter().rev().map(fill).collect();
        let sums: Vec<u32> = tasks.into_iter().map(thread::JoinHandle::join).collect();
        assert_eq!(sums, [0, 2]);
        drop(senders);
    });
}

#[test]
fn a_receive_wakes_a_sender_of_the_same_channel() {
    on_both_clocks(|| {
        let (receivers, tasks): (Vec<_>, Vec<_>) = (0..2)
            .map(|i| {
                let (sender, receiver) = channel::bounded(1);
                let fill = move || (0..2).for_each(|_| sender.send(i).unwrap());
                let task = thread::spawn("sender", fill);
                thread::sleep(SPAN);
                (receiver, task)
            })
            .unzip();
        for (receiver, task) in receivers.iter().zip(tasks).rev() {
            receiver.recv().unwrap();
            task.join();
        }
    });
}

#[test]
fn without_senders_what_was_sent_still_arrives() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::unbounded();
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.recv_timeout(SPAN), Err(RecvTimeoutError::Disconnected));
        let (sender, receiver) = channel::bounded::<()>(0);
        let task = thread::spawn("receiver", move || receiver.recv());
        thread::sleep(SPAN);
        drop(sender);
        assert_eq!(task.join(), Err(RecvError), "the receiver did not wake");
    });
}

#[test]
fn a_receive_with_a_deadline_ends_there() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::unbounded::<()>();
        let begun = Instant::now();
        assert_eq!(receiver.recv_timeout(SPAN), Err(RecvTimeoutError::Timeout));
        assert_eq!(receiver.recv_deadline(begun + SPAN * 2), Err(RecvTimeoutError::Timeout));
        assert!(begun.elapsed() >= SPAN * 2, "it ended too early");
        drop(sender);
    });
}

#[test]
fn hooks_see_what_every_way_to_receive_receives_in_order() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::unbounded();
        let (seen, onlooker) = channel::unbounded();
        let again = seen.clone();
        let receiver = receiver
            .inspect(move |i: &u32| seen.send(*i).unwrap())
            .inspect(move |i| again.send(i * 10).unwrap());
        (1..=4).for_each(|i| sender.send(i).unwrap());
        assert_eq!((receiver.try_recv(), receiver.recv()), (Ok(1), Ok(2)));
        assert_eq!((receiver.recv_timeout(SPAN), receiver.clone().recv()), (Ok(3), Ok(4)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        drop((sender, receiver));
        assert!(onlooker.iter().eq([1, 10, 2, 20, 3, 30, 4, 40]), "the older hook comes first");
    });
}
