//! How the schedule acts on a run: which task it chooses, preempts or stalls, all by the seed.
//!
//! Preemption alone finds next to nothing: a race window is some 200 ns of virtual time, and
//! timeouts are 300 ms. A *stall* separates a check from the act that relies on it: it stops the
//! task for many milliseconds, at one of a few places that the seed has chosen.
//!
//! Places are numbered in the order in which the run first reaches them. Neither an address nor a
//! line number influences the choice, so a line of logging added above a place changes no schedule.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::schedule::WaitKind;
use super::{Event, Place, Sim};
use crate::runtime::base::chance::Chance;
use crate::runtime::base::kept::{Choice, Choices, Keeping};
use crate::runtime::base::outcome::{FailureKind, RunConfig, Schedule, Stall};

/// A task that passes this many points without a switch is made to let others run.
const POINTS_PER_TURN_MAX: u32 = 2000;

/// Scheduling points between two signs of life for the watching OS thread.
const HEARTBEAT_POINTS: u64 = 1 << 12;

/// How hard a schedule shakes the tasks under test.
#[derive(Debug, Clone, Copy)]
struct Shaking {
    /// Chance that a point lets other tasks run, in 2^-32.
    preempt: u32,
    /// One in this many sites is hot, so that it may stall tasks. 0: no site is hot.
    sites: u64,
    /// Chance that a hot site stalls a task that passes it, in 2^-32.
    stall: u32,
    /// Each stall is shorter than this; its length is drawn.
    stall_max_ns: u64,
    /// Chance of a spurious wake-up from a wait on a condition, in 2^-32.
    spurious: u32,
}

/// Converts a chance in per cent to one in 2^-32.
const fn per_cent(percent: u64) -> u32 {
    #[allow(clippy::cast_possible_truncation, reason = "100 % is 2^32 - 1, which fits")]
    {
        (percent * (u32::MAX as u64) / 100) as u32
    }
}

impl Shaking {
    fn new(schedule: Schedule, chance: &mut Chance) -> Shaking {
        let calm = Shaking { preempt: 0, sites: 0, stall: 0, stall_max_ns: 0, spurious: 0 };
        match schedule {
            Schedule::Fifo => calm,
            Schedule::Random => Shaking {
                preempt: per_cent(5),
                sites: 16,
                stall: per_cent(2),
                stall_max_ns: 100_000_000,
                spurious: 0,
            },
            // Every seed draws its own parameters: what one setting cannot find, another may.
            Schedule::Hostile => Shaking {
                preempt: per_cent(5 + chance.below(16)),
                sites: 4 + chance.below(5),
                stall: per_cent(10 + chance.below(21)),
                stall_max_ns: (100 + chance.below(300)) * 1_000_000,
                spurious: per_cent(chance.below(6)),
            },
        }
    }
}

