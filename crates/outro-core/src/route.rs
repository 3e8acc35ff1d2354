//! Who gets a stop signal: the rules of `--route tree`.
//!
//! ```text
//! stop(P), from the top down:
//!   P handles it -> tell P, and leave everything below P to P
//!   P default    -> tell P (it dies, so a shell's loop starts nothing more), then stop each child
//!   P ignores    -> do not tell P, stop each child
//! ```
//!
//! One look gives one [`plan`]; looks are repeated until nobody is left, so a fork, an orphan or a
//! child whose handling parent has died is found by the next one. Beyond the three lines:
//!
//! - Whoever was told in this stop is not told again.
//! - A filter is left to its end of file; see [`crate::filter`].
//! - A shell that traps the signal may need its foreground child to be told; see [`crate::shell`].
//! - SIGINT and SIGQUIT are ignored in a shell's background jobs (POSIX, 2.11), and of a signal such as
//!   SIGWINCH nobody ends who does not know it. Such a process gets SIGTERM in their place if it does
//!   not ignore that too, or it would never hear of the stop.

use crate::{
    exit::ExitStatus,
    filter::Filters,
    ledger::{Entry, Ledger, Why},
    orphan::Orphans,
    process::{Condition, Details, Disposition, Process, Shell, SleepCall, Ticks, Tree},
    shell::{self, HeldUp},
    signal::{DefaultAction, Signal},
    time::Moment,
};
use std::{fmt, time::Duration};

/// How long a process that may have heard of the stop from its shell is believed to be at it.
pub const GROUP_PATIENCE: Duration = Duration::from_secs(3);

/// Who gets the stop signal (`--route`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Whom it concerns, by the rules of this module.
    Tree,
    /// The main process alone.
    Main,
    /// The main process's group.
    Group,
    /// Every process.
    All,
}

impl Route {
    /// The names that `--route` takes.
    pub const NAMES: [(&'static str, Self); 4] =
        [("tree", Self::Tree), ("main", Self::Main), ("group", Self::Group), ("all", Self::All)];
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, route)| route == self).map_or("", |(name, _)| name);
        formatter.write_str(name)
    }
}

/// One process that is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tell {
    /// Where it stands in the tree.
    pub index: usize,
    /// The signal.
    pub signal: Signal,
    /// Why.
    pub why: Why,
    /// How the process takes it.
    pub disposition: Disposition,
}

/// A stop signal on its way through one look at the tree.
pub struct Walk<'a> {
    /// The look.
    pub tree: &'a Tree,
    /// What it did not hold.
    pub details: &'a dyn Details,
    /// Who was told before.
    pub ledger: &'a Ledger,
    /// The stop signal.
    pub signal: Signal,
    /// When the look was.
    pub now: Moment,
}

/// What is remembered from one look to the next, in one stop.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    filters: Filters,
    orphans: Orphans,
}

/// Where a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Below a living process that handles the signal: that one's to stop.
    Covered,
    /// Was told before, and its children are its own.
    Handling,
    /// Was told before, or is not to be told; its children are.
    Open,
    /// A filter, left to its end of file with all that is below it.
    Spared,
    /// To be told; whether it handles the signal says whose its children are.
    Tell(Signal, Why, Disposition),
}

/// Who is to be told now, parents before children.
pub fn plan(walk: &Walk<'_>, memory: &mut Memory) -> Vec<Tell> {
    let mut standings = first_pass(walk, &mut memory.orphans);
    memory.filters.spare(walk, &mut standings);
    memory.orphans.remember(walk, &standings);
    standings
        .iter()
        .enumerate()
        .filter_map(|(index, standing)| match *standing {
            Standing::Tell(signal, why, disposition) => {
                Some(Tell { index, signal, why, disposition })
            }
            Standing::Covered | Standing::Handling | Standing::Open | Standing::Spared => None,
        })
        .collect()
}

