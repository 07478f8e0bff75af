//! Makes single steps: which step may be at a place, and what it contains.

use std::sync::Arc;

use super::{At, DEPTH, Generator};
use crate::program::{
    Body, CHANNELS, CONDITIONS, Handle, LEAF, LOCKS, Op, Patience, Payload, Ready, Task, Temper,
    Then, Value,
};

impl Generator {
    /// Up to `most` steps, and at least one.
    pub(super) fn body(&mut self, at: At, most: u64) -> Body {
        (0..=self.below(most)).map(|_| self.op(at)).collect()
    }

    fn op(&mut self, at: At) -> Op {
        self.steps_left = self.steps_left.saturating_sub(1);
        let at = At { depth: at.depth + 1, ..at };
        loop {
            let op = match at {
                At { leaf: true, .. } => self.plain(),
                At { in_thread: true, .. } => self.in_thread(at),
                _ if at.depth > DEPTH || self.steps_left == 0 => self.flat(at),
                _ if self.once_in(3) => self.flat(at),
                _ => self.nested(at),
            };
            if let Some(op) = op {
                return op;
            }
        }
    }

    /// A step that neither takes, waits for nor drops anything.
    fn plain(&mut self) -> Option<Op> {
        Some(match self.below(3) {
            0 => Op::Sleep(self.ms()),
            1 => Op::Yield,
            _ => Op::Draw,
        })
    }

    /// A step that contains no others.
    fn flat(&mut self, at: At) -> Option<Op> {
        let condition = self.index(CONDITIONS);
        match self.below(10) {
            0 | 1 => self.plain(),
            2 => Some(Op::Look),
            3 => Some(Op::Notify { condition, all: self.once_in(2) }),
            4 => {
                let endless = at.endless && self.once_in(4);
                let ms = if endless { None } else { Some(self.ms()) };
                Some(Op::Wait { condition, ms })
            }
            5 | 6 => {
                let channel = self.index(CHANNELS);
                Some(Op::Recv { channel, patience: self.patience(at, false) })
            }
            7 => Some(self.panic(At { depth: DEPTH, ..at })).filter(|_| self.may_panic(at)),
            8 => {
                let may = self.may_panic(at) || (self.untamed() && at.in_drop);
                Some(Op::PanicUnlessPanicking(self.id())).filter(|_| may)
            }
            _ => {
                let may = self.untamed() && self.may_panic(at) && self.once_in(3);
                Some(if may { Op::Fail(self.id()) } else { Op::Probe { join: !at.in_drop } })
            }
        }
    }

    /// Whether a panic may be raised here.
    fn may_panic(&mut self, at: At) -> bool {
        match self.temper {
            Temper::Calm | Temper::Failing => at.caught,
            Temper::Wild => at.caught || (!at.in_drop && self.once_in(4)),
            Temper::Doomed => at.caught || at.in_drop || self.once_in(4),
        }
    }

    pub(super) fn panic(&mut self, at: At) -> Op {
        let id = self.id();
        Op::Panic(match self.below(4) {
            0 | 1 => Payload::Text(id),
            2 => Payload::Number(id),
            _ => Payload::Value(id, self.value(at)),
        })
    }

    fn patience(&mut self, at: At, unbounded: bool) -> Patience {
        match self.below(3) {
            0 => Patience::None,
            1 if at.endless || unbounded => Patience::Endless,
            _ => Patience::Ms(self.ms()),
        }
    }

    /// A step that contains others, or values, or a task.
    fn nested(&mut self, at: At) -> Option<Op> {
        match self.below(20) {
            0..=3 => self.locking(at),
            4..=5 => {
                let channel = self.index(CHANNELS);
                let patience = self.patience(at, channel % 3 == 2);
                Some(Op::Send { channel, patience, value: self.value(at) })
            }
            6..=8 => Some(self.start(at)),
            9 => self.joined(at),
            10..=12 => {
                let values = (0..=self.below(2)).map(|_| self.value(at)).collect();
                Some(Op::Scope { values, body: self.body(at, 3) })
            }
            13..=15 => Some(self.catch(at)),
            16 => {
                let body = self.body(At { caught: true, ..at }, 3);
                Some(Op::Swallow { times: 1 + u32::from(self.once_in(2)), body })
            }
            17 => Some(self.block_on(at)),
            18 if self.once_in(2) => {
                let value = self.value(At { in_thread: true, ..at });
                Some(Op::KeepInThread(value))
            }
            18 => Some(Op::SetLocal(self.value(at))),
            _ => {
                let label = if self.once_in(2) { 1 } else { 2 };
                Some(Op::UnderTest { label, body: self.body(at, 3) })
            }
        }
    }

