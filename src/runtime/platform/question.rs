//! Asks an OS thread which task has control of it, and where.
//!
//! A task that never passes a scheduling point cannot report itself, so a signal (SIGUSR2) to its
//! OS thread makes a handler report it. Our handler is installed for the question only. It tells
//! our signal from the host's: ours comes from our own process, to the thread that is being asked.

#![allow(unsafe_code, reason = "a signal handler")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use super::signal::Front;
use super::{Describe, Halted};

/// Pause between two looks of the asking thread for the answer.
const POLL: Duration = Duration::from_millis(10);

/// Number of looks after which the handler must have begun.
const POLLS_TO_BEGIN_MAX: u32 = 500;

/// Number of looks after which the handler must have ended.
const POLLS_MAX: u32 = 3000;

static FRONT: Front = Front::new(libc::SIGUSR2, libc::SA_RESTART, on_question);

/// One question at a time.
static ASKING: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

/// The mark of the thread that has to answer; 0 if no thread has to answer, or if it has begun to.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// The answer, and the mark of the thread that gave it. Null until there is one.
static ANSWER: AtomicPtr<(usize, Option<Halted>)> = AtomicPtr::new(std::ptr::null_mut());

/// Number of our signals that had not arrived when the asking thread gave up, but still may arrive.
static LATE: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The function that answers for the thread.
    static DESCRIBE: Cell<Option<Describe>> = const { Cell::new(None) };
}

/// Makes `describe` the answer of the calling thread. Returns the thread's mark, to ask it by.
pub(super) fn answer_with(describe: Describe) -> usize {
    DESCRIBE.set(Some(describe));
    mark()
}

/// The mark of the calling thread: a number that no other living thread has.
fn mark() -> usize {
    DESCRIBE.with(|describe| std::ptr::from_ref(describe).addr())
}

/// Asks `thread`, whose join handle the caller holds and whose mark is `mark`.
pub(super) fn ask(thread: libc::pthread_t, mark: usize) -> Option<Halted> {
    let _asking = ASKING.lock();
    FRONT.enter();
    ASKED.store(mark, Ordering::Release);
    // SAFETY: the caller holds the thread's join handle, so the id is valid.
    unsafe { libc::pthread_kill(thread, libc::SIGUSR2) };
    let answer = wait_for_answer(mark);
    if ASKED.swap(0, Ordering::AcqRel) == 0 {
        FRONT.leave();
    } else {
        // The signal may still arrive, and without our handler it would end the process.
        LATE.fetch_add(1, Ordering::AcqRel);
    }
    answer
}

fn wait_for_answer(mark: usize) -> Option<Halted> {
    for poll in 0..POLLS_MAX {
        if let Some((answered, answer)) = take_answer()
            && answered == mark
        {
            return answer;
        }
        if poll >= POLLS_TO_BEGIN_MAX && ASKED.load(Ordering::Acquire) != 0 {
            return None;
        }
        std::thread::sleep(POLL);
    }
    None
}

fn take_answer() -> Option<(usize, Option<Halted>)> {
    let answer = ANSWER.swap(std::ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: a handler made it from a Box, and the swap has made us its only owner.
    (!answer.is_null()).then(|| *unsafe { Box::from_raw(answer) })
}

/// Answers the question of [`ask`], on the thread that is asked.
///
/// Allocates memory, which a handler must not do if it interrupted the allocator. A thread that has
/// passed no scheduling point for long is hardly inside the allocator; if it is, the asking thread
/// gives up.
extern "C" fn on_question(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if !is_from_us(info) {
        return FRONT.pass_on(info, context);
    }
    let (none, mark) = (0, mark());
    if ASKED.compare_exchange(mark, none, Ordering::AcqRel, Ordering::Acquire).is_ok() {
        // SAFETY: errno of this very thread, which the interrupted code may be about to read.
        let errno = unsafe { libc::__errno_location() };
        // SAFETY: as above.
        let before = unsafe { *errno };
        let answer =
            Box::into_raw(Box::new((mark, DESCRIBE.get().and_then(|describe| describe()))));
        ANSWER.store(answer, Ordering::Release);
        // SAFETY: as above.
        unsafe { *errno = before };
        return;
    }
    let fewer = |late: u32| late.checked_sub(1);
    if LATE.fetch_update(Ordering::AcqRel, Ordering::Acquire, fewer).is_err() {
        FRONT.pass_on(info, context);
    }
}

/// Whether a thread of this process sent the signal to this thread.
fn is_from_us(info: *const libc::siginfo_t) -> bool {
    // SAFETY: the kernel passes a valid siginfo; it names the sender if a thread sent the signal.
    unsafe { (*info).si_code == libc::SI_TKILL && (*info).si_pid() == libc::getpid() }
}
