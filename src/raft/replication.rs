//! The leader's side of replication: what to send to a follower, and what its answers mean
//! (Figure 2, Rules for Servers, Leaders; Raft §5.3).
//!
//! The leader knows of each follower where to go on ([`Progress::next_index`], a guess) and what
//! it has for certain ([`Progress::match_index`], a promise of the follower's):
//!
//! ```text
//! index      1    2    3    4    5    6
//! leader     1    1    4    4    4    4
//! follower   1    1    4    ?    ?    ?
//!                      │    │
//!            match_index    next_index
//! ```
//!
//! Answers may come seconds late and in any order. Each is judged by what was asked, never by
//! what is so when it arrives: it must be of this term, it raises `match_index` only to what that
//! very request brought, and it moves `next_index` back only if that is still where it stood.
//!
//! The tasks that send what is decided here are in `replicator.rs`.

use bytes::Bytes;

use super::rpc::{
    AppendEntriesArgs, AppendEntriesReply, Conflict, InstallSnapshotArgs, InstallSnapshotReply,
};
use super::state::{Effects, Role, State};
use super::timing::{BATCH, UNANSWERED_MAX};
use crate::api::{Entry, Index, NotLeader, ServerId, Started, Term};

/// What a leader knows of one follower (Figure 2, "Volatile state on leaders").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Next entry to send. Starts after our last entry; falls when the logs conflict.
    /// `match_index < next_index`. Figure 2.
    pub next_index: Index,
    /// Highest entry known to be the follower's. Starts at 0; never falls. Figure 2.
    pub match_index: Index,
    /// The commit index that the follower was last sent; `None` before our first message to it.
    pub sent_commit: Option<Index>,
    /// How often something was sent since an answer last brought news. While it is not zero the
    /// next batch waits: for the answer, or for the next heartbeat.
    pub unanswered: u32,
}

/// What a leader owes a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    /// Nothing before the next heartbeat.
    Nothing,
    /// The commit index rose. That may wait a little, for entries to go with it.
    CommitNews,
    /// Entries, a snapshot, or the first message of a term.
    Message,
}

/// A call to a follower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Entries, or none: a heartbeat.
    Append(AppendEntriesArgs),
    /// The snapshot, where the entries are gone.
    Install(InstallSnapshotArgs),
}

/// What an AppendEntries said, as far as its answer must be judged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The term in which it was sent.
    pub term: Term,
    /// The entry before the new ones.
    pub prev_log_index: Index,
    /// The last new entry: what a success promises.
    pub last_new_index: Index,
}

impl Progress {
    /// What a new leader knows, whose next entry will be `next_index`.
    pub const fn new(next_index: Index) -> Progress {
        Progress { next_index, match_index: Index(0), sent_commit: None, unanswered: 0 }
    }

    /// Raises `match_index` to what an answer promised. Whether it rose.
    fn matches(&mut self, index: Index) -> bool {
        let news = index > self.match_index;
        self.match_index = self.match_index.max(index);
        self.next_index = self.next_index.max(self.match_index.next());
        news
    }

    /// Takes note of an answer. A late one that brought no news does not make room for another
    /// batch, or each would send one more; but any answer ends the silence of a dead line.
    const fn on_answer(&mut self, news: bool) {
        if news || self.unanswered >= UNANSWERED_MAX {
            self.unanswered = 0;
        }
    }
}

impl State {
    /// Takes a command into the leader's log: "append entry to local log" (Figure 2, Rules for
    /// Servers, Leaders).
    ///
    /// # Errors
    /// [`NotLeader`]: nothing was taken.
    pub fn start(&mut self, data: Bytes, effects: &mut Effects) -> Result<Started, NotLeader> {
        let term = self.current_term;
        if !self.is_leader() {
            return Err(NotLeader { term, leader_hint: self.leader_id });
        }
        let index = self.log.last().index.next();
        let entry = Entry { term, index, data };
        effects.append = vec![entry.clone()];
        self.log.replace_from(vec![entry]);
        self.advance_commit_index(); // Alone we are a majority.
        Ok(Started { term, index })
    }

    /// What `follower` should be sent before the next heartbeat; nothing unless we lead.
    pub fn owed_to(&self, follower: ServerId) -> Owed {
        let Role::Leader { followers } = &self.role else { return Owed::Nothing };
        let progress = &followers[follower.slot()];
        match progress.sent_commit {
            // "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server".
            None => Owed::Message,
            Some(_) if progress.unanswered > 0 => Owed::Nothing,
            // "If last log index >= nextIndex for a follower: send AppendEntries RPC".
            Some(_) if self.log.last().index >= progress.next_index => Owed::Message,
            Some(sent) if self.commit_index > sent => Owed::CommitNews,
            Some(_) => Owed::Nothing,
        }
    }

