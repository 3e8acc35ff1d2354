//! Who was told what, when, and how each left.

use crate::{
    exit::ExitStatus,
    process::{
        Condition, Details, Disposition, Identity, Name, Pid, Process, Shell, Sleep, Ticks, Tree,
    },
    signal::Signal,
    time::Moment,
};
use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

/// Why a process was told, or why it will hear of the stop otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It handles the signal, and what is below it is its own to stop.
    Handles,
    /// The signal ends it; each of its children is told as well.
    DefaultAction,
    /// A shell that runs its trap only when this foreground child of it has ended.
    TrappingShell,
    /// The writers of its standard input are gone, and it is still there.
    WritersGone,
    /// It ignores the stop signal, as a shell's background job does those of the keyboard, so it
    /// gets SIGTERM in its place.
    InPlace,
    /// Its shell has told it already, as it told its whole group; outro only takes note.
    ItsShell,
    /// The route says so: main, group or all.
    Route,
    /// The grace, or what a main process's leftovers have of it, is over.
    Deadline,
}

impl Why {
    /// The reason as a short phrase.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Handles => "handles it",
            Self::DefaultAction => "default action",
            Self::TrappingShell => "its shell's trap waits for it",
            Self::WritersGone => "its input has ended",
            Self::InPlace => "ignores the stop signal, told TERM in its place",
            Self::ItsShell => "by its shell",
            Self::Route => "route",
            Self::Deadline => "deadline",
        }
    }
}

/// One signal to one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The signal.
    pub signal: Signal,
    /// When it was sent.
    pub at: Moment,
    /// Why it was.
    pub why: Why,
}

/// The end of a process as far as outro could see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// When outro saw that it was gone.
    pub at: Moment,
    /// How it ended; only its parent learns that, so it is known for outro's own children.
    pub status: Option<ExitStatus>,
}

/// What is known of one process that the stop concerned.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The kernel's short name of it.
    pub name: Name,
    /// Its command line, where it was looked up.
    pub command: Option<String>,
    /// What it was told, in order.
    pub told: Vec<Telling>,
    /// How it took the signal when it was told.
    pub disposition: Disposition,
    /// When it was told first, on the clock of process starts.
    pub told_ticks: Ticks,
    /// If it is a shell that handles the signal: what it did when it was told.
    pub shell: Option<TrappingShell>,
    /// The system refused: outro may not signal it.
    pub refused: bool,
    /// The end of it.
    pub left: Option<Left>,
}

impl Entry {
    /// Its command line, or else its short name.
    #[must_use]
    pub fn title(&self) -> String {
        self.command.clone().unwrap_or_else(|| self.name.to_string())
    }

    /// What it was told last, and how long ago.
    #[must_use]
    pub fn last_told(&self, now: Moment) -> Option<(Signal, Duration)> {
        self.told.last().map(|told| (told.signal, now.since(told.at)))
    }
}

/// Of so many children of a shell it is noted how often they have slept.
const SLEEPS_MAX: usize = 200;

/// A shell at the moment when it was told.
#[derive(Clone, Debug)]
pub struct TrappingShell {
    /// Which.
    pub kind: Shell,
    /// Where it slept.
    pub sleep: Option<Sleep>,
    /// The children it had, by their pids.
    pub children: Vec<Identity>,
    /// How often each of them had gone to sleep.
    pub sleeps: Vec<Option<u64>>,
    /// Their command lines, where the signal is one of the keyboard: a shell that loops is known by
    /// what it runs again.
    pub commands: Vec<Option<String>>,
}

impl TrappingShell {
    /// What the shell does as it is told this signal, with these children.
    pub(crate) fn now(
        kind: Shell,
        pid: Pid,
        children: &[Process],
        signal: Signal,
        details: &dyn Details,
    ) -> Self {
        let commands = match Signal::KEYBOARD.contains(&signal) {
            true => children.iter().map(|child| details.command(child.id.pid)).collect(),
            false => Vec::new(),
        };
        let few = children.iter().take(SLEEPS_MAX);
        Self {
            kind,
            sleep: details.sleep(pid),
            children: children.iter().map(|child| child.id).collect(),
            sleeps: few.map(|child| details.sleeps(child.id.pid)).collect(),
            commands,
        }
    }

