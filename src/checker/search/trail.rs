//! Places operations and takes them back, and updates the level and the passed deadlines.

use super::super::model::Model;
use super::Search;

/// A placed operation.
#[derive(Clone, Copy)]
pub(super) struct Placement {
    pub id: u32,
    /// Number of deadlines that had passed before it was placed.
    expired: usize,
}

impl<M: Model> Search<'_, M> {
    pub(super) fn place(&mut self, id: u32) {
        self.trail.push(Placement { id, expired: self.expired });
        let operation = &self.part.operations[id as usize];
        let (slot, call) = (operation.slot, operation.call);
        if let Some(open) = id.checked_sub(self.answered_count()) {
            self.open.take(open);
            self.is_used[open as usize] = true;
            self.flip_open(slot);
            self.expire(call);
            return;
        }
        self.answered.take(id);
        self.is_placed[id as usize] = true;
        self.flip(id);
        while let Some((_, due)) = self.part.returns.get(self.level).copied()
            && self.is_placed[due as usize]
        {
            self.flip(due);
            self.level += 1;
        }
        self.expire(call);
    }

    pub(super) fn take_back_to(&mut self, mark: usize) {
        while self.trail.len() > mark {
            let Placement { id, expired } = self.trail.pop().expect("it is longer than `mark`");
            self.take_back_deadlines(expired);
            let operation = &self.part.operations[id as usize];
            let (slot, rank) = (operation.slot, operation.rank);
            if let Some(open) = id.checked_sub(self.answered_count()) {
                self.flip_open(slot);
                self.is_used[open as usize] = false;
                self.open.put_back(open);
                continue;
            }
            // The level falls back to the return of this operation.
            while self.level > rank {
                self.level -= 1;
                self.flip(self.part.returns[self.level].1);
            }
            self.flip(id);
            self.is_placed[id as usize] = false;
            self.answered.put_back(id);
        }
    }

    /// Whether placing `id` makes a deadline pass, because the deadline is before the call of `id`.
    pub(super) fn would_expire(&self, id: u32) -> bool {
        let next = self.part.expiring.get(self.expired);
        next.is_some_and(|open| self.deadline(*open) < self.part.operations[id as usize].call)
    }

    /// Rules out the open operations that returned before `call`, the call of a placed operation.
    ///
    /// Such an open operation can only come before the placed one: if it has not taken effect by
    /// now, it never will. In the row its bit is set, as if it were placed, since it can no longer
    /// be placed either way.
    fn expire(&mut self, call: u64) {
        while let Some(open) = self.part.expiring.get(self.expired).copied()
            && self.deadline(open) < call
        {
            if !self.is_used[open as usize] {
                self.open.take(open);
                self.flip_open(open as usize);
            }
            self.expired += 1;
        }
    }

    /// Rules out an open operation for good.
    pub(super) fn rule_out(&mut self, open: u32) {
        self.open.take(open);
        self.flip_open(open as usize);
        self.is_used[open as usize] = true;
    }

    fn take_back_deadlines(&mut self, expired: usize) {
        while self.expired > expired {
            self.expired -= 1;
            let open = self.part.expiring[self.expired];
            if !self.is_used[open as usize] {
                self.flip_open(open as usize);
                self.open.put_back(open);
            }
        }
    }

    fn deadline(&self, open: u32) -> u64 {
        self.part.operations[self.part.answered_count + open as usize].end
    }

    /// Flips the bit of an answered operation.
    fn flip(&mut self, id: u32) {
        let slot = self.part.operations[id as usize].slot;
        self.row[1 + slot / 64] ^= 1 << (slot % 64);
    }

    /// Flips the bit of an open operation.
    fn flip_open(&mut self, slot: usize) {
        self.row[self.exact + slot / 64] ^= 1 << (slot % 64);
    }
}
