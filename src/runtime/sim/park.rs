//! How a task in a simulation waits for a waker.
//!
//! A waker is one word: simulation, slot and generation packed into the pointer. It needs no
//! memory, may outlive its task, and may be sent anywhere. Outside its simulation, or after its
//! task has ended, it does nothing.

use std::panic::Location;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::schedule::WaitKind;
use super::task::{State, TaskId};
use super::{Event, Sim, current};
use crate::runtime::base::instant::Instant;

// For the three numbers of a waker in one address, and for thousands of stacks.
#[cfg(not(target_pointer_width = "64"))]
compile_error!("the virtual clock needs addresses of 64 bits");

/// Parks the current task of a simulation for `block_on`.
pub(in crate::runtime) struct SimParker;

const VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, drop_waker);

/// Maximum number of parks in a row that find a token and do not pass a scheduling point.
const FREE_PARKS: u32 = 64;

const SLOT_BITS: u32 = 24;
const GENERATION_BITS: u32 = 16;
const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;

impl SimParker {
    #[allow(unsafe_code, reason = "a waker without memory")]
    pub(in crate::runtime) fn waker(sim: &Sim) -> Waker {
        let id = sim.current.get();
        let generation = sim.with_current(|task| task.generation) & GENERATION_MASK;
        assert!(id.0 < 1 << SLOT_BITS, "{} tasks live at once; a waker can name 2^24", id.0);
        let word = (u64::from(sim.id) << (SLOT_BITS + GENERATION_BITS))
            | (u64::from(generation) << SLOT_BITS)
            | u64::from(id.0);
        let data =
            std::ptr::without_provenance(usize::try_from(word).expect("addresses have 64 bits"));
        // SAFETY: the functions of the table use the data as a number only.
        unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
    }

    /// Waits for the token or for `deadline`. Returns whether it took the token.
    #[track_caller]
    pub(in crate::runtime) fn park(sim: &Sim, deadline: Option<Instant>) -> bool {
        let take = || sim.with_current(|task| std::mem::take(&mut task.token));
        if take() {
            let parks = sim.free_parks.get() + 1;
            sim.free_parks.set(parks);
            if parks > FREE_PARKS {
                // A future that wakes itself again and again waits for another task's action.
                sim.point(Event::Yield, Location::caller());
            }
            return true;
        }
        sim.block(WaitKind::Park, 0, Location::caller(), deadline.map(Instant::as_ns));
        take()
    }

    pub(in crate::runtime) fn leave(sim: &Sim) {
        sim.with_current(|task| task.token = true);
    }
}

fn clone(data: *const ()) -> RawWaker {
    RawWaker::new(data, &VTABLE)
}

fn drop_waker(_: *const ()) {}

fn wake(data: *const ()) {
    let word = data.addr() as u64;
    let Some(sim) = current() else { return };
    let slot = u32::try_from(word & ((1 << SLOT_BITS) - 1)).expect("masked to 24 bits");
    let generation = (word >> SLOT_BITS) & u64::from(GENERATION_MASK);
    if word >> (SLOT_BITS + GENERATION_BITS) == u64::from(sim.id) {
        sim.unpark(TaskId(slot), generation);
    }
}

impl Sim {
    fn unpark(&self, id: TaskId, generation: u64) {
        let parked = {
            let mut tasks = self.tasks.borrow_mut();
            let Some(task) = tasks.get_mut(id.slot()) else { return };
            if u64::from(task.generation & GENERATION_MASK) != generation {
                return;
            }
            task.token = true;
            matches!(&task.state, State::Blocked(wait) if matches!(wait.kind, WaitKind::Park))
        };
        if parked && !self.ending.get() {
            self.make_ready(id, false);
        }
    }
}
