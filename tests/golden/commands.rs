//! The commands of a script.
//!
//! | Command | Does |
//! | --- | --- |
//! | `nodes 3 [SETTING…]` | starts S1, S2, S3 on empty disks |
//! | `logs S1=1,1 S2=1 S3= [SETTING…]` | starts nodes with entries of these terms (`@3`: term 3) |
//! | `campaign S1` | starts an election |
//! | `propose S1 x` | proposes a command |
//! | `tick S1 3` | lets three ticks pass (without a number: one tick) |
//! | `deliver [S2 \| all]` | delivers messages in flight (to S2; `all`: until none is left) |
//! | `isolate S1`, `cut S1 S2`; `heal` | loses the messages sent from now on; ends all losses |
//! | `hold S1 S2`; `unhold S1 S2` | holds back what S1 sends to S2 from now on; ends this hold |
//! | `release` | puts held messages in flight, after all others, and ends all holds |
//! | `drop` | loses the messages in flight and the held ones |
//! | `compact S1 5` | replaces a node's log up to an index by a snapshot |
//! | `restart S1` | restarts a node from its disk |
//! | `transfer S1 S2`, `read S1 7` | transfers leadership; asks for a read |
//! | `status` | shows all logs |
//! | `quiet COMMAND` | does the command without output |
//!
//! Settings: `pre_vote`, `check_quorum`, `leader_transfer`, `read_index`, `silent_commit` (no
//! broadcast), `window=3`, `bytes=10` (0: one entry per append; an entry of `logs` has one byte).

use bytes::Bytes;
use raftlab::api::{Index, ServerId};
use raftlab::tick::{Config, FlowControl, HardState, MemoryStorage};

use crate::notation;
use crate::stage::Stage;
use crate::words::{self, number, server};

type Told = Result<String, String>;

impl Stage {
    /// Does the command of a line; returns the output.
    pub(crate) fn command(&mut self, line: &str) -> Told {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["quiet", ..] => self.command(line.trim_start_matches("quiet ")).map(|_| String::new()),
            ["nodes", count, ref settings @ ..] => {
                let disks = (0..number(count)?).map(|_| MemoryStorage::new()).collect();
                self.open(disks, settings)
            }
            ["logs", ref words @ ..] => {
                let is_log = |word: &&&str| word.starts_with('S') && word.contains('=');
                let disks: Result<Vec<_>, _> =
                    words.iter().filter(is_log).map(|word| disk(word)).collect();
                let settings: Vec<_> = words.iter().filter(|word| !is_log(word)).copied().collect();
                self.open(disks?, &settings)
            }
            ["deliver"] => self.deliver(None),
            ["deliver", "all"] => self.settle(),
            ["deliver", to] => self.deliver(Some(server(to)?)),
            [
                "isolate" | "cut" | "heal" | "hold" | "unhold" | "release" | "drop",
                ref rest @ ..,
            ] => {
                let nodes: Vec<_> = self.nodes.keys().copied().collect();
                self.network.command(words[0], rest, nodes.into_iter())?;
                Ok(String::new())
            }
            ["status"] => Ok(self.nodes.values().map(notation::row).collect()),
            [verb, me, ref rest @ ..] => self.tell(verb, server(me)?, rest),
            _ => Err(format!("unknown command {line:?}")),
        }
    }

    /// Does a command that changes one node.
    fn tell(&mut self, verb: &str, me: ServerId, rest: &[&str]) -> Told {
        let failed = |error: raftlab::tick::Error| format!("{me} {error}\n");
        match (verb, rest) {
            ("campaign", []) => self.act(me, |node| {
                node.campaign();
                String::new()
            }),
            ("propose", [data]) => {
                let data = Bytes::copy_from_slice(data.as_bytes());
                self.act(me, |node| node.propose(data).map_or_else(failed, |_| String::new()))
            }
            ("tick", []) => self.tell("tick", me, &["1"]),
            ("tick", [count]) => (0..number(count)?)
                .map(|_| {
                    self.act(me, |node| {
                        node.tick();
                        String::new()
                    })
                })
                .collect(),
            ("transfer", [to]) => {
                let to = server(to)?;
                self.act(me, |node| node.transfer_leader(to).err().map_or_else(String::new, failed))
            }
            ("read", [context]) => {
                let context = number(context)?;
                self.act(me, |node| node.read_index(context).err().map_or_else(String::new, failed))
            }
            ("compact", [index]) => self.compact(me, Index(number(index)?)).map(|()| String::new()),
            ("restart", []) => self.restart(me).map(|()| String::new()),
            _ => Err(format!("unknown command {verb:?} with {rest:?}")),
        }
    }

    /// Starts one node per disk.
    fn open(&mut self, disks: Vec<MemoryStorage>, settings: &[&str]) -> Told {
        let count = u32::try_from(disks.len()).map_err(|_| "too many nodes".to_string())?;
        let peers: Vec<_> = (1..=count).map(ServerId).collect();
        for (id, disk) in peers.clone().into_iter().zip(disks) {
            let mut config = Config::new(id, peers.clone());
            settings.iter().try_for_each(|setting| set(&mut config, setting))?;
            self.start(config, disk)?;
        }
        Ok(String::new())
    }
}

fn set(config: &mut Config, setting: &str) -> Result<(), String> {
    let limits = FlowControl { inflight_max: usize::MAX, append_bytes_max: usize::MAX };
    match setting.split_once('=') {
        None if setting == "pre_vote" => config.pre_vote = true,
        None if setting == "check_quorum" => config.check_quorum = true,
        None if setting == "leader_transfer" => config.leader_transfer = true,
        None if setting == "read_index" => config.read_index = true,
        None if setting == "silent_commit" => config.broadcast_commit = false,
        Some(("window", count)) => {
            config.flow_control.get_or_insert(limits).inflight_max = number(count)?;
        }
        Some(("bytes", count)) => {
            config.flow_control.get_or_insert(limits).append_bytes_max = number(count)?;
        }
        _ => return Err(format!("unknown setting {setting:?}")),
    }
    Ok(())
}

/// The disk of a word such as `S1=1,1,2@3`.
fn disk(word: &str) -> Result<MemoryStorage, String> {
    let row = words::row(word)?;
    let mut disk = MemoryStorage::new();
    disk.append(row.entries);
    disk.set_hard_state(HardState { term: row.term, ..HardState::default() });
    Ok(disk)
}
