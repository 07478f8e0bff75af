//! An elastic pool of OS threads for short tasks: never a bound, since a task may block.

use std::sync::OnceLock;
use std::time::Duration;

/// A job of the pool; it catches its own panics.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// How long a thread without a job waits for one before it ends.
const IDLE_MAX: Duration = Duration::from_secs(10);

type Slot = crossbeam_channel::Sender<Job>;

fn idle() -> &'static parking_lot::Mutex<Vec<Slot>> {
    static IDLE: OnceLock<parking_lot::Mutex<Vec<Slot>>> = OnceLock::new();
    IDLE.get_or_init(Default::default)
}

/// Runs `job` on the thread that became idle last, or on a new one if none is idle.
pub(super) fn go(job: Job) {
    let mut job = job;
    loop {
        let Some(slot) = idle().lock().pop() else { break };
        match slot.send(job) {
            Ok(()) => return,
            // That thread has just given up waiting.
            Err(back) => job = back.into_inner(),
        }
    }
    std::thread::Builder::new()
        .name("pool".to_string())
        .spawn(move || worker(job))
        .expect("the operating system gives a thread");
}

fn worker(first: Job) {
    let (slot, jobs) = crossbeam_channel::bounded::<Job>(1);
    first();
    loop {
        idle().lock().push(slot.clone());
        match jobs.recv_timeout(IDLE_MAX) {
            Ok(job) => job(),
            Err(_) => {
                let mut idle = idle().lock();
                idle.retain(|other| !other.same_channel(&slot));
                drop(idle);
                // A job may have come between the time-out and the removal.
                match jobs.try_recv() {
                    Ok(job) => job(),
                    Err(_) => return,
                }
            }
        }
    }
}