    /// The next message to `follower`, in this term; `None` unless we lead.
    ///
    /// The entries from `next_index` on, or the snapshot if they are gone (Raft §7); none if the
    /// follower has them all or has been silent for long: then it is a heartbeat only.
    pub fn message_to(&mut self, follower: ServerId) -> Option<Message> {
        let Role::Leader { followers } = &mut self.role else { return None };
        let progress = &mut followers[follower.slot()];
        progress.sent_commit = Some(self.commit_index);
        let next_index = progress.next_index;
        let silent = progress.unanswered >= UNANSWERED_MAX;
        if silent || next_index > self.log.last().index {
            return Some(Message::Append(self.append_args(next_index, Vec::new())));
        }
        progress.unanswered += 1;
        if next_index <= self.log.last_included().index {
            return Some(Message::Install(self.install_args()));
        }
        let entries = self.log.entries_from(next_index, BATCH);
        Some(Message::Append(self.append_args(next_index, entries)))
    }

    /// An AppendEntries that goes on at `next_index`, or after our snapshot if that is later.
    fn append_args(&self, next_index: Index, entries: Vec<Entry>) -> AppendEntriesArgs {
        let prev_log_index = next_index.prev().max(self.log.last_included().index);
        let prev_log_term = self.log.term_at(prev_log_index).unwrap_or_else(|| {
            panic!("next_index {next_index} lies beyond the log's end {}", self.log.last())
        });
        AppendEntriesArgs {
            term: self.current_term,
            leader_id: self.me,
            prev_log_index,
            prev_log_term,
            entries,
            leader_commit: self.commit_index,
        }
    }

    fn install_args(&self) -> InstallSnapshotArgs {
        let last_included = self.log.last_included();
        InstallSnapshotArgs {
            term: self.current_term,
            leader_id: self.me,
            last_included_index: last_included.index,
            last_included_term: last_included.term,
            data: self.snapshot.clone(),
        }
    }

    /// Judges the answer to an AppendEntries (Figure 2, Rules for Servers, Leaders).
    ///
    /// "If successful: update nextIndex and matchIndex for follower"; "if AppendEntries fails
    /// because of log inconsistency: decrement nextIndex and retry".
    pub fn on_append_reply(
        &mut self,
        follower: ServerId,
        sent: Sent,
        reply: &AppendEntriesReply,
        effects: &mut Effects,
    ) {
        self.observe_term(reply.term, effects);
        let backed_up = reply.conflict.map(|conflict| self.index_before(conflict));
        let Some(progress) = self.progress_in(sent.term, reply.term, follower) else { return };

        let news = if reply.success {
            progress.matches(sent.last_new_index)
        } else if let Some(index) = backed_up
            && sent.prev_log_index.next() == progress.next_index
        {
            // Back, but never past what the follower has, and never forward.
            let floor = progress.match_index.next();
            progress.next_index = index.min(sent.prev_log_index).max(floor);
            true
        } else {
            false
        };
        progress.on_answer(news);
        self.advance_commit_index();
    }

    /// Judges the answer to an InstallSnapshot (Figure 13).
    ///
    /// `last_included_index` is that of the snapshot sent: ours may be a newer one by now.
    pub fn on_install_reply(
        &mut self,
        follower: ServerId,
        term: Term,
        last_included_index: Index,
        reply: &InstallSnapshotReply,
        effects: &mut Effects,
    ) {
        self.observe_term(reply.term, effects);
        let Some(progress) = self.progress_in(term, reply.term, follower) else { return };
        let news = progress.matches(last_included_index);
        progress.on_answer(news);
        self.advance_commit_index();
    }

    /// What we know of `follower`, if an answer of term `answered` to a request of term `asked`
    /// may still change it: we must lead in that very term.
    fn progress_in(&mut self, asked: Term, answered: Term, who: ServerId) -> Option<&mut Progress> {
        let current = asked == self.current_term && answered == self.current_term;
        match &mut self.role {
            Role::Leader { followers } if current => followers.get_mut(who.slot()),
            _ => None,
        }
    }

    /// Where to go on with a follower whose log conflicts with ours (lab: fast backup).
    ///
    /// If we have entries of its term, our logs may agree up to the last of them; if not, they
    /// part where that term begins in its log.
    fn index_before(&self, conflict: Conflict) -> Index {
        let ours = conflict.term.and_then(|term| self.log.last_index_of(term));
        ours.map_or(conflict.index, Index::next)
    }
}
