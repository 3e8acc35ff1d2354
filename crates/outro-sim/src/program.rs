//! What a process does: a program is a name and a script.
//!
//! A script is a list of steps. Handlers are scripts too; one runs on top of what it interrupts.
//! [`crate::cast`] has the programs that one meets.

use outro_core::{
    process::Shell,
    signal::{Signal, SignalSet},
};
use std::{sync::Arc, time::Duration};

/// Steps, one after the other. A process whose script is over exits with 0.
pub type Script = Arc<[Step]>;

/// What a process runs.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its short name.
    pub name: Arc<str>,
    /// If it is a shell that runs traps only when no child is in its foreground.
    pub shell: Option<Shell>,
    /// Whether outro may signal it.
    pub access: Access,
    /// What it does.
    pub script: Script,
}

/// Whether outro may signal a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It may.
    Permitted,
    /// It may not: EPERM.
    Refused,
}

/// One thing that a process does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Works, or sleeps, for so long.
    Work(Duration),
    /// Writes to its standard output: SIGPIPE if that is a pipe which nobody reads any more.
    Print,
    /// Waits for signals.
    Pause,
    /// Makes a pipe.
    Pipe,
    /// Starts a child.
    Start(Child),
    /// Waits for all children in its foreground.
    WaitFront,
    /// Waits for the end of a child. A shell's trap ends the wait.
    WaitAny,
    /// Waits until it has no child. A shell's trap ends the wait.
    WaitAll,
    /// Runs a script when one of these signals comes.
    Catch(SignalSet, Script),
    /// Ignores these signals.
    Ignore(SignalSet),
    /// Takes these signals as the kernel's default has it.
    Reset(SignalSet),
    /// Blocks these signals.
    Block(SignalSet),
    /// Waits for one of these signals, blocked ones, and runs the script (sigwait(3)).
    Await(SignalSet, Script),
    /// Signals each of its children.
    Tell(Signal),
    /// Signals its whole process group, itself included.
    TellGroup(Signal),
    /// Stops itself, as ^Z does.
    StopItself,
    /// Sleeps where not even SIGKILL wakes it.
    Hang(Duration),
    /// Leads a new process group (and session).
    Lead,
    /// Becomes the one that orphans below it are given to.
    Adopt,
    /// Runs another program in its place (exec).
    Become(Program),
    /// Reads its standard input up to the end.
    ReadToEnd,
    /// Reads the pipe that it made last up to the end.
    Listen,
    /// Ends by the signal whose handler this is, as it would have without a handler.
    DieOfIt,
    /// The same, unless a child was in its foreground and ended otherwise. bash does so with SIGINT.
    DieAsChildDid,
    /// Ends by this signal.
    DieOf(Signal),
    /// Exits.
    Exit(u8),
    /// Exits, if it has no child.
    ExitIfAlone(u8),
    /// Begins this script again.
    Again,
    /// Begins this script again, unless its standard input is at its end.
    AgainUnlessEnd,
}

/// A child, as its parent starts it.
#[derive(Clone, Debug)]
pub struct Child {
    /// What it runs.
    pub program: Program,
    /// Where it runs.
    pub place: Place,
    /// How it comes to run its program.
    pub birth: Birth,
    /// Its standard input.
    pub input: Plug,
    /// Its standard output.
    pub output: Plug,
}

/// Where a child runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In its parent's foreground.
    Front,
    /// As `&` starts it: SIGINT and SIGQUIT are ignored (POSIX, 2.11).
    Background,
    /// Beside its parent, as a program starts another.
    Beside,
}

/// How a child comes to run its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    /// By exec, a moment after the fork. Until then all signals are blocked, as posix_spawn(3) and
    /// the shells have it, and the child looks like its parent.
    Exec,
    /// By fork alone: what its parent catches, it catches too.
    Fork,
}

/// Where a standard stream of a child leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plug {
    /// To where its parent's leads.
    Inherited,
    /// To the pipe that its parent made last.
    Newest,
    /// To the one that its parent made before that.
    Before,
}

impl Program {
    /// A program of this name.
    #[must_use]
    pub fn new(name: &str, script: impl Into<Script>) -> Self {
        Self {
            name: Arc::from(name),
            shell: None,
            access: Access::Permitted,
            script: script.into(),
        }
    }

    /// The program as a shell.
    #[must_use]
    pub fn as_shell(mut self, shell: Shell) -> Self {
        self.shell = Some(shell);
        self
    }

    /// The program as one that outro may not signal.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.access = Access::Refused;
        self
    }

    /// The program, run by its parent's foreground.
    #[must_use]
    pub fn in_front(self) -> Child {
        self.at(Place::Front)
    }

    /// The program, run as `&` does.
    #[must_use]
    pub fn in_background(self) -> Child {
        self.at(Place::Background)
    }

    /// The program, run beside its parent.
    #[must_use]
    pub fn beside(self) -> Child {
        self.at(Place::Beside)
    }

    pub(crate) fn at(self, place: Place) -> Child {
        Child {
            program: self,
            place,
            birth: Birth::Exec,
            input: Plug::Inherited,
            output: Plug::Inherited,
        }
    }

    /// How long all that it and those below it do takes, one after the other and each step once.
    /// Waiting takes no time of its own.
    #[must_use]
    pub fn work(&self) -> Duration {
        work(&self.script)
    }

    /// Whether any step in it, or below it, is such a one.
    #[must_use]
    pub fn any(&self, is_such: &dyn Fn(&Step) -> bool) -> bool {
        any(&self.script, is_such)
    }

    /// How many processes it makes at most, itself included, if no script begins again.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + size(&self.script)
    }
}

fn work(script: &Script) -> Duration {
    script.iter().fold(Duration::ZERO, |sum, step| {
        let own =
            if let Step::Work(time) | Step::Hang(time) = step { *time } else { Duration::ZERO };
        sum.saturating_add(own).saturating_add(step.inner().map_or(Duration::ZERO, work))
    })
}

fn size(script: &Script) -> usize {
    script
        .iter()
        .map(|step| usize::from(matches!(step, Step::Start(_))) + step.inner().map_or(0, size))
        .sum()
}

fn any(script: &Script, is_such: &dyn Fn(&Step) -> bool) -> bool {
    script.iter().any(|step| is_such(step) || step.inner().is_some_and(|inner| any(inner, is_such)))
}

impl Step {
    /// The script that the step holds.
    fn inner(&self) -> Option<&Script> {
        if let Self::Catch(_, script) | Self::Await(_, script) = self {
            Some(script)
        } else if let Self::Start(Child { program, .. }) | Self::Become(program) = self {
            Some(&program.script)
        } else {
            None
        }
    }
}

impl Child {
    /// The child with its standard input from a pipe.
    #[must_use]
    pub fn reads(mut self, plug: Plug) -> Self {
        self.input = plug;
        self
    }

    /// The child with its standard output to a pipe.
    #[must_use]
    pub fn writes(mut self, plug: Plug) -> Self {
        self.output = plug;
        self
    }

    /// The child by fork alone.
    #[must_use]
    pub fn forked(mut self) -> Self {
        self.birth = Birth::Fork;
        self
    }
}