/// Where each process stands, filters not yet considered.
fn first_pass(walk: &Walk<'_>, orphans: &mut Orphans) -> Vec<Standing> {
    let tree = walk.tree;
    let mut standings: Vec<Standing> = Vec::with_capacity(tree.processes().len());
    // The shells whose foreground children are outro's to tell.
    let mut held_up: Vec<Option<HeldUp>> = Vec::with_capacity(tree.processes().len());
    for (index, process) in tree.processes().iter().enumerate() {
        let parent = tree.parent(index);
        let is_freed = parent
            .and_then(|parent| held_up[parent].as_ref())
            .is_some_and(|shell| shell.has_in_foreground(process));
        let left_to_parent = parent.is_some_and(|parent| match standings[parent] {
            Standing::Covered => true,
            Standing::Handling => !is_freed,
            Standing::Tell(_, _, disposition) => disposition == Disposition::Handles,
            Standing::Open | Standing::Spared => false,
        });
        let standing = match left_to_parent {
            true => Standing::Covered,
            false if orphans.may_have_heard(walk, index) => Standing::Covered,
            false => standing_of(walk, index, process),
        };
        held_up.push(match standing {
            Standing::Handling => held_up_shell(walk, index, process),
            Standing::Covered | Standing::Open | Standing::Spared | Standing::Tell(..) => None,
        });
        standings.push(match standing {
            // That it was told in place of the stop signal must be remembered.
            Standing::Tell(signal, why, disposition) if is_freed && why != Why::InPlace => {
                Standing::Tell(signal, Why::TrappingShell, disposition)
            }
            Standing::Covered
            | Standing::Handling
            | Standing::Open
            | Standing::Spared
            | Standing::Tell(..) => standing,
        });
    }
    standings
}

/// Where a process stands that is not left to its parent.
fn standing_of(walk: &Walk<'_>, index: usize, process: &Process) -> Standing {
    if process.condition == Condition::Zombie {
        return Standing::Open;
    }
    if let Some(standing) = told_by_its_shell(walk, process) {
        return standing;
    }
    if let Some(entry) = walk.ledger.get(process.id)
        && entry.told.iter().any(|told| told.signal == walk.signal || told.why == Why::InPlace)
    {
        return match entry.disposition {
            // It only blocks the signal, and waits for something else: what is below it is to hear.
            Disposition::Handles | Disposition::Default
                if has_not_taken_it(walk, index, process, entry) =>
            {
                Standing::Open
            }
            // It never heard, as outro may not signal it.
            Disposition::Handles if entry.refused => Standing::Open,
            Disposition::Handles if loops_on(walk, index, process, entry) => {
                Standing::Tell(Signal::TERM, Why::InPlace, Disposition::Default)
            }
            Disposition::Handles => Standing::Handling,
            // Its handler came between the look and the signal.
            Disposition::Default if handles_what_it_was_told(process, entry) => Standing::Handling,
            Disposition::Default | Disposition::Ignores => Standing::Open,
        };
    }
    if is_newborn(process, walk.tree.now()) {
        return Standing::Covered;
    }
    match process.disposition(walk.signal) {
        Disposition::Handles => Standing::Tell(walk.signal, Why::Handles, Disposition::Handles),
        Disposition::Ignores => in_place(walk, index, process),
        Disposition::Default if takes_it_by_sigwait(walk, index, process) => {
            Standing::Tell(walk.signal, Why::Handles, Disposition::Handles)
        }
        Disposition::Default => {
            Standing::Tell(walk.signal, Why::DefaultAction, Disposition::Default)
        }
    }
}

/// Where a process stands whose shell led its group, was told, and died of that signal.
///
/// mksh then has told the whole group. So have other shells, if their trap says `kill -- -$$`, and the
/// ones that only re-raise (`kill $$`) have mostly told their jobs before. So whoever handles the
/// signal is taken to have heard of it, for a while; who does not would be dead.
fn told_by_its_shell(walk: &Walk<'_>, process: &Process) -> Option<Standing> {
    let leader = walk.ledger.of(process.group)?;
    let shell = leader.shell.as_ref()?;
    let left = leader.left?;
    let disposition = process.disposition(walk.signal);
    // Whoever came later never heard of it; within the same tick nobody can say.
    let came_later = process.id.start >= leader.told_ticks;
    let is_known = walk.ledger.get(process.id).is_some();
    if is_known || came_later || disposition == Disposition::Ignores {
        return None;
    }
    let patience = || {
        // Of INT and QUIT shells die without a trap too, and their jobs ignore those.
        let may_have_heard = !Signal::KEYBOARD.contains(&walk.signal)
            && disposition == Disposition::Handles
            && walk.now.since(left.at) < GROUP_PATIENCE
            && !shell.child_sleeps_on(process.id, walk.details.sleeps(process.id.pid));
        may_have_heard.then_some(Standing::Covered)
    };
    match left.status {
        Some(status) if status != ExitStatus::Signal(walk.signal) => None,
        Some(_) if shell.kind == Shell::Mksh => {
            Some(Standing::Tell(walk.signal, Why::ItsShell, disposition))
        }
        // Not reaped yet, or not by outro.
        Some(_) | None => patience(),
    }
}

