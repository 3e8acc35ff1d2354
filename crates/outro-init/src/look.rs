//! One look at `/proc`, with each process held by a pidfd.

use outro_core::{
    process::{Details, INPUT, Identity, Pid, Pipe, Process, Shell, Sleep, Tree},
    redact,
    signal::Signal,
};
use outro_sys::{Errno, clock, own, pidfd::Pidfd, proc, signals};

/// Who was there, each one held.
#[derive(Default)]
pub struct Look {
    /// What was seen.
    pub tree: Tree,
    /// By pid. A process that could not be held (no more files may be open) is not in here.
    held: Vec<(Pid, Pidfd)>,
}

/// The signals of which `/proc/PID/stat` knows; the others are in `status` alone.
const STANDARD_MAX: i32 = 31;

/// How many files must stay free for reading `/proc`, and for holding one after the other those beyond the limit.
const SPARE_FILES: usize = 16;

impl Look {
    /// Looks. `signal` is the one whose dispositions matter. `None` where `/proc` is not there, or
    /// not of outro's PID namespace.
    #[must_use]
    pub fn now(signal: Signal) -> Option<Self> {
        if !proc::is_ours() {
            return None;
        }
        let mut seen: Vec<Process> = Vec::new();
        let mut held: Vec<(Pid, Pidfd)> = Vec::new();
        let mut may_hold = true;
        for pid in proc::pids().ok()? {
            // Held before it is read: what is read is then of the held process, or that one has
            // ended and signalling it does nothing.
            let mut pidfd = may_hold.then(|| Pidfd::open(pid));
            let mut process = proc::process(pid);
            let is_out_of_files =
                |pidfd: &Result<Pidfd, Errno>| pidfd.as_ref().is_ok_and(Pidfd::is_alive);
            if matches!(pidfd, Some(Err(errno)) if errno.is_exhaustion())
                || process.is_none() && pidfd.as_ref().is_some_and(is_out_of_files)
            {
                // No more files may be open. Some are given back; whoever is not held is found again
                // when it is signalled.
                may_hold = false;
                pidfd = None;
                held.truncate(held.len().saturating_sub(SPARE_FILES));
                process = proc::process(pid);
            }
            let Some(mut process) = process else { continue };
            if signal.number() > STANDARD_MAX
                && let Some((handled, ignored)) = proc::signal_sets(pid)
            {
                process.handled = handled;
                process.ignored = ignored;
            }
            seen.push(process);
            held.extend(pidfd.and_then(Result::ok).map(|pidfd| (pid, pidfd)));
        }
        held.sort_unstable_by_key(|(pid, _)| *pid);
        Some(Self { tree: Tree::new(own::pid(), seen, clock::ticks()), held })
    }

    /// Signals exactly this process.
    ///
    /// # Errors
    /// [`Errno::SRCH`] when it has ended, [`Errno::PERM`].
    pub fn send(&self, id: Identity, signal: Signal) -> Result<(), Errno> {
        if let Ok(index) = self.held.binary_search_by_key(&id.pid, |(pid, _)| *pid) {
            match self.held[index].1.send(signal) {
                // It has ended; or its pid was given anew between the two reads, and it is the other
                // one that was held.
                Err(Errno::SRCH) => {}
                result => return result,
            }
        }
        let is_same = || proc::process(id.pid).is_some_and(|process| process.id == id);
        match Pidfd::open(id.pid) {
            Ok(pidfd) if is_same() => pidfd.send(signal),
            Ok(_) | Err(Errno::SRCH) => Err(Errno::SRCH),
            // No pidfd to be had: an old kernel, a sandbox, or no file left. The moment between
            // the check and the signal is as short as it can be.
            Err(_) if is_same() => signals::send(id.pid, signal),
            Err(_) => Err(Errno::SRCH),
        }
    }
}

/// What is looked up on demand.
pub struct ProcDetails;

/// A command line in a message is cut there.
const COMMAND_MAX: usize = 160;

impl Details for ProcDetails {
    fn shell(&self, pid: Pid) -> Option<Shell> {
        let executable = proc::executable(pid);
        // The first argument tells more where one file is many programs (busybox), where the
        // file is an emulator, or where outro may not know it.
        let first = || proc::arguments(pid)?.into_iter().next();
        let is_busybox = executable.as_deref().is_some_and(|name| name.starts_with("busybox"));
        if is_busybox {
            return matches!(base_name(&first()?), "sh" | "ash" | "busybox").then_some(Shell::Ash);
        }
        executable.as_deref().and_then(shell_of).or_else(|| shell_of(&first()?))
    }

    fn sleep(&self, pid: Pid) -> Option<Sleep> {
        proc::sleep(pid)
    }

    fn pipe(&self, pid: Pid, fd: u32) -> Option<Pipe> {
        proc::pipe(pid, fd)
    }

    fn own_input(&self) -> Option<Pipe> {
        proc::pipe(own::pid(), INPUT)
    }

    fn writes(&self, pid: Pid, end: Pipe) -> Option<bool> {
        proc::writes(pid, end)
    }

    fn read_ends(&self, pid: Pid) -> Vec<Pipe> {
        proc::read_ends(pid)
    }

    fn has_null_input_unlike(&self, pid: Pid, other: Pid) -> bool {
        proc::has_null_input_unlike(pid, other)
    }

    fn sleeps(&self, pid: Pid) -> Option<u64> {
        proc::sleeps(pid)
    }

    fn has_terminal(&self, pid: Pid) -> bool {
        proc::has_terminal(pid)
    }

    fn has_pending(&self, pid: Pid, signal: Signal) -> bool {
        proc::pending(pid).is_some_and(|pending| pending.contains(signal))
    }

    fn command(&self, pid: Pid) -> Option<String> {
        // Its command line may be beyond reach as long as that lasts, and whoever asks with it.
        if proc::is_uninterruptible(pid) {
            return None;
        }
        let arguments = proc::arguments(pid)?;
        Some(redact::command_line(arguments.iter().map(String::as_str), COMMAND_MAX))
    }
}

fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name).trim_start_matches('-')
}

/// The shell of this name, if it runs a trap only when its foreground child has ended. `-bash`,
/// `/bin/bash`, `bash5`, `bash-static` and `zsh-5.9` are all of them.
fn shell_of(name: &str) -> Option<Shell> {
    let name = base_name(name);
    let name = name.split_once(['-', '.']).map_or(name, |(before, _)| before);
    match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "dash" | "ash" => Some(Shell::Ash),
        "mksh" | "lksh" => Some(Shell::Mksh),
        "fish" => Some(Shell::Fish),
        "sh" | "bash" | "rbash" | "zsh" | "ksh" | "oksh" | "loksh" | "yash" | "posh" => {
            Some(Shell::Other)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_known_whatever_it_is_called_by() {
        for (name, shell) in [
            ("/bin/bash", Some(Shell::Other)),
            ("-zsh", Some(Shell::Other)),
            ("zsh-5.9", Some(Shell::Other)),
            ("bash5", Some(Shell::Other)),
            ("bash-static", Some(Shell::Other)),
            ("ksh93", Some(Shell::Other)),
            ("mksh-static", Some(Shell::Mksh)),
            ("dash", Some(Shell::Ash)),
            ("bashful", None),
            ("python3.11", None),
            ("", None),
        ] {
            assert_eq!(shell_of(name), shell, "{name}");
        }
    }
}
