//! The ledger: the entries that all servers applied, on which they must agree.

use bytes::Bytes;

use super::applier::{ApplyCheck, Next};
use crate::api::{ApplyMsg, Index, Position, ServerId};
use crate::lab::apply_order::{Breach, next_applied};
use crate::runtime::sync::Quiet;
use crate::runtime::{Choice, keeps};

/// Number of entries that the service applies from one snapshot to the next.
const SNAPSHOT_INTERVAL: u64 = 10;

/// The same in a run that does without [`Choice::Gap`]. The first snapshot is at index 1.
const SHORT_INTERVAL: u64 = 2;

/// The applied entries, as one list that all servers must agree on.
///
/// The ledger is stricter than the course's harness, in every part of the lab: indices are
/// consecutive within one life, and a life begins again at 1 or right after the stored snapshot. So
/// one number per server tells everything that the server has applied, and the check of an index
/// takes as long with 10,000 entries as with 10.
pub(super) struct Ledger {
    /// How many entries there are from one snapshot to the next; `None`: no snapshots are taken.
    interval: Option<u64>,
    state: Quiet<State>,
}

struct State {
    /// The command at index `slot + 1`, and the first server that applied it.
    agreed: Vec<(Bytes, ServerId)>,
    /// Per server: the last index applied in this life. The server has applied all up to it.
    applied: Vec<Index>,
}

impl Ledger {
    pub(super) fn new(servers: usize, takes_snapshots: bool) -> Ledger {
        let state = State { agreed: Vec::new(), applied: vec![Index(0); servers] };
        let interval = takes_snapshots.then(|| match keeps(Choice::Gap) {
            true => SNAPSHOT_INTERVAL,
            false => SHORT_INTERVAL,
        });
        Ledger { interval, state: Quiet::new(state) }
    }

    /// Number of servers that have applied the entry at `index`, and its command. Servers that are
    /// cut off or down count, too.
    pub(super) fn n_committed(&self, index: Index) -> (usize, Option<Bytes>) {
        self.state.with(|state| {
            let count = state.applied.iter().filter(|applied| **applied >= index).count();
            (count, state.command_at(index).map(|(command, _)| command.clone()))
        })
    }

    /// Number of servers that have applied `command`.
    pub(super) fn applied_by(&self, command: &[u8]) -> usize {
        self.state.with(|state| {
            let place = state.agreed.iter().position(|(agreed, _)| agreed[..] == *command);
            let Some(place) = place else { return 0 };
            let index = Index(0).plus(place + 1);
            state.applied.iter().filter(|applied| **applied >= index).count()
        })
    }
}

impl ApplyCheck for Ledger {
    fn begin_life(&self, me: ServerId, stored: Option<(Position, Bytes)>) -> Result<(), Breach> {
        self.state.with(|state| {
            let mut applied = Index(0);
            if let Some((at, data)) = stored {
                state.check_snapshot(me, at.index, &data)?;
                applied = at.index;
            }
            state.applied[me.slot()] = applied;
            Ok(())
        })
    }

    fn take(&self, server: ServerId, message: &ApplyMsg) -> Result<Next, Breach> {
        if matches!(message, ApplyMsg::Snapshot { .. }) && self.interval.is_none() {
            return breach("snapshot_from_nowhere", || {
                format!("{server} delivered a snapshot, but the service never took one")
            });
        }
        self.state.with(|state| {
            let index = next_applied(server, state.applied[server.slot()], message)?;
            match message {
                ApplyMsg::Command { command, .. } => state.agree(server, index, command)?,
                ApplyMsg::Snapshot { data, .. } => state.check_snapshot(server, index, data)?,
            }
            state.applied[server.slot()] = index;
            let due = matches!(message, ApplyMsg::Command { .. })
                && self.interval.is_some_and(|interval| (index.0 + 1).is_multiple_of(interval));
            Ok(if due { Next::Snapshot(index, state.snapshot(index)) } else { Next::Wait })
        })
    }
}

