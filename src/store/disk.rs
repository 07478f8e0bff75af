//! A disk that can crash: synced writes stay; of the later ones, chance decides.
//!
//! ```text
//!          synced                │ since the last sync
//! pages    1 2 3 4 5 6           │ write 3'   write 7   write 1'
//!                                │    │          │          │
//! a crash leaves                 │   lost      kept     half of it
//! ```
//!
//! Unlike the [`persister`](crate::persister), whose writes come back in order, a disk may write in
//! any order until it is told to sync, and a write may be torn between two sectors. A database
//! stored on it must tolerate that.
//!
//! Everything is in memory, in pages that the current and the synced state share as long as they
//! are the same. So a sync costs what was written since the last one, whatever the disk holds.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Weak};

use redb::StorageBackend;

use super::error::StoreError;
use super::pages::{Pages, pages_of};
use super::watch::StoreWatch;
use crate::persister::{Unsynced, crash_chance};
use crate::runtime::rand::Chance;
use crate::runtime::sync::Quiet;

/// The unit that is written whole or not at all, in bytes.
const SECTOR: usize = 512;

/// A server's disk. A clone is another handle to the same disk.
///
/// No method is a scheduling point.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    state: Arc<Quiet<State>>,
}

/// What a disk was asked to do so far, in this life and all earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiskUsage {
    /// Bytes passed to writes.
    pub bytes_written: u64,
    /// Number of syncs.
    pub syncs: u64,
}

/// One life of a disk.
#[derive(Debug, Default)]
struct State {
    /// What reads see.
    seen: Pages,
    /// What a crash certainly leaves.
    synced: Pages,
    /// The changes in `seen` that are not in `synced`, in order.
    unsynced: Vec<Change>,
    /// Whether a database is open on it.
    claimed: bool,
    /// Whether the life is over: what is written now vanishes.
    crashed: bool,
    /// How many lives came before this one.
    crash_count: u64,
    usage: DiskUsage,
    watch: Watching,
    fuse: Option<Fuse>,
    /// What a power failure has left, until [`Disk::crash`] takes it.
    left: Option<Pages>,
}

/// When the power fails.
struct Fuse {
    /// How many more writes and syncs are carried out.
    operations: u64,
    /// What happens to the writes since the last sync.
    keep: Unsynced,
    /// What is called at that moment.
    then: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for Fuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fuse({})", self.operations)
    }
}

/// The watcher of a server, if there is one.
#[derive(Clone, Default)]
struct Watching(Option<Arc<dyn StoreWatch>>);

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watching" } else { "Alone" })
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, data: Box<[u8]> },
    Length(usize),
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Disk {
        Disk::default()
    }

    /// Returns the disk as a crash at this moment leaves it, for the server's next life.
    ///
    /// It holds everything synced and, depending on `keep`, none, all or some of the writes since.
    /// Later writes to this handle and its clones are visible only through them, and their syncs
    /// return `Ok`: a dying instance must not notice.
    ///
    /// # Panics
    /// If this life has crashed before: the server's disk is then the one that the crash returned.
    /// A power failure is not yet a crash; it has only decided what is left.
    #[must_use]
    pub fn crash(&self, keep: Unsynced) -> Disk {
        let next = self.state.with(|state| {
            let failed = state.left.take();
            assert!(
                !state.crashed || failed.is_some(),
                "a disk that crashed crashes again: continue with its next life"
            );
            let left = failed.unwrap_or_else(|| state.left_by_crash(keep));
            (state.crashed, state.fuse) = (true, None);
            State {
                seen: left.clone(),
                synced: left,
                crash_count: state.crash_count + 1,
                usage: state.usage,
                ..State::default()
            }
        });
        Disk { state: Arc::new(Quiet::new(next)) }
    }

    /// Returns a reference that tells whether anything still holds the disk in this life.
    pub(crate) fn downgrade(&self) -> Weak<dyn Send + Sync> {
        Arc::<Quiet<State>>::downgrade(&self.state)
    }

    /// Makes the power fail after `operations` more writes and syncs, before the next one.
    ///
    /// That is a crash that leaves what `keep` says, except that no server knows of it yet: `then`
    /// is called at that moment, in place, to cut the server off.
    pub fn fail_power_after(
        &self,
        operations: u64,
        keep: Unsynced,
        then: impl FnOnce() + Send + 'static,
    ) {
        let fuse = Fuse { operations, keep, then: Box::new(then) };
        self.state.with(|state| state.fuse = Some(fuse));
    }

    /// Whether the power has failed and [`Disk::crash`] was not called since.
    pub fn power_has_failed(&self) -> bool {
        self.state.with(|state| state.left.is_some())
    }

    /// Called before a write or a sync: the power may fail.
    fn burn(&self) {
        if let Some(then) = self.state.with(State::burn) {
            then();
        }
    }

    /// Makes `watch` the watcher of this life of the server, in place of an earlier one.
    ///
    /// A crash leaves it behind: the next life has no watcher.
    pub fn watch(&self, watch: Arc<dyn StoreWatch>) {
        self.state.with(|state| state.watch = Watching(Some(watch)));
    }

    /// The watcher, which is shown what the server does; `None` once the life is over.
    pub(super) fn watching(&self) -> Option<Arc<dyn StoreWatch>> {
        self.state.with(|state| state.watch.0.clone().filter(|_| !state.crashed))
    }

    /// Returns a handle for a database. Only one can be open at a time, as with a locked file.
    ///
    /// # Errors
    /// [`StoreError::Failed`]: another one is still open.
    pub(super) fn claim(&self) -> Result<Disk, StoreError> {
        if self.state.with(|state| std::mem::replace(&mut state.claimed, true)) {
            return Err(StoreError::Failed("an earlier life still has it open".into()));
        }
        Ok(self.clone())
    }

    /// What the disk was asked to do, in all its lives.
    pub fn usage(&self) -> DiskUsage {
        self.state.with(|state| state.usage)
    }
}

