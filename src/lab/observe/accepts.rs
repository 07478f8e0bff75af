//! The rule that a follower accepts entries that follow an entry of its log.

use super::observer::{Judged, Observer, at};
use super::world::{Handling, World};
use crate::api::ServerId;
use crate::lab::Facts;

/// "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm"
/// (Figure 2, `AppendEntries`, step 2): a follower in the leader's term that has this entry from
/// the request's arrival to the reply must not refuse.
///
/// The rule catches a candidate that does not step down for the leader of its term, and a server
/// whose log in memory differs from the stored one.
pub(super) struct MatchingPrefixAccepted;

impl Observer for MatchingPrefixAccepted {
    fn answered(&mut self, by: ServerId, handling: &Handling, reply: &Facts, _: &World) -> Judged {
        let Facts::AppendReply { term, success: false } = reply else { return Ok(()) };
        match handling.request {
            Facts::Append { term: asked, prev, .. } if asked == *term && handling.prev_fits => {
                Err(format!(
                    "{by}, in term {term}, refuses entries of that term's leader {} that follow \
                     {prev}, although its log has had {prev} since the request came at {}",
                    handling.from,
                    at(handling.since)
                ))
            }
            _ => Ok(()),
        }
    }
}