impl State {
    fn command_at(&self, index: Index) -> Option<&(Bytes, ServerId)> {
        let slot = usize::try_from(index.0.checked_sub(1)?).ok()?;
        self.agreed.get(slot)
    }

    /// Fails if some server has applied another command than `command` at `index`.
    fn agree(&mut self, server: ServerId, index: Index, command: &Bytes) -> Result<(), Breach> {
        match self.command_at(index) {
            // The ledger keeps a copy: a shared command would hide whether the servers free theirs.
            None => self.agreed.push((Bytes::copy_from_slice(command), server)),
            Some(agreed) => check_equal(server, index, command, agreed)?,
        }
        Ok(())
    }

    /// The state of a service that applied everything up to `index`: the list of all commands.
    fn snapshot(&self, index: Index) -> Bytes {
        let commands: Vec<&[u8]> =
            (1..=index.0).filter_map(|i| self.command_at(Index(i))).map(|(c, _)| &c[..]).collect();
        postcard::to_allocvec(&(index, commands)).expect("byte strings can be encoded").into()
    }

    fn check_snapshot(&self, server: ServerId, index: Index, data: &Bytes) -> Result<(), Breach> {
        let Ok((covered, commands)) = postcard::from_bytes::<(Index, Vec<&[u8]>)>(data) else {
            return breach("snapshot_damaged", || {
                format!("{server} has a snapshot up to {index} that the service never made")
            });
        };
        if covered != index || commands.len() as u64 != index.0 {
            return breach("snapshot_index", || {
                format!("{server} has a snapshot said to end at {index}; it ends at {covered}")
            });
        }
        for (slot, command) in commands.into_iter().enumerate() {
            let index = Index(0).plus(slot + 1);
            match self.command_at(index) {
                Some(agreed) => check_equal(server, index, command, agreed)?,
                None => {
                    return breach("snapshot_index", || {
                        format!("{server} has a snapshot with index {index} that no server applied")
                    });
                }
            }
        }
        Ok(())
    }
}

fn check_equal(
    server: ServerId,
    index: Index,
    command: &[u8],
    (agreed, first): &(Bytes, ServerId),
) -> Result<(), Breach> {
    if *agreed == *command {
        return Ok(());
    }
    breach("applied_values_differ", || {
        format!("index {index} is {} at {server} but {} at {first}", shown(command), shown(agreed))
    })
}

fn breach<T>(name: &'static str, message: impl FnOnce() -> String) -> Result<T, Breach> {
    Err(Breach { name, message: message() })
}