/// Whether the process handles by now what it was told, be that in place of the stop signal.
fn handles_what_it_was_told(process: &Process, entry: &Entry) -> bool {
    entry.told.last().is_some_and(|told| process.disposition(told.signal) == Disposition::Handles)
}

/// Whether the process is between its fork and its exec, where posix_spawn(3) and its like block every
/// signal: how it takes this one shows at the next look.
pub(crate) fn is_newborn(process: &Process, now: Ticks) -> bool {
    const YOUNG: u64 = 5;
    let blocks_all = (1..=31)
        .filter_map(Signal::new)
        .filter(|signal| *signal != Signal::KILL && *signal != Signal::STOP)
        .all(|signal| process.handled.contains(signal));
    // Rows are of different moments: children of a later one may be there already.
    blocks_all && now.0.saturating_sub(process.id.start.0) <= YOUNG
}

/// Whether the process is just waiting for signals to take, of which this may be one. Asked only of
/// those who have children: for the others it makes no difference.
fn takes_it_by_sigwait(walk: &Walk<'_>, index: usize, process: &Process) -> bool {
    !walk.tree.children(index).is_empty()
        && walk
            .details
            .sleep(process.id.pid)
            .is_some_and(|sleep| sleep.call == SleepCall::SignalWait)
}

/// Whether a process that was told has left the signal pending for a while (`unshare --fork` does).
fn has_not_taken_it(walk: &Walk<'_>, index: usize, process: &Process, entry: &Entry) -> bool {
    let told = entry.told.iter().find(|told| told.signal == walk.signal);
    !walk.tree.children(index).is_empty()
        && told.is_some_and(|told| walk.now.since(told.at) >= shell::TRAP_PATIENCE)
        && walk.details.has_pending(process.id.pid, walk.signal)
}

/// Whether a shell goes on with its loop, and would be ended by SIGTERM.
fn loops_on(walk: &Walk<'_>, index: usize, process: &Process, entry: &Entry) -> bool {
    Signal::KEYBOARD.contains(&walk.signal)
        && process.disposition(Signal::TERM) == Disposition::Default
        && !walk.ledger.was_told(process.id, Signal::TERM)
        && shell::loops_on(entry, walk.tree.children(index), walk.ledger, walk.details)
}

/// Whether who does not know what to do with this stop signal is to get SIGTERM: a shell's background
/// jobs ignore those of the keyboard, and of WINCH (httpd's graceful stop) nobody ends by itself.
fn has_a_stand_in(signal: Signal) -> bool {
    Signal::KEYBOARD.contains(&signal) || signal.default_action() != DefaultAction::Terminate
}

/// Where a process stands that ignores the stop signal.
fn in_place(walk: &Walk<'_>, index: usize, process: &Process) -> Standing {
    let was_told = walk.ledger.was_told(process.id, Signal::TERM);
    match process.disposition(Signal::TERM) {
        Disposition::Ignores => Standing::Open,
        Disposition::Handles | Disposition::Default if !has_a_stand_in(walk.signal) => {
            Standing::Open
        }
        // By a peer's contract one stop can have several signals.
        Disposition::Handles if was_told => Standing::Handling,
        Disposition::Default if was_told => Standing::Open,
        Disposition::Default if takes_it_by_sigwait(walk, index, process) => {
            Standing::Tell(Signal::TERM, Why::InPlace, Disposition::Handles)
        }
        disposition @ (Disposition::Handles | Disposition::Default) => {
            Standing::Tell(Signal::TERM, Why::InPlace, disposition)
        }
    }
}

fn held_up_shell(walk: &Walk<'_>, index: usize, process: &Process) -> Option<HeldUp> {
    let entry = walk.ledger.get(process.id)?;
    HeldUp::find(process, entry, walk.tree.children(index), walk)
}
