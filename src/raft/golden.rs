//! Golden scripts of the rules: `tests/golden/raft/NAME.txt`, in the notation of
//! `tests/golden/summary.rs`, which the tick core's scripts share.
//!
//! A script has servers without locks and clocks, each with a disk. Each command applies one rule
//! to one server, and shows what changed, what must be durable, what the service gets, and what is
//! sent. The tests of `tests/golden` share the format, the words and the network with this file.
//!
//! | Command | Does |
//! | --- | --- |
//! | `logs S0=1,1 S1=1 S2=` | starts servers with entries of these terms (`@3`: term 3) |
//! | `campaign S0` | starts an election |
//! | `start S0 x` | accepts a command from a client |
//! | `heartbeat S0` | sends each follower what a leader sends when a heartbeat is due |
//! | `read S0 7` | begins read 7 |
//! | `snapshot S0 2` | saves the service's snapshot up to index 2 |
//! | `restart S0` | crashes a server, and starts it with what its disk has |
//! | `deliver [S2 \| all]` | delivers the messages in flight (to S2; until none is left) |
//! | `isolate S1`, `cut S1 S2`; `heal` | loses the messages sent from now on; ends that |
//! | `hold S1 S2`; `unhold S1 S2` | holds back what S1 sends to S2 from now on; ends that |
//! | `release`, `drop` | puts held messages in flight; loses all messages |
//! | `status` | shows all logs |
//! | `quiet COMMAND` | does the command without output |

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;

use self::network::{Link, Network};
use self::summary::{Summary, entry_list};
use self::words::{number, server};
use super::invariants;
use super::persist;
use super::read_index::PendingRead;
use super::replication::{Message, Owed, Sent, SentSnapshot};
use super::state::{Effects, Progress, Role, State};
use crate::api;
use crate::api::raft_rpc::{
    AppendEntriesReply, InstallSnapshotReply, RequestVoteArgs, RequestVoteReply,
};
use crate::api::{ApplyMsg, Index, ServerId, Term};
use crate::persister::{Persister, Unsynced};

#[path = "../../tests/golden/network.rs"]
mod network;
#[path = "../../tests/golden/script.rs"]
mod script;
#[path = "../../tests/golden/summary.rs"]
mod summary;
#[path = "../../tests/golden/words.rs"]
mod words;

type Told = Result<String, String>;

/// A request, or a reply with the part of its request by which it is judged.
enum Call {
    AskVote(RequestVoteArgs),
    Vote(Term, RequestVoteReply),
    Send(Message),
    Appended(Sent, AppendEntriesReply),
    Installed(SentSnapshot, InstallSnapshotReply),
}

/// Everything that a script acts on.
#[derive(Default)]
struct Stage {
    servers: BTreeMap<ServerId, State>,
    disks: BTreeMap<ServerId, Persister>,
    network: Network<Call>,
    /// The reads that wait: the server, the read's number, the read.
    reads: Vec<(ServerId, u64, PendingRead)>,
}