/// A command as a report shows it: text, shortened to 24 bytes.
pub(super) fn shown(command: &[u8]) -> String {
    let head = String::from_utf8_lossy(&command[..command.len().min(24)]);
    if command.len() > 24 { format!("\"{head}…\"") } else { format!("\"{head}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Term;

    const S0: ServerId = ServerId(0);
    const S1: ServerId = ServerId(1);
    const AT_9: Position = Position { term: Term(1), index: Index(9) };

    fn ledger(takes_snapshots: bool) -> Ledger {
        let ledger = Ledger::new(3, takes_snapshots);
        (0..3).for_each(|server| ledger.begin_life(ServerId(server), None).unwrap());
        ledger
    }

    fn command(index: u64, text: &'static str) -> ApplyMsg {
        ApplyMsg::Command { index: Index(index), term: Term(1), command: Bytes::from(text) }
    }

    fn snapshot(index: u64, data: &Bytes) -> ApplyMsg {
        let last_included = Position { term: Term(1), index: Index(index) };
        ApplyMsg::Snapshot { last_included, data: data.clone() }
    }

    /// Lets `server` apply 1 to 9, and returns the snapshot that the service then takes.
    fn apply_nine(ledger: &Ledger, server: ServerId) -> Bytes {
        for index in 1..9 {
            assert_eq!(ledger.take(server, &command(index, "x")), Ok(Next::Wait));
        }
        match ledger.take(server, &command(9, "nine")) {
            Ok(Next::Snapshot(Index(9), data)) => data,
            other => panic!("a snapshot is due at 9, not {other:?}"),
        }
    }

    fn broken(result: Result<Next, Breach>) -> &'static str {
        result.expect_err("a rule was broken").name
    }

    #[test]
    fn a_gap_is_noticed() {
        assert_eq!(broken(ledger(false).take(S0, &command(2, "a"))), "apply_order");
    }

    #[test]
    fn an_index_applied_twice_is_noticed() {
        let ledger = ledger(false);
        assert_eq!(ledger.take(S0, &command(1, "a")), Ok(Next::Wait));
        assert_eq!(broken(ledger.take(S0, &command(1, "a"))), "apply_order");
    }

    #[test]
    fn another_command_at_the_same_index_is_noticed() {
        let ledger = ledger(false);
        assert_eq!(ledger.take(S0, &command(1, "a")), Ok(Next::Wait));
        assert_eq!(broken(ledger.take(S1, &command(1, "b"))), "applied_values_differ");
    }

    #[test]
    fn a_restarted_server_begins_again_from_one() {
        let ledger = ledger(false);
        assert_eq!(ledger.take(S0, &command(1, "a")), Ok(Next::Wait));
        assert_eq!(ledger.begin_life(S0, None), Ok(()));
        assert_eq!(ledger.n_committed(Index(1)), (0, Some(Bytes::from("a"))));
        assert_eq!(broken(ledger.take(S0, &command(2, "b"))), "apply_order");
        assert_eq!(ledger.begin_life(S0, None), Ok(()));
        assert_eq!(broken(ledger.take(S0, &command(1, "b"))), "applied_values_differ");
    }

    #[test]
    fn a_restarted_server_begins_again_after_its_snapshot() {
        let ledger = ledger(true);
        let data = apply_nine(&ledger, S0);
        assert_eq!(ledger.begin_life(S0, Some((AT_9, data))), Ok(()));
        assert_eq!(ledger.n_committed(Index(9)).0, 1, "the snapshot is the service's state");
        assert_eq!(broken(ledger.take(S0, &command(1, "x"))), "apply_order");
        assert_eq!(ledger.take(S0, &command(10, "ten")), Ok(Next::Wait));
    }

    #[test]
    fn a_snapshot_brings_a_server_forward_only() {
        let ledger = ledger(true);
        let data = apply_nine(&ledger, S0);
        assert_eq!(ledger.take(S1, &snapshot(9, &data)), Ok(Next::Wait));
        assert_eq!(ledger.n_committed(Index(9)).0, 2, "both hold all nine");
        assert_eq!(ledger.take(S1, &command(10, "ten")), Ok(Next::Wait));
        assert_eq!(broken(ledger.take(S1, &snapshot(9, &data))), "snapshot_moves_backwards");
    }

    #[test]
    fn a_snapshot_that_is_not_the_services_is_noticed() {
        let ledger = ledger(true);
        let data = apply_nine(&ledger, S0);
        assert_eq!(broken(ledger.take(S1, &snapshot(8, &data))), "snapshot_index");
        let damaged = data.slice(..data.len() - 1);
        assert_eq!(broken(ledger.take(S1, &snapshot(9, &damaged))), "snapshot_damaged");
        let lost = ledger.begin_life(S1, Some((AT_9, Bytes::new())));
        assert_eq!(lost.expect_err("no bytes are no snapshot").name, "snapshot_damaged");
    }

    #[test]
    fn a_snapshot_nobody_took_is_noticed() {
        let data = apply_nine(&ledger(true), S0);
        assert_eq!(broken(ledger(false).take(S0, &snapshot(9, &data))), "snapshot_from_nowhere");
    }
}
