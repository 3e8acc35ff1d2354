//! Orphans that may have heard of the stop already.
//!
//! A master that is told passes the stop on, and some tell a whole group: supervisord with `stopasgroup`,
//! timeout, `kill 0` in a trap. If a shell of that group dies of it, the program below the shell is
//! an orphan all at once, is outro's to stop, and has heard. But `terminate()` of a Popen with a
//! shell leaves the same orphan, and that one has not.
//!
//! A process that was told wakes up. So who has slept on since the look before has heard of
//! nothing, and who has not is believed to be at it for a while.

use crate::{
    process::{Condition, Disposition, Identity},
    route::{GROUP_PATIENCE, Standing, Walk},
    time::Moment,
};
use std::collections::BTreeMap;

/// Only so many are remembered; a crowd is no shell's child.
const REMEMBERED_MAX: usize = 256;

/// Those who were below someone who was below a handler, at the last look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orphans {
    covered: BTreeMap<Identity, Option<u64>>,
    /// Since when they are orphans.
    since: BTreeMap<Identity, Moment>,
}

impl Orphans {
    /// Whether the process at `index` has become outro's own between two looks, as one in between
    /// died, and may have been told by whom it was below.
    pub(crate) fn may_have_heard(&mut self, walk: &Walk<'_>, index: usize) -> bool {
        let process = &walk.tree.processes()[index];
        if walk.tree.parent(index).is_some()
            || walk.ledger.get(process.id).is_some()
            || process.disposition(walk.signal) != Disposition::Handles
            || process.group == process.id.pid
        {
            return false;
        }
        if let Some(since) = self.since.get(&process.id) {
            return walk.now.since(*since) < GROUP_PATIENCE;
        }
        let Some(Some(before)) = self.covered.get(&process.id) else { return false };
        let sleeps_on = Some(*before) == walk.details.sleeps(process.id.pid);
        if !sleeps_on {
            self.since.insert(process.id, walk.now);
        }
        !sleeps_on
    }

    /// Takes note of who is below whom.
    pub(crate) fn remember(&mut self, walk: &Walk<'_>, standings: &[Standing]) {
        let processes = walk.tree.processes();
        let is_covered = |index: usize| standings[index] == Standing::Covered;
        self.covered = (0..processes.len())
            .filter(|index| is_covered(*index) && walk.tree.parent(*index).is_some_and(is_covered))
            .filter(|index| processes[*index].condition != Condition::Zombie)
            .map(|index| processes[index].id)
            // A terminal wakes them as well, when its session ends.
            .filter(|id| !walk.details.has_terminal(id.pid))
            .take(REMEMBERED_MAX)
            .map(|id| (id, walk.details.sleeps(id.pid)))
            .collect();
    }
}