impl Stage {
    /// Does the command of a line; returns the output.
    fn command(&mut self, line: &str) -> Told {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["quiet", ..] => self.command(line.trim_start_matches("quiet ")).map(|_| String::new()),
            ["logs", ref rows @ ..] => self.open(rows),
            ["deliver"] => self.deliver(None),
            ["deliver", "all"] => self.settle(),
            ["deliver", to] => self.deliver(Some(server(to)?)),
            ["restart", me] => self.restart(server(me)?),
            ["status"] => Ok(self.servers.values().map(row).collect()),
            ["heal" | "release" | "drop"] | ["isolate" | "cut" | "hold" | "unhold", _, ..] => {
                let servers: Vec<_> = self.servers.keys().copied().collect();
                self.network.command(words[0], &words[1..], servers.into_iter())?;
                Ok(String::new())
            }
            [verb, me, ref rest @ ..] => self.tell(verb, server(me)?, rest),
            _ => Err(format!("unknown command {line:?}")),
        }
    }

    /// Does a command that changes one server.
    fn tell(&mut self, verb: &str, me: ServerId, rest: &[&str]) -> Told {
        match (verb, rest) {
            ("campaign", []) => self.act(me, |state, effects| {
                let args = state.start_election(effects);
                state.peers().map(|peer| (peer, Call::AskVote(args.clone()))).collect()
            }),
            ("start", [data]) => {
                let data = Bytes::copy_from_slice(data.as_bytes());
                let mut refused = String::new();
                let told = self.act(me, |state, effects| {
                    if state.start(data, effects).is_err() {
                        refused = format!("{me} is not the leader\n");
                    }
                    vec![]
                })?;
                Ok(refused + &told)
            }
            ("heartbeat", []) => self.act(me, |state, _| {
                let peers = state.peers();
                let to = |peer| state.message_to(peer).map(|message| (peer, Call::Send(message)));
                peers.filter_map(to).collect()
            }),
            ("read", [number]) => self.read(me, words::number(number)?),
            ("snapshot", [index]) => {
                let index = Index(number(index)?);
                self.act(me, |state, effects| {
                    state.compact(index, Bytes::from_static(b"state"), effects);
                    vec![]
                })
            }
            _ => Err(format!("unknown command {verb:?} with {rest:?}")),
        }
    }

    /// Starts one server per row.
    fn open(&mut self, rows: &[&str]) -> Told {
        for (slot, word) in rows.iter().enumerate() {
            let words::Row { term: current_term, entries } = words::row(word)?;
            let (id, disk) = (ServerId::from_slot(slot), Persister::new());
            disk.save_vote(current_term, None);
            disk.append(&entries);
            disk.sync().map_err(|error| error.to_string())?;
            self.servers.insert(id, recover(id, rows.len(), &disk)?);
            self.disks.insert(id, disk);
        }
        Ok(String::new())
    }

    /// Crashes a server, which loses all but what is synced, and starts it again.
    fn restart(&mut self, me: ServerId) -> Told {
        let disk = self.disks.get(&me).ok_or_else(|| format!("there is no {me}"))?;
        let disk = disk.crash(Unsynced::LoseAll);
        self.servers.insert(me, recover(me, self.servers.len(), &disk)?);
        self.disks.insert(me, disk);
        self.reads.retain(|(server, ..)| *server != me);
        Ok(String::new())
    }

    /// Applies one rule to a server, then lets its service apply and its replicators send; returns
    /// the output. The rule returns the calls that it makes or answers.
    fn act(
        &mut self,
        me: ServerId,
        rule: impl FnOnce(&mut State, &mut Effects) -> Vec<(ServerId, Call)>,
    ) -> Told {
        let state = self.servers.get_mut(&me).ok_or_else(|| format!("there is no {me}"))?;
        let (before, followers) = (summary(state), followers(state));
        let mut effects = Effects::default();
        let mut calls = rule(state, &mut effects);
        persist::save(&self.disks[&me], state, &effects).map_err(|error| error.to_string())?;
        invariants::check(state);

        let now = summary(state);
        let mut told = now.changes_since(&before);
        told += &progress_changes(state, &followers);
        told += &stores(state, &effects);
        while state.has_more_to_apply() {
            told += &applies(&now, &state.next_to_apply());
        }
        for peer in state.peers() {
            if state.owed_to(peer) == Owed::Message
                && let Some(message) = state.message_to(peer)
            {
                calls.push((peer, Call::Send(message)));
            }
        }
        for (to, call) in calls {
            let said = said(&call);
            let fate = self.network.send((me, to), call);
            told += &format!("{} {fate} {to} {said}\n", now.name());
        }
        Ok(told + &self.outcomes(me))
    }

    fn read(&mut self, me: ServerId, number: u64) -> Told {
        let mut begun = Ok(None);
        let told = self.act(me, |state, _| {
            begun = state.begin_read();
            vec![]
        })?;
        let outcome = match begun {
            Err(_) => format!("{me} refuses read {number}\n"),
            Ok(None) => format!("{me} has to put read {number} into the log\n"),
            Ok(Some(read)) => {
                self.reads.push((me, number, read));
                String::new()
            }
        };
        Ok(told + &outcome)
    }

    /// Takes the reads of a server that wait no longer.
    fn outcomes(&mut self, me: ServerId) -> String {
        let (state, mut told) = (&self.servers[&me], String::new());
        self.reads.retain(|(server, number, read)| {
            let outcome = if *server == me { state.outcome_of(read) } else { None };
            match &outcome {
                Some(Ok(index)) => told += &format!("{me} may answer read {number} at {index}\n"),
                Some(Err(_)) => told += &format!("{me} refuses read {number}\n"),
                None => {}
            }
            outcome.is_none()
        });
        told
    }

    /// Delivers the messages that are in flight now, to `only` one server if it is given.
    fn deliver(&mut self, only: Option<ServerId>) -> Told {
        let now = self.network.take(only);
        now.into_iter().map(|(link, call)| self.arrive(link, call)).collect()
    }

    /// Delivers until no message is in flight.
    fn settle(&mut self) -> Told {
        let mut told = String::new();
        while !self.network.is_quiet() {
            told += &self.deliver(None)?;
        }
        Ok(told)
    }

    /// Applies the rule for a request, whose reply is sent back, or for a reply.
    fn arrive(&mut self, (from, to): Link, call: Call) -> Told {
        self.act(to, |state, effects| {
            let reply = match call {
                Call::AskVote(args) => Call::Vote(args.term, state.on_request_vote(&args, effects)),
                Call::Send(Message::Append(args, sent)) => {
                    Call::Appended(sent, state.on_append_entries(args, effects))
                }
                Call::Send(Message::Install(args, sent)) => {
                    Call::Installed(sent, state.on_install_snapshot(args, effects))
                }
                Call::Vote(asked, reply) => {
                    state.on_vote_reply(from, asked, &reply, effects);
                    return vec![];
                }
                Call::Appended(sent, reply) => {
                    state.on_append_reply(from, sent, &reply, effects);
                    return vec![];
                }
                Call::Installed(sent, reply) => {
                    state.on_install_reply(from, sent, &reply, effects);
                    return vec![];
                }
            };
            vec![(from, reply)]
        })
    }
}

