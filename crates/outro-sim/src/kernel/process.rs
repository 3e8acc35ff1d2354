//! One process of the simulated kernel.

use crate::program::{Access, Place, Program, Script};
use outro_core::{
    exit::ExitStatus,
    process::{Condition, Disposition, Identity, Pid, Pipe, Ticks},
    signal::{DefaultAction, Signal, SignalSet},
    time::Moment,
};
use std::sync::Arc;

/// A process for good: its pid may come to mean another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(pub u32);

/// Where a process stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Forked, and not yet running its own program: all signals are blocked, and it looks like its
    /// parent.
    Starting,
    /// It runs.
    Running,
    /// Ended, and not reaped.
    Zombie(ExitStatus),
    /// Reaped: its pid is free.
    Gone,
}

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its pid and when it started.
    pub id: Identity,
    /// Its parent; `None` for outro.
    pub parent: Option<Serial>,
    /// The number of its process group.
    pub group: Pid,
    /// Whose group that is: a number may come to mean another group.
    pub group_leader: Serial,
    /// Where it stands in its life.
    pub life: Life,
    /// When it ended.
    pub ended_at: Option<Moment>,
    /// What it runs.
    pub program: Program,
    /// What it is called: by its parent's name until it runs its own program.
    pub name: Arc<str>,
    /// Where its parent runs it.
    pub place: Place,
    /// Stopped by job control.
    pub is_stopped: bool,
    /// Whether orphans below it are given to it.
    pub adopts: bool,
    /// Its children that are not reaped.
    pub children: Vec<Serial>,
    /// Its standard input.
    pub input: Option<Pipe>,
    /// Its standard output.
    pub output: Option<Pipe>,
    /// The pipe of its own that it reads.
    pub listens_to: Option<Pipe>,
    /// Whether its standard input is /dev/null.
    pub has_null_input: bool,
    /// How often it has gone to sleep.
    pub sleeps: u64,
    /// When it became outro's child, if it was another's before.
    pub adopted_at: Option<Moment>,
    /// When a child in its foreground ended.
    pub front_ended_at: Option<Moment>,
    /// Whether another process has signalled their whole group.
    pub heard_from_group: bool,
    pub(super) caught: Vec<(SignalSet, Script)>,
    pub(super) ignored: SignalSet,
    /// What it ignored when it began to run its program.
    pub(super) ignored_on_entry: SignalSet,
    pub(super) blocked: SignalSet,
    pub(super) pending: SignalSet,
    /// The scripts that run, each on top of what it interrupted.
    pub(super) frames: Vec<Frame>,
    /// Signals whose trap waits for the foreground.
    pub(super) traps: Vec<Signal>,
    /// The pipes that it made.
    pub(super) pipes: Vec<Pipe>,
    /// How the last child in its foreground ended; `None` if a handler runs with nobody there.
    pub(super) front_status: Option<ExitStatus>,
    pub(super) hangs_until: Option<Moment>,
    /// When it goes on.
    pub(super) wakes_at: Option<Moment>,
}

/// A script that runs.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) script: Script,
    pub(super) next: usize,
    pub(super) waiting: Waiting,
    /// The signal whose handler this is.
    pub(super) signal: Option<Signal>,
}

/// What a script waits for.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    Nothing,
    Until(Moment),
    Signals,
    Front,
    Any,
    All,
    OneOf(SignalSet, Script),
    End,
    EndOf(Pipe),
}

impl Frame {
    pub(super) fn new(script: &Script, signal: Option<Signal>) -> Self {
        Self { script: script.clone(), next: 0, waiting: Waiting::Nothing, signal }
    }
}

impl Process {
    /// Whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(self.life, Life::Starting | Life::Running)
    }

    /// Whether outro may signal it.
    #[must_use]
    pub fn access(&self) -> Access {
        self.program.access
    }

    /// What `/proc` says that it is about.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match self.life {
            Life::Zombie(_) | Life::Gone => Condition::Zombie,
            Life::Starting | Life::Running if self.is_stopped => Condition::Stopped,
            Life::Starting | Life::Running => Condition::Alive,
        }
    }

    /// The signals that it catches.
    #[must_use]
    pub fn caught(&self) -> SignalSet {
        self.caught.iter().fold(SignalSet::EMPTY, |set, (signals, _)| set.union(*signals))
    }

    /// The signals that it blocks.
    #[must_use]
    pub fn blocked(&self) -> SignalSet {
        match self.life {
            Life::Starting => SignalSet::from_mask(u64::MAX),
            Life::Running | Life::Zombie(_) | Life::Gone => self.blocked,
        }
    }

    /// The signals that `/proc` shows as blocked: not those that it is just waiting for.
    #[must_use]
    pub fn shown_as_blocked(&self) -> SignalSet {
        match self.frames.last() {
            Some(Frame { waiting: Waiting::OneOf(signals, _), .. }) => {
                without(self.blocked(), *signals)
            }
            Some(_) | None => self.blocked(),
        }
    }

    /// The signals that it ignores.
    #[must_use]
    pub fn ignored(&self) -> SignalSet {
        self.ignored
    }

    /// How it takes a signal, once it runs its own program.
    #[must_use]
    pub fn disposition(&self, signal: Signal) -> Disposition {
        let caught = self.life == Life::Running && self.caught().contains(signal);
        if caught || self.blocked.contains(signal) {
            Disposition::Handles
        } else if self.ignored.contains(signal) || signal.default_action() == DefaultAction::Ignore
        {
            Disposition::Ignores
        } else {
            Disposition::Default
        }
    }

    /// Whether the signal was sent to it, and waits for it to take it.
    #[must_use]
    pub fn has_pending(&self, signal: Signal) -> bool {
        self.pending.contains(signal)
    }

    /// Whether it is a shell with a trap that waits for its foreground.
    #[must_use]
    pub fn is_held_up(&self) -> bool {
        !self.traps.is_empty()
    }

    /// Which of these signals it can catch or reset. A shell cannot have those that were ignored when
    /// it was started (POSIX, 2.11).
    pub(super) fn own(&self, signals: SignalSet) -> SignalSet {
        match self.program.shell {
            Some(_) => without(signals, self.ignored_on_entry),
            None => signals,
        }
    }

    pub(super) fn handler(&self, signal: Signal) -> Option<&Script> {
        self.caught.iter().rev().find(|(set, _)| set.contains(signal)).map(|(_, script)| script)
    }

    /// The first signal that can be delivered now: SIGKILL, or the lowest number.
    pub(super) fn deliverable(&self) -> Option<Signal> {
        if self.pending.contains(Signal::KILL) {
            return Some(Signal::KILL);
        }
        let open = self.pending.mask() & !self.blocked().mask();
        Signal::new(open.trailing_zeros() as i32 + 1)
    }

    pub(super) fn forget(&mut self, signal: Signal) {
        self.pending = without(self.pending, SignalSet::EMPTY.with(signal));
    }

    pub(super) fn start_ticks(now: Moment) -> Ticks {
        Ticks(now.since_start().as_millis() as u64 / outro_core::process::TICK_MS)
    }
}

/// What is in the first set and not in the second.
pub(super) fn without(set: SignalSet, others: SignalSet) -> SignalSet {
    SignalSet::from_mask(set.mask() & !others.mask())
}