/// Carries out some of `changes`, sector by sector.
///
/// The odds are drawn first, from none to all, so that both extremes occur as well as what lies
/// between. Sectors are drawn in their order on the disk, not in the order of the writes: that
/// order is the database's own affair, and may differ between two runs that write the same.
fn keep_some(changes: &[Change], left: &mut Pages, mut chance: Chance) {
    let odds = chance.below(5);
    let mut sectors: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
    let mut length = left.length();
    for change in changes {
        match change {
            Change::Length(new) => length = *new,
            Change::Write { offset, data } => {
                for (at, piece) in sectors_of(*offset, data) {
                    sectors.entry(at).or_default().push(piece);
                }
            }
        }
    }
    if chance.below(4) < odds {
        left.set_length(length);
    }
    for (at, versions) in sectors {
        // All versions of a sector in order: the last one that was kept wins.
        for piece in versions {
            if chance.below(4) < odds {
                left.set_length(left.length().max(at + piece.len()));
                left.write(at, piece);
            }
        }
    }
}

/// Cuts `data` at `offset` into pieces where sectors begin.
fn sectors_of(offset: usize, data: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = offset + at;
        let room = SECTOR - start % SECTOR;
        let piece = data.get(at..data.len().min(at + room)).filter(|piece| !piece.is_empty())?;
        at += piece.len();
        Some((start, piece))
    })
}

impl State {
    /// What a crash would leave now.
    fn left_by_crash(&self, keep: Unsynced) -> Pages {
        match keep {
            Unsynced::LoseAll => self.synced.clone(),
            Unsynced::KeepAll => self.seen.clone(),
            Unsynced::Draw => {
                let mut left = self.synced.clone();
                keep_some(&self.unsynced, &mut left, crash_chance(self.crash_count));
                left
            }
        }
    }

    /// Counts a write or a sync. Returns what to call if the power fails before it.
    fn burn(&mut self) -> Option<Box<dyn FnOnce() + Send>> {
        let fuse = self.fuse.as_mut()?;
        if fuse.operations > 0 {
            fuse.operations -= 1;
            return None;
        }
        let Fuse { keep, then, .. } = self.fuse.take()?;
        self.left = Some(self.left_by_crash(keep));
        self.crashed = true;
        Some(then)
    }

    fn sync(&mut self) {
        if self.crashed {
            return;
        }
        self.usage.syncs += 1;
        for change in self.unsynced.drain(..) {
            match change {
                Change::Length(length) => self.synced.set_length(length),
                Change::Write { offset, data } => {
                    for (number, ..) in pages_of(offset, data.len()) {
                        self.synced.share(number, &self.seen);
                    }
                }
            }
        }
        self.synced.set_length(self.seen.length());
    }

    /// Makes a change that reads see at once but a crash may lose.
    fn change(&mut self, change: Change) -> io::Result<()> {
        match &change {
            Change::Length(length) => self.seen.set_length(*length),
            Change::Write { offset, data } => {
                self.seen.check(*offset, data.len())?;
                self.seen.write(*offset, data);
                self.usage.bytes_written += data.len() as u64;
            }
        }
        if !self.crashed {
            self.unsynced.push(change);
        }
        Ok(())
    }
}