/// A place in the source together with the operation there.
type Site = (&'static str, u32, u32, u8);

/// Number of answers that are kept in [`Explorer::latest`]: a power of two, more than a run has
/// sites.
const LATEST: usize = 512;

/// The address of a place and the operation there, and whether that site is hot.
#[derive(Debug, Clone, Copy, Default)]
struct Latest {
    address: (usize, u8),
    hot: bool,
}

/// The slot in which an answer is kept.
#[allow(clippy::cast_possible_truncation, reason = "only the highest bits are left")]
const fn slot_of((address, event): (usize, u8)) -> usize {
    let spread = (address as u64 ^ (event as u64) << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> (u64::BITS - LATEST.ilog2())) as usize
}

/// Makes the choices of one run's schedule.
pub(super) struct Explorer {
    chance: Chance,
    fifo: bool,
    shaking: Shaking,
    /// Decides which site numbers are hot.
    heat: u64,
    hot_by_site: FxHashMap<Site, bool>,
    /// What `hot_by_site` says, by address, which is faster; one place may have several addresses.
    hot_by_address: FxHashMap<(usize, u8), bool>,
    /// The latest answers of `hot_by_address`, each in the slot of its [`slot_of`].
    latest: Box<[Latest; LATEST]>,
    keeping: Keeping,
}

impl Explorer {
    pub(super) fn new(config: &RunConfig) -> Explorer {
        let (seed, schedule) = (config.seed, config.schedule);
        let mut parameters = Chance::new(seed, "runtime/shaking");
        Explorer {
            chance: Chance::new(seed, "runtime/schedule"),
            fifo: schedule == Schedule::Fifo,
            shaking: Shaking::new(schedule, &mut parameters),
            heat: parameters.below(u64::MAX),
            hot_by_site: FxHashMap::default(),
            hot_by_address: FxHashMap::default(),
            latest: Box::new([Latest::default(); LATEST]),
            keeping: Keeping::new(config.kept.clone()),
        }
    }

    /// Chooses one of `len` candidates; the first under `fifo`. 0 if there is no candidate.
    #[inline]
    pub(super) fn choose(&mut self, len: usize) -> usize {
        if self.fifo || len < 2 {
            return 0;
        }
        let chosen = usize::try_from(self.chance.below(len as u64)).unwrap_or(0);
        if chosen == 0 || self.keeping.keeps(Choice::Switch) { chosen } else { 0 }
    }

    /// Whether chance lets other tasks run at this point.
    #[inline]
    fn preempts(&mut self) -> bool {
        self.chance.chance(self.shaking.preempt) && self.keeping.keeps(Choice::Switch)
    }

    pub(super) const fn choices_made(&self) -> Choices {
        self.keeping.made()
    }

    /// Draws for how long this site stalls a task under test. `None`: no stall.
    #[inline]
    fn stall_ns(&mut self, event: Event, place: Place) -> Option<u64> {
        if self.shaking.sites == 0 || !self.is_hot(event, place) {
            return None;
        }
        let stalls = self.chance.chance(self.shaking.stall);
        let span_ns = stalls.then(|| self.chance.below(self.shaking.stall_max_ns))?;
        self.keeping.keeps(Choice::Stall).then_some(span_ns)
    }

    #[inline]
    fn is_hot(&mut self, event: Event, place: Place) -> bool {
        let address = (std::ptr::from_ref(place).addr(), event as u8);
        let latest = self.latest[slot_of(address)];
        if latest.address == address {
            return latest.hot;
        }
        let hot = self.look_up(address, event, place);
        self.latest[slot_of(address)] = Latest { address, hot };
        hot
    }

    #[cold]
    fn look_up(&mut self, address: (usize, u8), event: Event, place: Place) -> bool {
        if let Some(hot) = self.hot_by_address.get(&address) {
            return *hot;
        }
        let number = self.hot_by_site.len() as u64;
        let site = (place.file(), place.line(), place.column(), event as u8);
        let draw =
            Chance::new(self.heat.wrapping_add(number), "runtime/site").below(self.shaking.sites);
        let hot = *self.hot_by_site.entry(site).or_insert(draw == 0);
        self.hot_by_address.insert(address, hot);
        hot
    }
}

/// The stalls of one server's tasks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stalled {
    /// When the last stall ends, in nanoseconds since the start.
    pub(super) until_ns: u64,
    /// Total time of all stalls until `until_ns`; time in which two tasks are stalled counts once.
    total_ns: u64,
}

impl Stalled {
    fn add(&mut self, from_ns: u64, until_ns: u64) {
        self.total_ns += until_ns.saturating_sub(from_ns.max(self.until_ns));
        self.until_ns = until_ns.max(self.until_ns);
    }

    /// Total time of all stalls until `now_ns`.
    pub(super) fn total_by(&self, now_ns: u64) -> u64 {
        self.total_ns - self.until_ns.saturating_sub(now_ns)
    }
}

impl Sim {
    /// Stalls or preempts the task that passes a scheduling point, if the seed says so.
    #[inline]
    pub(super) fn explore(&self, event: Event, place: Place) {
        let turn_is_long = self.turn_is_long();
        if self.points.get().is_multiple_of(HEARTBEAT_POINTS) {
            self.beat();
        }
        let mut explorer = self.explorer.borrow_mut();
        if explorer.fifo {
            drop(explorer);
            if turn_is_long {
                self.yield_to_any();
            }
            return;
        }
        let yields = turn_is_long || explorer.preempts();
        let stall_ns = match self.label() {
            Some(label) => explorer.stall_ns(event, place).map(|span_ns| (label, span_ns)),
            None => None,
        };
        drop(explorer);
        if let Some((label, span_ns)) = stall_ns {
            self.stall(label, span_ns, place);
        } else if yields {
            self.yield_to_any();
        }
    }

    /// Counts a point of the current turn. Returns whether other tasks must run now.
    #[inline]
    pub(super) fn turn_is_long(&self) -> bool {
        let turn = self.points_since_switch.get() + 1;
        self.points_since_switch.set(turn);
        turn >= POINTS_PER_TURN_MAX
    }

