//! Saves the state that must survive a crash (Figure 2, "Persistent state on all servers").

use super::state::{Effects, State};
use crate::persister::{PersistError, Persister};

//= raft/persist.rs save
