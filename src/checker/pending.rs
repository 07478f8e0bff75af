//! A list of operations that can be taken out, and put back in reverse order.

/// The end of a list.
pub(super) const END: u32 = u32::MAX;

/// The numbers `0..count` in order, without those taken out.
///
/// The time to take out or put back a number does not depend on the length of the list.
pub(super) struct Pending {
    /// For each number, the number after it. The list is a circle with one more slot, the anchor,
    /// which comes after the last number and before the first.
    next: Vec<u32>,
    /// For each number, the number before it.
    before: Vec<u32>,
}

impl Pending {
    pub(super) fn new(count: usize) -> Pending {
        let anchor = u32::try_from(count).expect("less than 2^32 operations");
        let next = (0..=anchor).map(|id| if id == anchor { 0 } else { id + 1 }).collect();
        let before = (0..=anchor).map(|id| if id == 0 { anchor } else { id - 1 }).collect();
        Pending { next, before }
    }

    /// The first number, or [`END`].
    pub(super) fn first(&self) -> u32 {
        self.checked(self.next[self.anchor()])
    }

    /// The number after `id`, which is in the list, or [`END`].
    pub(super) fn after(&self, id: u32) -> u32 {
        self.checked(self.next[id as usize])
    }

    /// All numbers in the list.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let some = |id: u32| Some(id).filter(|id| *id != END);
        std::iter::successors(some(self.first()), move |id| some(self.after(*id)))
    }

    /// Takes out `id`, which is in the list.
    pub(super) fn take(&mut self, id: u32) {
        let (before, next) = (self.before[id as usize], self.next[id as usize]);
        self.next[before as usize] = next;
        self.before[next as usize] = before;
    }

    /// Puts back `id`, which is the last one taken out and not yet put back.
    pub(super) fn put_back(&mut self, id: u32) {
        let (before, next) = (self.before[id as usize], self.next[id as usize]);
        self.next[before as usize] = id;
        self.before[next as usize] = id;
    }

    fn anchor(&self) -> usize {
        self.next.len() - 1
    }

    fn checked(&self, id: u32) -> u32 {
        if id as usize == self.anchor() { END } else { id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_comes_back_to_its_place() {
        let mut pending = Pending::new(4);
        for id in [1, 0, 3, 2] {
            pending.take(id);
        }
        assert_eq!(pending.iter().count(), 0);
        for (id, expected) in [(2, vec![2]), (3, vec![2, 3]), (0, vec![0, 2, 3])] {
            pending.put_back(id);
            assert_eq!(pending.iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn an_empty_list_has_no_first() {
        assert_eq!(Pending::new(0).first(), END);
    }
}
