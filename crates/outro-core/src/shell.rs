//! Shells that trap the signal.
//!
//! A shell runs its trap only when its foreground child has ended. Told alone, it would sit there
//! until the child is done, and the child would never hear of the stop. So a moment after such a
//! shell was told, and if it is still in the same wait, its foreground child is told too.
//!
//! A background child is another matter: the shell is in its `wait` builtin then, its trap runs at
//! once, and the child is its to stop. To be told by both is what many programs take for "now!".
//! Several signs tell the two apart; each was seen in dash, bash, busybox, zsh, mksh and ksh93:
//!
//! - In an asynchronous list SIGINT and SIGQUIT are ignored (POSIX, 2.11), in the shell they are
//!   not. But Node resets every disposition when it starts, so the sign may be missing.
//! - Without job control such a list has /dev/null as its standard input.
//! - dash and busybox ash sleep in rt_sigsuspend in `wait`, and in wait4 for a foreground child.
//! - When a trap has run, the shell has gone on: it waits elsewhere (another call or another depth
//!   of its stack), or has a child that is younger than the telling.

use crate::{
    ledger::{Entry, Ledger, TrappingShell},
    process::{Details, Disposition, INPUT, Identity, Pipe, Process, Shell, SleepCall},
    route::Walk,
    signal::Signal,
};
use std::time::Duration;

/// How long a shell has to run its trap before outro looks whether it can.
pub const TRAP_PATIENCE: Duration = Duration::from_millis(150);

/// A shell that was told and is held up by a child in its foreground: its trap has not run.
pub struct HeldUp {
    /// The children in its foreground.
    foreground: Vec<Identity>,
}

impl HeldUp {
    /// Whether the shell of this entry is held up. `children` are those that it has now.
    pub fn find(
        shell: &Process,
        entry: &Entry,
        children: &[Process],
        walk: &Walk<'_>,
    ) -> Option<Self> {
        let details = walk.details;
        let at_telling = entry.shell.as_ref()?;
        let told = entry.told.last()?;
        // The same again when one in the foreground has ended: now it can run.
        let ends = at_telling.children.iter().filter_map(|child| walk.ledger.get(*child)?.left);
        let last = ends.map(|left| left.at).chain([told.at]).max()?;
        if walk.now.since(last) < TRAP_PATIENCE {
            return None;
        }
        // It has given the trap up, as a trap does that wants no second one: it has run.
        if shell.disposition(told.signal) != Disposition::Handles {
            return None;
        }
        // Children that the trap itself started: it runs.
        if children.iter().any(|child| is_younger(child, entry, at_telling)) {
            return None;
        }
        // fish runs no trap while it waits for a job in the background either.
        let is_fish = at_telling.kind == Shell::Fish;
        if !is_fish && !waits_as_before(shell, at_telling, children, details) {
            return None;
        }
        let there: Vec<&Process> =
            children.iter().filter(|child| was_there(child, entry, at_telling)).collect();
        let sign_means_nothing = match at_telling.kind {
            Shell::Fish => true,
            // It is in wait4, so one of them is in the foreground: a program that ignores INT itself.
            Shell::Ash => there.iter().all(|child| bears_the_sign(child, shell)),
            Shell::Mksh | Shell::Other => false,
        };
        let may_be: Vec<&Process> = there
            .into_iter()
            .filter(|child| sign_means_nothing || !bears_the_sign(child, shell))
            .filter(|child| is_fish || !details.has_null_input_unlike(child.id.pid, shell.id.pid))
            .collect();
        let foreground = match is_fish {
            true => may_be.iter().map(|child| child.id).collect(),
            false => youngest_pipeline(&may_be, details),
        };
        Some(Self { foreground })
    }

    /// Whether this child is in the shell's foreground, and was when the shell was told.
    #[must_use]
    pub fn has_in_foreground(&self, child: &Process) -> bool {
        self.foreground.contains(&child.id)
    }
}

