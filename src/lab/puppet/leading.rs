//! S0 as leader: the puppets elect it, and the scenario checks its calls.

use std::time::Duration;

use super::conduct::Votes;
use super::inbox::Heard;
use super::stage::{S0, Stage};
use crate::api::raft_rpc::AppendEntriesArgs;
use crate::api::{Index, Position, ServerId, Term};

/// Maximum time that an election may take if every puppet votes for S0: the lab's five seconds.
const ELECTION_MAX: Duration = Duration::from_secs(5);

/// Maximum time that a leader may take to send an expected call: it retries at the next heartbeat,
/// if not sooner.
const REPEAT_MAX: Duration = Duration::from_secs(5);

/// S0 as leader, elected by the votes of all puppets.
pub struct Leading<'s, 'c> {
    stage: &'s Stage<'c>,
    /// The term in which S0 leads.
    pub term: Term,
    /// The [mark](Stage::mark) before S0 started the election of that term.
    pub mark: usize,
}

impl<'c> Stage<'c> {
    /// Waits until S0 starts an election, and gives it every vote. Afterwards votes are refused.
    pub fn elect(&self) -> Leading<'_, 'c> {
        let (mark, before) = (self.mark(), self.state().term);
        self.all_vote(Votes::Grant);
        // Calls of an earlier leadership, or of an earlier life, may still arrive.
        let acts = |heard: &Heard| {
            let term = heard.term();
            heard.vote().is_none() && term >= before && term > self.led()
        };
        let first = self.hear(mark, ELECTION_MAX, "win an election without a rival", acts);
        self.all_vote(Votes::Refuse);
        self.leads_in(first.term());
        Leading { stage: self, term: first.term(), mark }
    }
}

impl Leading<'_, '_> {
    /// The stage that S0 leads on.
    pub fn stage(&self) -> &Stage<'_> {
        self.stage
    }

    /// Submits a command to the leader.
    pub fn start(&self, command: &str) -> Index {
        match self.stage.start(command) {
            Ok(started) => {
                assert_eq!(started.term, self.term, "S0 leads in the term it was elected in");
                started.index
            }
            Err(refused) => self.stage.cluster().end_by_limit(
                "leader_refused",
                format!("{S0} leads in term {}, but refused a command: {refused:?}", self.term),
            ),
        }
    }

    /// The first AppendEntries to `puppet` since `mark` that `wanted` picks.
    pub fn append_to(
        &self,
        puppet: ServerId,
        mark: usize,
        what: &str,
        wanted: impl Fn(&AppendEntriesArgs) -> bool,
    ) -> Heard {
        self.stage.hear(mark, REPEAT_MAX, what, |heard| {
            heard.puppet == puppet
                && heard.term() == self.term
                && heard.append().is_some_and(&wanted)
        })
    }

    /// The first AppendEntries to `puppet` since `mark` that carries the entry at `index`.
    pub fn brings(&self, puppet: ServerId, mark: usize, index: Index) -> Heard {
        self.append_to(puppet, mark, &format!("send {puppet} entry {index}"), |args| {
            args.entries.iter().any(|entry| entry.index == index)
        })
    }

    /// The last entry that S0, just elected, assumes in `puppet`'s log. It is the entry before the
    /// first one that S0 would send. A heartbeat whose previous index is 0 fits any log, so it does
    /// not show what S0 assumes.
    pub fn first_guess(&self, puppet: ServerId) -> Position {
        let guesses = |args: &AppendEntriesArgs| args.prev_log_index > Index(0);
        let heard = self.append_to(puppet, self.mark, "send what follows its log's end", guesses);
        heard.append().map(AppendEntriesArgs::prev_log).unwrap_or_default()
    }

    /// The highest commit index that S0 has told any puppet in its term.
    pub fn commit_told(&self) -> Index {
        let heard = self.stage.heard_since(self.mark);
        let told = heard.iter().filter(|heard| heard.term() == self.term);
        told.filter_map(|heard| heard.append())
            .map(|args| args.leader_commit)
            .max()
            .unwrap_or_default()
    }
}