    /// Whether it had this child.
    pub(crate) fn had(&self, child: Identity) -> bool {
        self.children.binary_search(&child).is_ok()
    }

    /// Whether this child of it has slept on since the shell was told, and so has heard of nothing.
    pub(crate) fn child_sleeps_on(&self, child: Identity, sleeps: Option<u64>) -> bool {
        self.children
            .binary_search(&child)
            .is_ok_and(|index| sleeps.is_some() && self.sleeps.get(index) == Some(&sleeps))
    }
}

/// All that the stop concerned.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<Identity, Entry>,
}

impl Ledger {
    /// What is known of this process.
    #[must_use]
    pub fn get(&self, id: Identity) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// What is known of the latest process that had this pid.
    #[must_use]
    pub fn of(&self, pid: Pid) -> Option<&Entry> {
        self.entries.range(all_of(pid)).next_back().map(|(_, entry)| entry)
    }

    /// Whether the process has been told this signal.
    #[must_use]
    pub fn was_told(&self, id: Identity, signal: Signal) -> bool {
        self.get(id).is_some_and(|entry| entry.told.iter().any(|told| told.signal == signal))
    }

    /// All entries, by pid.
    pub fn iter(&self) -> impl Iterator<Item = (Identity, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    /// How many processes it knows of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it knows of none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Writes down that the process is told, and gives its entry for what else is known.
    pub fn tell(
        &mut self,
        tree: &Tree,
        process: &Process,
        telling: Telling,
        disposition: Disposition,
    ) -> &mut Entry {
        let entry = self.entries.entry(process.id).or_insert_with(|| Entry {
            name: process.name,
            command: None,
            told: Vec::with_capacity(1),
            disposition,
            told_ticks: tree.now(),
            shell: None,
            refused: false,
            left: None,
        });
        entry.told.push(telling);
        entry.disposition = disposition;
        entry
    }

    /// Writes down that the system did not let outro signal the process.
    pub fn refuse(&mut self, id: Identity) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.refused = true;
        }
    }

    /// Writes down the end of a child of outro's.
    pub fn reaped(&mut self, pid: Pid, status: ExitStatus, at: Moment) {
        if let Some((_, entry)) = self.entries.range_mut(all_of(pid)).next_back()
            && entry.left.is_none_or(|left| left.status.is_none())
        {
            entry.left = Some(Left { at, status: Some(status) });
        }
    }

    /// Writes down who is not in the tree any more.
    pub fn seen(&mut self, tree: &Tree, at: Moment) {
        if self.entries.is_empty() {
            return;
        }
        let mut alive: Vec<Identity> = tree
            .processes()
            .iter()
            .filter(|process| process.condition != Condition::Zombie)
            .map(|process| process.id)
            .collect();
        alive.sort_unstable();
        for (id, entry) in &mut self.entries {
            let is_alive = alive.binary_search(id).is_ok();
            match entry.left {
                None if !is_alive => entry.left = Some(Left { at, status: None }),
                // One look can miss it, when its parent ends between two reads.
                Some(Left { status: None, .. }) if is_alive => entry.left = None,
                None | Some(_) => {}
            }
        }
    }

    /// Writes down that nobody is left.
    pub fn all_left(&mut self, at: Moment) {
        for entry in self.entries.values_mut() {
            entry.left.get_or_insert(Left { at, status: None });
        }
    }

    /// Forgets everything: a new instance is another story.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Notes the command line of a process that it knows.
    pub fn name(&mut self, id: Identity, command: Option<String>) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.command = entry.command.take().or(command);
        }
    }
}

/// Every process that ever had this pid; only the latest can still be there.
fn all_of(pid: Pid) -> RangeInclusive<Identity> {
    Identity { pid, start: Ticks(0) }..=Identity { pid, start: Ticks(u64::MAX) }
}