    /// Lets other tasks run if the turn is long. Does not stall or preempt the task otherwise.
    #[cold]
    pub(super) fn end_long_turn(&self) {
        if self.points.get().is_multiple_of(HEARTBEAT_POINTS) {
            self.beat();
        }
        if self.turn_is_long() {
            self.yield_to_any();
        }
    }

    #[cold]
    fn stall(&self, label: u32, span_ns: u64, place: Place) {
        let now_ns = self.now_ns.get();
        self.note_stall(label, now_ns, span_ns, place);
        self.block(WaitKind::Stall, 0, place, Some(now_ns + span_ns));
    }

    /// Notes that a task with `label` is held back from `from_ns` on.
    pub(super) fn note_stall(&self, label: u32, from_ns: u64, span_ns: u64, place: Place) {
        self.stalled.borrow_mut().entry(label).or_default().add(from_ns, from_ns + span_ns);
        if self.shared.record {
            self.notes.borrow_mut().stalls.push(Stall {
                label,
                at: Duration::from_nanos(from_ns),
                span: Duration::from_nanos(span_ns),
                place: place.to_string(),
            });
        }
    }

    /// Draws after how long this wait on a condition ends by a spurious wake-up. `None`: by none.
    pub(in crate::runtime) fn spurious_wake_ns(&self) -> Option<u64> {
        let mut explorer = self.explorer.borrow_mut();
        let spurious = explorer.shaking.spurious;
        let wakes = spurious > 0 && self.label().is_some() && explorer.chance.chance(spurious);
        let after_ns = wakes.then(|| explorer.chance.below(20_000_000))?;
        explorer.keeping.keeps(Choice::Stall).then_some(after_ns)
    }

    /// Numbers a choice that code above the runtime makes; see [`Kept`](crate::runtime::Kept).
    pub(in crate::runtime) fn keeps(&self, choice: Choice) -> bool {
        self.explorer.borrow_mut().keeping.keeps(choice)
    }

    /// Whether the run leaves out all choices of one kind.
    pub(in crate::runtime) fn keeps_none(&self, choice: Choice) -> bool {
        self.explorer.borrow().keeping.keeps_none(choice)
    }

    /// Tells the watching OS thread that the ending simulation makes progress.
    pub(super) fn beat_at_end(&self) {
        self.heartbeat.beat(self.heartbeat.latest() + 1);
    }

    /// Tells the watching OS thread that the simulation makes progress; ends a run with too many
    /// points.
    #[cold]
    fn beat(&self) {
        self.heartbeat.beat(self.points.get());
        if self.points.get() >= self.limits.points && !self.ending.get() {
            let points = self.limits.points;
            let message = format!(
                "the run passed {points} scheduling points, which is the limit\n{}",
                self.describe_tasks()
            );
            self.end_with_new(FailureKind::Livelock, "points_max", message);
            self.unwind_if_over();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_stalls_share_counts_once() {
        let mut stalled = Stalled::default();
        stalled.add(10, 30);
        stalled.add(20, 50);
        assert_eq!(stalled.total_by(50), 40, "they overlap");
        stalled.add(25, 40);
        assert_eq!((stalled.until_ns, stalled.total_by(50)), (50, 40), "inside another one");
        stalled.add(70, 80);
        assert_eq!(stalled.total_by(80), 50, "they are apart");
    }

    #[test]
    fn the_seed_chooses_among_two() {
        let chosen = |schedule| {
            let config = |seed| RunConfig { seed, schedule, ..RunConfig::default() };
            let of_seed = |seed| Explorer::new(&config(seed)).choose(2);
            let chosen: Vec<usize> = (0..50).map(of_seed).collect();
            [0, 1, 2].map(|candidate| chosen.contains(&candidate))
        };
        assert_eq!(chosen(Schedule::Random), [true, true, false]);
        assert_eq!(chosen(Schedule::Fifo), [true, false, false], "the first one came first");
    }

    #[test]
    fn a_run_without_switches_takes_the_first() {
        let kept = "switches=none".parse().unwrap();
        let config = RunConfig { kept, ..RunConfig::default() };
        let mut explorer = Explorer::new(&config);
        let chosen: Vec<usize> = (0..50).map(|_| explorer.choose(3)).collect();
        assert_eq!(chosen, [0; 50]);
        assert!(explorer.choices_made().of(Choice::Switch) > 20, "they were drawn");
    }

    #[test]
    fn a_stall_counts_as_far_as_it_has_come() {
        let mut stalled = Stalled::default();
        stalled.add(10, 30);
        let by = [10, 15, 30, 90].map(|now_ns| stalled.total_by(now_ns));
        assert_eq!(by, [0, 5, 20, 20]);
    }
}
