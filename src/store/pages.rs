//! Bytes in pages, which the states of a disk share as long as they are the same.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// The unit that states share, in bytes.
pub(super) const PAGE: usize = 4096;

/// Bytes in pages; a page that was never written is zero and takes no memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages {
    length: usize,
    pages: BTreeMap<usize, Arc<[u8; PAGE]>>,
}

impl Pages {
    /// How many bytes there are.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Checks that `count` bytes at `offset` are within the disk's length.
    pub(super) fn check(&self, offset: usize, count: usize) -> io::Result<()> {
        if offset.checked_add(count).is_some_and(|end| end <= self.length) {
            return Ok(());
        }
        let length = self.length;
        Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{count} bytes at {offset} are beyond the end of a disk of {length}"),
        ))
    }

    /// Makes the disk shorter or longer; new bytes are zero.
    pub(super) fn set_length(&mut self, length: usize) {
        if length < self.length {
            self.pages.split_off(&length.div_ceil(PAGE));
            if let Some(page) = self.pages.get_mut(&(length / PAGE)) {
                Arc::make_mut(page)[length % PAGE..].fill(0);
            }
        }
        self.length = length;
    }

    pub(super) fn write(&mut self, offset: usize, data: &[u8]) {
        for (number, within, range) in pages_of(offset, data.len()) {
            let page = self.pages.entry(number).or_insert_with(|| Arc::new([0; PAGE]));
            Arc::make_mut(page)[within..within + range.len()].copy_from_slice(&data[range]);
        }
    }

    /// Takes over a page of `other`, without a copy.
    pub(super) fn share(&mut self, number: usize, other: &Pages) {
        match other.pages.get(&number) {
            Some(page) => drop(self.pages.insert(number, page.clone())),
            None => drop(self.pages.remove(&number)),
        }
    }

    pub(super) fn read(&self, offset: usize, out: &mut [u8]) {
        for (number, within, range) in pages_of(offset, out.len()) {
            match self.pages.get(&number) {
                Some(page) => {
                    let count = range.len();
                    out[range].copy_from_slice(&page[within..within + count]);
                }
                None => out[range].fill(0),
            }
        }
    }
}

/// The pages of `count` bytes at `offset`: number, offset in the page, and which of the bytes.
pub(super) fn pages_of(
    offset: usize,
    count: usize,
) -> impl Iterator<Item = (usize, usize, std::ops::Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at == count {
            return None;
        }
        let (number, within) = ((offset + at) / PAGE, (offset + at) % PAGE);
        let end = count.min(at + PAGE - within);
        let range = at..end;
        at = end;
        Some((number, within, range))
    })
}