/// A place on the disk. An offset that the machine cannot address is beyond the end.
fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.with(|state| state.seen.length()) as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.state.with(|state| {
            state.seen.check(place(offset), out.len())?;
            state.seen.read(place(offset), out);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.burn();
        self.state.with(|state| state.change(Change::Length(place(length))))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.burn();
        self.state.with(State::sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.burn();
        let (offset, data) = (place(offset), data.into());
        self.state.with(|state| state.change(Change::Write { offset, data }))
    }

    fn close(&self) -> io::Result<()> {
        self.state.with(|state| state.claimed = false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::pages::PAGE;
    use super::*;

    /// A disk of two pages with `text` at its start, synced.
    fn disk(text: &[u8]) -> Disk {
        let disk = Disk::new();
        disk.set_len(2 * PAGE as u64).unwrap();
        disk.write(0, text).unwrap();
        disk.sync_data().unwrap();
        disk
    }

    fn read(disk: &Disk, offset: usize, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        StorageBackend::read(disk, offset as u64, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_crash_keeps_what_was_synced_and_of_the_rest_what_it_is_told() {
        for (keep, expected) in [(Unsynced::LoseAll, b"old"), (Unsynced::KeepAll, b"new")] {
            let disk = disk(b"old");
            disk.write(0, b"new").unwrap();
            assert_eq!(read(&disk, 0, 3), b"new", "a write is seen at once");
            assert_eq!(read(&disk.crash(keep), 0, 3), expected, "{keep:?}");
        }
    }

    #[test]
    fn a_drawn_crash_keeps_some_sectors_whole_and_loses_the_others() {
        let sectors = 2 * PAGE / SECTOR;
        let mut seen_mixed = false;
        let mut disk = disk(&vec![0; 2 * PAGE]);
        for life in 1..20 {
            disk.write(0, &vec![life; 2 * PAGE]).unwrap();
            disk = disk.crash(Unsynced::Draw);
            let kept = (0..sectors).filter(|sector| {
                let sector = read(&disk, sector * SECTOR, SECTOR);
                assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is torn");
                sector[0] == life
            });
            let kept = kept.count();
            seen_mixed |= kept > 0 && kept < sectors;
        }
        assert!(seen_mixed, "every crash kept all or nothing");
    }

    #[test]
    fn a_dying_life_notices_nothing_and_leaves_nothing() {
        let old = disk(b"old");
        let next = old.crash(Unsynced::LoseAll);
        old.write(0, b"new").unwrap();
        old.sync_data().unwrap();
        assert_eq!(read(&old, 0, 3), b"new", "it sees its own writes");
        assert_eq!(read(&next, 0, 3), b"old");
        assert_eq!(read(&next.crash(Unsynced::KeepAll), 0, 3), b"old");
    }

    #[test]
    fn what_a_crash_left_is_durable() {
        let disk = disk(b"old");
        disk.write(0, b"new").unwrap();
        let next = disk.crash(Unsynced::KeepAll).crash(Unsynced::LoseAll);
        assert_eq!(read(&next, 0, 3), b"new");
    }

    #[test]
    #[should_panic(expected = "crashes again")]
    fn a_life_crashes_once() {
        let disk = disk(b"old");
        let _next = disk.crash(Unsynced::LoseAll);
        let _another = disk.crash(Unsynced::LoseAll);
    }

    #[test]
    fn what_was_cut_off_comes_back_as_zeros() {
        let disk = disk(&[1; 2 * PAGE]);
        disk.set_len(10).unwrap();
        disk.set_len(2 * PAGE as u64).unwrap();
        disk.sync_data().unwrap();
        for disk in [disk.clone(), disk.crash(Unsynced::LoseAll)] {
            assert_eq!(read(&disk, 8, 4), [1, 1, 0, 0]);
            assert_eq!(read(&disk, PAGE, 2), [0, 0]);
        }
    }

    #[test]
    fn nothing_is_beyond_the_end() {
        let disk = disk(b"old");
        let end = 2 * PAGE as u64;
        assert!(StorageBackend::read(&disk, end - 1, &mut [0; 2]).is_err(), "one byte too far");
        assert!(disk.write(end, b"x").is_err(), "a write does not make the disk longer");
        assert_eq!(disk.len().unwrap(), end);
    }

    #[test]
    fn writes_and_syncs_are_counted_over_all_lives() {
        let disk = disk(b"old");
        assert_eq!(disk.usage(), DiskUsage { bytes_written: 3, syncs: 1 });
        let next = disk.crash(Unsynced::LoseAll);
        next.write(0, b"newer").unwrap();
        assert_eq!(next.usage(), DiskUsage { bytes_written: 8, syncs: 1 });
    }

    #[test]
    fn one_database_at_a_time_is_on_a_disk() {
        let disk = disk(b"old");
        let first = disk.claim().unwrap();
        assert!(disk.claim().is_err(), "the first is open");
        StorageBackend::close(&first).unwrap();
        assert!(disk.claim().is_ok(), "the first is closed");
    }
}
