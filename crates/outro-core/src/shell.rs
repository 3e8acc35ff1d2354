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
//! - dash and busybox ash sleep in rt_sigsuspend in `wait`, and in wait4 for a foreground child.
//! - When a trap has run, the shell has gone on: it waits elsewhere (another call or another depth
//!   of its stack), or has a child that is younger than the telling.

use crate::{
    ledger::{Entry, Ledger, TrappingShell},
    process::{Details, Identity, OUTPUTS, Pipe, Process, Shell, SleepCall},
    signal::Signal,
    time::Moment,
};
use std::time::Duration;

/// How long a shell has to run its trap before outro looks whether it can.
pub const TRAP_PATIENCE: Duration = Duration::from_millis(150);

/// Whether the shell of this entry is held up by a foreground child: its trap has not run.
/// `children` are those that it has now.
#[must_use]
pub fn is_held_up(
    shell: &Process,
    entry: &Entry,
    children: &[Process],
    details: &dyn Details,
    now: Moment,
) -> bool {
    let Some(at_telling) = &entry.shell else { return false };
    let Some(told) = entry.told.first() else { return false };
    if now.since(told.at) < TRAP_PATIENCE {
        return false;
    }
    // Children that the trap itself started: it runs.
    let trap_has_started_one = children.iter().any(|child| is_younger(child, entry, at_telling));
    !trap_has_started_one
        && (at_telling.kind == Shell::Fish || waits_as_before(shell, at_telling, children, details))
}

fn is_younger(child: &Process, entry: &Entry, at_telling: &TrappingShell) -> bool {
    child.id.start > entry.told_ticks && !at_telling.children.contains(&child.id)
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
    at_telling.sleep.is_none_or(|before| before == sleep)
        && match (kind, sleep.call) {
            (_, SleepCall::Wait) => true,
            (Shell::Ash, SleepCall::Signal) => false,
            (Shell::Mksh | Shell::Fish | Shell::Other, SleepCall::Signal) => true,
            // A command substitution: the shell reads what its child writes, to the end.
            (_, SleepCall::Read(fd)) => details
                .pipe(pid, fd)
                .is_some_and(|pipe| children.iter().any(|child| writes(child, pipe, details))),
            (_, SleepCall::SignalWait | SleepCall::Other) => false,
        }
}

fn writes(process: &Process, pipe: Pipe, details: &dyn Details) -> bool {
    OUTPUTS
        .into_iter()
        .filter_map(|fd| details.pipe(process.id.pid, fd))
        .any(|output| pipe.writing_ends().any(|end| end == output))
}

/// Whether this child of a shell that was told is in its foreground, and was when it was told. fish
/// runs no trap while it waits for a job in the background either.
#[must_use]
pub fn is_foreground_child(
    child: &Process,
    siblings: &[Process],
    shell: &Process,
    entry: &Entry,
) -> bool {
    let Some(at_telling) = &entry.shell else { return false };
    let was_there =
        |it: &Process| it.id.start < entry.told_ticks || at_telling.children.contains(&it.id);
    let bears_the_sign = |it: &Process| {
        [Signal::INT, Signal::QUIT]
            .iter()
            .any(|signal| it.ignored.contains(*signal) && !shell.ignored.contains(*signal))
    };
    let sign_means_nothing = match at_telling.kind {
        Shell::Fish => true,
        // It is in wait4, so one of them is in the foreground: a program that ignores INT itself.
        Shell::Ash => siblings.iter().filter(|it| was_there(it)).all(bears_the_sign),
        Shell::Mksh | Shell::Other => false,
    };
    was_there(child) && (sign_means_nothing || !bears_the_sign(child))
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
    let is_gone = |id: &Identity| children.iter().all(|child| child.id != *id);
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
