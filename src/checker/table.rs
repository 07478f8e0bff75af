//! A small hash table of numbers, which finds a record by its content.

/// Finds numbered records by their hash. The records are stored elsewhere, and never removed.
#[derive(Default)]
pub(super) struct Table {
    /// The number of slots is a power of two; at most two thirds of them are taken.
    slots: Vec<Slot>,
    taken: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    /// The upper half of the record's hash; the lower half chooses the slot.
    tag: u32,
    id: u32,
    /// The lower half of the hash, which chooses a new slot when the table grows.
    low: u32,
}

const EMPTY: u32 = u32::MAX;

impl Table {
    /// Returns the record with this hash that `is_it` accepts; enters `fresh` if there is none.
    ///
    /// `is_it` is called for all records with this hash, until it returns `true`. It may also be
    /// called for a record with another hash.
    pub(super) fn find_or_enter(
        &mut self,
        hash: u64,
        fresh: u32,
        mut is_it: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        if self.taken * 3 >= self.slots.len() * 2 {
            self.grow();
        }
        let (tag, low) = halves(hash);
        let last = self.slots.len() - 1;
        let mut at = low as usize & last;
        while self.slots[at].id != EMPTY {
            let slot = self.slots[at];
            if slot.tag == tag && is_it(slot.id) {
                return Some(slot.id);
            }
            at = (at + 1) & last;
        }
        self.slots[at] = Slot { tag, id: fresh, low };
        self.taken += 1;
        None
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        let old =
            std::mem::replace(&mut self.slots, vec![Slot { tag: 0, id: EMPTY, low: 0 }; size]);
        for slot in old.into_iter().filter(|slot| slot.id != EMPTY) {
            let mut at = slot.low as usize & (size - 1);
            while self.slots[at].id != EMPTY {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = slot;
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}

fn halves(hash: u64) -> (u32, u32) {
    let low = u32::try_from(hash & u64::from(u32::MAX)).expect("32 bits");
    let high = u32::try_from(hash >> 32).expect("32 bits");
    (high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_hash_are_told_apart_by_what_they_hold() {
        let names = ["a", "b", "c"];
        let mut table = Table::default();
        for (id, name) in (0..).zip(names) {
            let found = table.find_or_enter(7, id, |other| names[other as usize] == name);
            assert_eq!(found, None);
        }
        for (id, name) in (0..).zip(names) {
            let found = table.find_or_enter(7, 9, |other| names[other as usize] == name);
            assert_eq!(found, Some(id));
        }
    }

    #[test]
    fn nothing_is_lost_as_it_grows() {
        let mut table = Table::default();
        let hash = |id: u32| u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for id in 0..10_000 {
            assert_eq!(table.find_or_enter(hash(id), id, |other| other == id), None);
        }
        for id in 0..10_000 {
            assert_eq!(table.find_or_enter(hash(id), EMPTY, |other| other == id), Some(id));
        }
    }
}
