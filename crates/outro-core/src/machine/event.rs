//! What comes into the machine, and what comes out.

use crate::{
    exit::ExitStatus,
    process::{Details, Identity, Pid, Tree},
    signal::Signal,
};
use std::time::Duration;

/// What happened.
#[derive(Clone, Copy)]
pub enum Event<'a> {
    /// The program was started.
    Started {
        /// Its pid; it leads a process group of that number.
        pid: Pid,
    },
    /// It could not be started.
    NotStarted {
        /// The exit code that says why.
        code: u8,
    },
    /// outro got a signal (any but SIGCHLD, which only says that somebody may have ended).
    Signal {
        /// Which.
        signal: Signal,
        /// From whom.
        sender: Sender,
    },
    /// A child of outro ended, and is reaped now or right after this call.
    Ended {
        /// Its pid.
        pid: Pid,
        /// How.
        status: ExitStatus,
    },
    /// outro has no child, and so, being the first process or a subreaper, no descendant.
    Childless,
    /// The answer to [`Action::Look`].
    Seen {
        /// Who is there.
        tree: &'a Tree,
        /// What is looked up on demand.
        details: &'a dyn Details,
        /// How long the look took.
        took: Duration,
    },
    /// The answer to [`Action::Look`] where `/proc` cannot be read.
    Blind,
    /// The system did not permit to signal this process.
    Refused {
        /// Which.
        id: Identity,
    },
}

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The terminal, as ^C does.
    Terminal,
    /// A process, or the platform.
    Process,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start the program; the answer is [`Event::Started`] or [`Event::NotStarted`].
    Start,
    /// Look at the processes; the answer is [`Event::Seen`] or [`Event::Blind`].
    Look {
        /// The stop signal, whose dispositions matter.
        signal: Signal,
    },
    /// Signal exactly this process, never one that got its pid since.
    Tell {
        /// Which.
        id: Identity,
        /// The signal.
        signal: Signal,
    },
    /// Signal the main process, which is not reaped yet.
    TellMain {
        /// The signal.
        signal: Signal,
    },
    /// Signal a process group.
    TellGroup {
        /// Which.
        group: Pid,
        /// The signal.
        signal: Signal,
    },
    /// Make outro's own group the terminal's foreground, if the main process's group is that now.
    TakeTerminal {
        /// The main process, which has ended.
        from: Pid,
    },
    /// Take the wait status of everyone who has ended, and say if there is nobody
    /// ([`Event::Childless`]).
    Reap,
    /// Stop outro itself, as job control does, until it is continued.
    SuspendSelf,
    /// Tell people.
    Note(Note),
    /// Exit with this code.
    Leave {
        /// The code.
        code: u8,
    },
}

/// What people are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A stop was asked for.
    StopAsked {
        /// The signal that came.
        came: Signal,
        /// What it is passed on as.
        signal: Signal,
    },
    /// ^C was pressed while a stop goes on: once more ends it.
    PressAgain,
    /// A stop signal came again, and nobody is told twice.
    RepeatAbsorbed {
        /// Which.
        signal: Signal,
    },
    /// The program is started again.
    Restarting {
        /// How it had ended.
        status: ExitStatus,
        /// After this pause.
        pause: Duration,
    },
    /// It is not started again any more.
    GivenUp {
        /// How it had ended.
        status: ExitStatus,
        /// How often in a row it was started again.
        starts: u32,
    },
    /// `/proc` cannot be read, so the main process's group is told.
    Blind,
    /// A process was killed.
    Killed {
        /// Its pid.
        pid: Pid,
        /// Its command line, or its short name.
        name: String,
        /// How long it had been there.
        age: Duration,
        /// What it was told last, and how long before.
        told: Option<(Signal, Duration)>,
        /// The stop signal, if it ignores it.
        ignores: Option<Signal>,
    },
    /// A group was killed, as nobody could be seen.
    KilledBlindly {
        /// Which.
        group: Pid,
    },
    /// Others were killed too.
    MoreKilled(usize),
    /// outro left before this process did.
    LeftBehind {
        /// Its pid.
        pid: Pid,
        /// Its command line, or its short name.
        name: String,
        /// What it was told last, and how long before.
        told: Option<(Signal, Duration)>,
        /// The system did not permit to signal it.
        refused: bool,
    },
    /// outro left, and could not see whether others did.
    LeftBehindUnseen,
    /// Others were left behind too.
    MoreLeftBehind(usize),
}
