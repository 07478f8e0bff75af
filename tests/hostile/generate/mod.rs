//! Makes a hostile program from a seed: an odd one for the real clock, an even one for the virtual.
//!
//! A calm program must have a certain outcome, so it keeps some rules: it takes locks in ascending
//! order, its destructors take only leaves, main's waits have a limit, and each panic is caught
//! where it is raised. A wild program on the virtual clock keeps none of these rules.

mod steps;

use std::sync::Arc;
use std::time::Duration;

use raftlab::runtime::rand::Chance;
use raftlab::runtime::{Clock, RunConfig, Schedule};

use crate::program::{Body, Handle, Op, Program, Temper};

/// Maximum depth of nested steps, tasks and destructors.
const DEPTH: u32 = 7;

/// A step's place in the program, which decides what the step may do.
#[derive(Debug, Clone, Copy)]
struct At {
    depth: u32,
    /// In the steps of main itself, not of a task or of a destructor.
    main: bool,
    in_drop: bool,
    /// In a destructor that runs when an OS thread ends, outside any run.
    in_thread: bool,
    /// The lowest lock that may be taken.
    floor: usize,
    /// Whether a leaf is held: then the step may neither wait for anything nor drop a value.
    leaf: bool,
    /// Whether waits may have no limit.
    endless: bool,
    /// Whether a panic is caught before it leaves the task or the destructor.
    caught: bool,
}

struct Generator {
    chance: Chance,
    temper: Temper,
    clock: Clock,
    /// Whether waits may have no limit, which the real clock notices late.
    endless: bool,
    /// Whether destructors may wait for something that may never come.
    stubborn: bool,
    next_id: u32,
    steps_left: u32,
}

/// The program of `seed`.
pub(crate) fn program(seed: u64) -> Program {
    let clock = if seed % 2 == 1 { Clock::Real } else { Clock::Virtual };
    let mut chance = Chance::new(seed, "hostile/program");
    let temper = match chance.below(100) {
        0..40 => Temper::Calm,
        40..65 => Temper::Failing,
        65..98 => Temper::Wild,
        _ => Temper::Doomed,
    };
    // Small programs find simple mistakes, and are easy to read.
    let steps = if chance.below(3) == 0 { 2 + chance.below(7) } else { 8 + chance.below(40) };
    let steps_left = u32::try_from(steps).expect("a small number");
    let untamed = matches!(temper, Temper::Wild | Temper::Doomed);
    let simulated = clock == Clock::Virtual;
    let mut generator = Generator {
        temper,
        clock,
        endless: simulated || chance.below(10) == 0,
        stubborn: untamed && (simulated || chance.below(100) == 0),
        next_id: 0,
        steps_left,
        chance,
    };
    let main = generator.main();
    let result = generator.maybe_value(generator.main_at(), 4);
    let config = generator.config(seed);
    Program { temper, config, main, result }
}

impl Generator {
    fn below(&mut self, bound: u64) -> u64 {
        self.chance.below(bound)
    }

    /// True once in `times`.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).expect("an index is below its bound")
    }

    fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    fn untamed(&self) -> bool {
        matches!(self.temper, Temper::Wild | Temper::Doomed)
    }

    /// Whether locks may be taken in any order, even twice. On the real clock, a thread that waits
    /// for a lock for ever costs its run the whole time that leftover tasks are given.
    fn lawless(&self) -> bool {
        self.untamed() && self.clock == Clock::Virtual
    }

    fn ms(&mut self) -> u64 {
        let most = if self.clock == Clock::Real { 3 } else { 50 };
        1 + self.below(most)
    }

    fn config(&mut self, seed: u64) -> RunConfig {
        let schedule = match self.below(3) {
            0 => Schedule::Fifo,
            1 => Schedule::Random,
            _ => Schedule::Hostile,
        };
        let short = self.untamed() && (self.once_in(3) || self.clock == Clock::Real);
        let elapsed_max = match (self.clock, short) {
            (_, true) => Duration::from_millis(2 + self.below(30)),
            (Clock::Real, false) => Duration::from_secs(60),
            (Clock::Virtual, false) => Duration::from_secs(600),
        };
        let clock = self.clock;
        RunConfig {
            clock,
            seed,
            schedule,
            elapsed_max,
            points_max: 1_000_000,
            ..RunConfig::default()
        }
    }

    fn main_at(&self) -> At {
        At {
            depth: 0,
            main: true,
            in_drop: false,
            in_thread: false,
            floor: 0,
            leaf: false,
            endless: self.untamed() && self.endless,
            caught: false,
        }
    }

    fn main(&mut self) -> Body {
        let at = self.main_at();
        let mut body = self.body(at, 6);
        // Tasks that never begin, since main returns at once.
        for _ in 0..self.below(4) {
            body.push(self.start(at));
        }
        if self.lawless() && self.once_in(100) {
            let place = self.index(body.len() + 1);
            body.insert(place, Op::Crowd(40_000));
        }
        if self.temper == Temper::Failing {
            let failing = self.failing(at);
            let place = self.index(body.len() + 1);
            body.insert(place, failing);
        }
        body
    }

    /// A step that is certain to fail the run.
    fn failing(&mut self, at: At) -> Op {
        match self.below(3) {
            0 => self.panic(at),
            1 => Op::Fail(self.id()),
            _ => {
                let mut task = self.task_of(at, true);
                let last = self.panic(at);
                task.body.push(last);
                Op::Spawn { task: Arc::new(task), handle: Handle::Joined }
            }
        }
    }
}