/// What a shell started last, and the others of that pipeline. What it started before is in the
/// background, or the shell would not have gone on; the trap may be about to tell it.
fn youngest_pipeline(children: &[&Process], details: &dyn Details) -> Vec<Identity> {
    let Some(last) = children.iter().max_by_key(|child| (child.id.start, child.id.pid)) else {
        return Vec::new();
    };
    let mut pipeline = vec![last.id];
    let mut next = 0;
    while next < pipeline.len() {
        if let Some(input) = details.pipe(pipeline[next].pid, INPUT) {
            let writers = children.iter().filter(|child| writes(child, input, details));
            let new: Vec<Identity> =
                writers.map(|child| child.id).filter(|id| !pipeline.contains(id)).collect();
            pipeline.extend(new);
        }
        next += 1;
    }
    pipeline
}

fn was_there(child: &Process, entry: &Entry, at_telling: &TrappingShell) -> bool {
    child.id.start < entry.told_ticks || at_telling.had(child.id)
}

/// POSIX's sign of a background job.
fn bears_the_sign(child: &Process, shell: &Process) -> bool {
    Signal::KEYBOARD
        .iter()
        .any(|signal| child.ignored.contains(*signal) && !shell.ignored.contains(*signal))
}

fn is_younger(child: &Process, entry: &Entry, at_telling: &TrappingShell) -> bool {
    child.id.start > entry.told_ticks && !at_telling.had(child.id)
}

/// Whether the shell sleeps where it slept when it was told, and may wait for a child there.
fn waits_as_before(
    shell: &Process,
    at_telling: &TrappingShell,
    children: &[Process],
    details: &dyn Details,
) -> bool {
    let pid = shell.id.pid;
    let Some(kind) = details.shell(pid) else {
        // It runs another program by now.
        return false;
    };
    let Some(sleep) = details.sleep(pid) else {
        // The system does not tell: the signs on the children must do.
        return true;
    };
    at_telling.sleep.is_none_or(|before| before == sleep || before.call == SleepCall::Running)
        && match (kind, sleep.call) {
            (_, SleepCall::Wait) => true,
            (Shell::Ash, SleepCall::Signal) => false,
            (Shell::Mksh | Shell::Fish | Shell::Other, SleepCall::Signal) => true,
            // A command substitution: the shell reads what its child writes, to the end.
            (_, SleepCall::Read(fd)) => details
                .pipe(pid, fd)
                .is_some_and(|pipe| children.iter().any(|child| writes(child, pipe, details))),
            (_, SleepCall::SignalWait | SleepCall::Running | SleepCall::Other) => false,
        }
}

/// Whether it writes what is read there; where the system does not tell, it may.
fn writes(process: &Process, pipe: Pipe, details: &dyn Details) -> bool {
    pipe.is_written_by(process.id.pid, details).unwrap_or(true)
}

/// Whether a shell that was told a signal of the keyboard goes on with a loop: it runs again what
/// outro has stopped in its foreground. bash does so when that program took the signal and
/// left by itself, as it then takes the keypress for the program's affair. A command of a trap
/// is another one than the program.
#[must_use]
pub fn loops_on(
    entry: &Entry,
    children: &[Process],
    ledger: &Ledger,
    details: &dyn Details,
) -> bool {
    let Some(at_telling) = &entry.shell else { return false };
    // Children stand by their pids.
    let is_gone = |id: &Identity| {
        children
            .binary_search_by_key(&id.pid, |child| child.id.pid)
            .map_or(true, |index| children[index].id != *id)
    };
    let stopped: Vec<&str> = at_telling
        .children
        .iter()
        .zip(&at_telling.commands)
        .filter(|(id, _)| is_gone(id))
        .flat_map(|(id, command)| {
            // It may have been just forked when the shell was told.
            [command.as_ref(), ledger.get(*id).and_then(|entry| entry.command.as_ref())]
        })
        .flatten()
        .map(String::as_str)
        .collect();
    let runs_again = |child: &Process| {
        details.command(child.id.pid).is_some_and(|command| stopped.contains(&command.as_str()))
    };
    !stopped.is_empty()
        && children.iter().any(|child| is_younger(child, entry, at_telling) && runs_again(child))
}