/// Starts a server with what its disk has.
fn recover(me: ServerId, servers: usize, disk: &Persister) -> Result<State, String> {
    let persisted = disk.load().map_err(|error| error.to_string())?;
    Ok(State::recover(me, servers, persisted))
}

fn summary(state: &State) -> Summary {
    let role = match state.role {
        Role::Follower => "follower",
        Role::Candidate { .. } => "candidate",
        Role::Leader { .. } => "leader",
    };
    let (last, commit) = (state.log.last(), state.commit_index);
    Summary { id: state.me, term: state.current_term, role, last, commit }
}

fn row(state: &State) -> String {
    let gone = state.log.last_included().index;
    summary(state).row(gone, state.log.entries_from(gone.next(), super::timing::BATCH))
}

fn followers(state: &State) -> Vec<Progress> {
    match &state.role {
        Role::Leader { followers } => followers.clone(),
        Role::Follower | Role::Candidate { .. } => vec![],
    }
}

/// What a leader has learned of its followers.
fn progress_changes(state: &State, before: &[Progress]) -> String {
    let (name, mut told) = (summary(state).name(), String::new());
    for (slot, (was, is)) in before.iter().zip(followers(state)).enumerate() {
        if was.next_index != is.next_index {
            let (was, is) = (was.next_index, is.next_index);
            told += &format!("{name} next_index[S{slot}] {was} ⇨ {is}\n");
        }
        if was.match_index != is.match_index {
            let (was, is) = (was.match_index, is.match_index);
            told += &format!("{name} match_index[S{slot}] {was} ⇨ {is}\n");
        }
    }
    told
}

/// What must be durable before a message leaves.
fn stores(state: &State, effects: &Effects) -> String {
    let mut told = String::new();
    if effects.save_vote {
        let vote = state.voted_for.map_or_else(|| "none".to_string(), |vote| vote.to_string());
        told += &format!(" term={} vote={vote}", state.current_term);
    }
    if effects.save_snapshot {
        told += &format!(" snapshot={}", state.log.last_included());
    }
    told += &entry_list(effects.append.iter());
    if told.is_empty() { told } else { format!("{} stores{told}\n", summary(state).name()) }
}

fn applies(shown: &Summary, messages: &[ApplyMsg]) -> String {
    let message = |message: &ApplyMsg| match message {
        ApplyMsg::Command { term, index, .. } => format!(" {term}/{index}"),
        ApplyMsg::Snapshot { last_included, .. } => format!(" snapshot={last_included}"),
    };
    format!("{} applies{}\n", shown.name(), messages.iter().map(message).collect::<String>())
}

fn said(call: &Call) -> String {
    match call {
        Call::AskVote(args) => format!("RequestVote last={}", args.last_log()),
        Call::Vote(_, reply) => format!("vote_granted={}", reply.vote_granted),
        Call::Send(Message::Append(args, _)) => {
            let (prev, list) = (args.prev_log(), entry_list(args.entries.iter()));
            format!("AppendEntries prev={prev}{list} commit={}", args.leader_commit)
        }
        Call::Send(Message::Install(args, _)) => {
            format!("InstallSnapshot last={}", args.last_included())
        }
        Call::Appended(_, AppendEntriesReply { success, conflict, .. }) => match conflict {
            None => format!("success={success}"),
            Some(conflict) => {
                let term = conflict.term.map_or_else(String::new, |term| format!(" term={term}"));
                format!("success={success} conflict:{term} index={}", conflict.index)
            }
        },
        Call::Installed(..) => "InstallSnapshotReply".to_string(),
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/raft")
}

fn check(name: &str) {
    let mut stage = Stage::default();
    let checked = script::check(&folder().join(name), |line| stage.command(line));
    checked.unwrap_or_else(|told| panic!("{name}: {told}"));
}

#[test]
fn vote() {
    check("vote.txt");
}

#[test]
fn append() {
    check("append.txt");
}

#[test]
fn log_repair() {
    check("log_repair.txt");
}

#[test]
fn commit() {
    check("commit.txt");
}

#[test]
fn install_snapshot() {
    check("install_snapshot.txt");
}

#[test]
fn read_index() {
    check("read_index.txt");
}

#[test]
fn restart() {
    check("restart.txt");
}

#[test]
fn every_script_has_a_test() {
    let here = include_str!("golden.rs");
    for file in std::fs::read_dir(folder()).expect("the scripts are there") {
        let name = file.expect("the folder can be read").file_name();
        let call = format!("check(\"{}\")", name.to_string_lossy());
        assert!(here.contains(&call), "no test calls {call}");
    }
}
