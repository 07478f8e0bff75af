//! Hands blocks of seeds to several threads, and collects the results.

#![allow(
    clippy::disallowed_methods,
    reason = "this code is outside any run: its threads wait for other processes"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::results::Block;
use crate::cli::exit::Trouble;
use crate::cli::interrupt;

/// Something to do that has a block as its result.
pub(super) type Task = Box<dyn Fn() -> Result<Block, Trouble> + Send + Sync>;

enum Message {
    Ended(usize, Result<Block, Trouble>),
    CtrlC,
}

/// The threads that do tasks, and Ctrl-C.
pub(super) struct Workers {
    jobs: u16,
    sender: Sender<Message>,
    inbox: Receiver<Message>,
}

impl Workers {
    /// Prepares `jobs` threads. May be called only once per process.
    pub(super) fn new(jobs: u16) -> Result<Workers, Trouble> {
        let (sender, inbox) = channel();
        interrupt::watch(sender.clone(), || Message::CtrlC)?;
        Ok(Workers { jobs, sender, inbox })
    }

    /// Does `tasks`, and gives each result to `take` with the task's place. Returns whether all was
    /// done: Ctrl-C ends it at once.
    pub(super) fn run(
        &self,
        tasks: Vec<Task>,
        mut take: impl FnMut(usize, Block) -> Result<(), Trouble>,
    ) -> Result<bool, Trouble> {
        let count = tasks.len();
        let desk = Arc::new((tasks, AtomicUsize::new(0)));
        for number in 0..self.jobs {
            let (desk, sender) = (desk.clone(), self.sender.clone());
            let work = move || {
                let (tasks, taken) = &*desk;
                loop {
                    let place = taken.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(place) else { return };
                    if sender.send(Message::Ended(place, task())).is_err() {
                        return;
                    }
                }
            };
            let thread = std::thread::Builder::new().name(format!("job {number}"));
            thread.spawn(work).map_err(|error| {
                Trouble::Machine(format!("no thread for job {number} ({error}); lower --jobs"))
            })?;
        }
        for _ in 0..count {
            match self.inbox.recv().expect("our own sender is alive") {
                Message::Ended(place, block) => take(place, block?)?,
                Message::CtrlC => return Ok(false),
            }
        }
        Ok(true)
    }
}