    fn locking(&mut self, at: At) -> Option<Op> {
        let floor = if self.lawless() { 0 } else { at.floor };
        let lock = floor + self.index(LOCKS - floor);
        let leaf = !self.lawless() && lock >= LEAF;
        let inner = At { floor: lock + 1, leaf, endless: at.endless && self.lawless(), ..at };
        match self.below(4) {
            0 => Some(Op::TryLock { lock, body: self.body(inner, 2) }),
            1 if leaf => None,
            1 => Some(Op::Put { lock, value: self.value(at) }),
            _ => Some(Op::Lock { lock, body: self.body(inner, 2) }),
        }
    }

    /// Starts a task that is not joined.
    pub(super) fn start(&mut self, at: At) -> Op {
        let task = Arc::new(self.task_of(at, false));
        if task.result.is_none() && self.once_in(2) {
            return Op::Go(task);
        }
        Op::Spawn { task, handle: Handle::Dropped }
    }

    /// Starts a task and joins it, at once or in a destructor.
    fn joined(&mut self, at: At) -> Option<Op> {
        if at.in_drop && !self.stubborn {
            return None;
        }
        let task = Arc::new(self.task_of(at, true));
        let ends = at.main && self.temper == Temper::Calm;
        if !(ends || self.stubborn) || self.once_in(3) {
            return Some(Op::Spawn { task, handle: Handle::Joined });
        }
        let mut body = self.body(at, 3);
        if at.caught {
            body.push(self.panic(at));
        }
        Some(Op::Spawn { task, handle: Handle::JoinedInDrop(body) })
    }

    fn catch(&mut self, at: At) -> Op {
        let inner = At { caught: true, ..at };
        let mut body = self.body(inner, 3);
        if self.below(3) < 2 {
            body.push(self.panic(inner));
        }
        let then = match self.below(3) {
            0 => Then::Drop,
            1 if self.may_panic(at) => Then::Resume,
            _ => Then::Probe { join: !at.in_drop },
        };
        Op::Catch { body, then }
    }

    fn block_on(&mut self, at: At) -> Op {
        let ready = match self.below(5) {
            0 => Ready::AtOnce,
            1 if !at.in_drop || self.stubborn => Ready::Woken,
            2 => Ready::Cancelled,
            _ => Ready::AfterMs(self.ms()),
        };
        Op::BlockOn { held: self.value(at), ready, body: self.body(at, 2) }
    }

    /// A step of a destructor that runs when its OS thread ends. There, a panic would end the
    /// process by Rust's own rules, and a task that was given up might hold a lock for ever.
    fn in_thread(&mut self, at: At) -> Option<Op> {
        match self.below(8) {
            0 => {
                let lock = LEAF + self.index(LOCKS - LEAF);
                let body = self.body(At { leaf: true, ..at }, 2);
                Some(Op::TryLock { lock, body })
            }
            1 => Some(Op::Notify { condition: self.index(CONDITIONS), all: true }),
            2 if at.depth < DEPTH => {
                let channel = self.index(CHANNELS);
                Some(Op::Send { channel, patience: Patience::None, value: self.value(at) })
            }
            3 if at.depth < DEPTH => {
                let mut body = self.body(at, 2);
                body.push(Op::Panic(Payload::Text(self.id())));
                Some(Op::Catch { body, then: Then::Drop })
            }
            4 => Some(Op::Look),
            _ => self.plain(),
        }
    }

    fn value(&mut self, at: At) -> Arc<Value> {
        let inner = At {
            depth: at.depth + 1,
            main: false,
            in_drop: true,
            floor: LEAF,
            leaf: false,
            endless: self.stubborn && self.endless,
            caught: false,
            ..at
        };
        let id = self.id();
        let on_drop = self.body(inner, 3);
        let more = at.depth < DEPTH && self.once_in(6);
        let inside = if more { vec![self.value(inner)] } else { Vec::new() };
        Arc::new(Value { id, on_drop, inside })
    }

    /// A value, once in `times`.
    pub(super) fn maybe_value(&mut self, at: At, times: u64) -> Option<Arc<Value>> {
        self.once_in(times).then(|| self.value(at))
    }

    /// A task. A joined one must end if main must, and takes no lock out of order.
    pub(super) fn task_of(&mut self, at: At, joined: bool) -> Task {
        let inner = At {
            depth: at.depth + 1,
            main: false,
            in_drop: false,
            floor: if joined { at.floor } else { 0 },
            leaf: false,
            endless: self.endless && (!joined || self.untamed()),
            caught: false,
            ..at
        };
        let id = self.id();
        let captures = (0..self.below(3)).map(|_| self.value(inner)).collect();
        let body = self.body(inner, 4);
        let result = self.maybe_value(inner, 3);
        Task { id, captures, body, result }
    }
}
