//! One look at `/proc`, with each process held by a pidfd.

use outro_core::{
    process::{Details, Identity, Pid, Pipe, Process, Shell, Sleep, Tree},
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

/// How many files must stay free for reading `/proc`, and for holding those beyond the limit one by one.
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
        let held_max = own::open_files_max().saturating_sub(SPARE_FILES);
        for pid in proc::pids().ok()? {
            // Held before it is read: what is read is then of the held process, or that one has
            // ended and signalling it does nothing.
            let pidfd = (held.len() < held_max).then(|| Pidfd::open(pid).ok()).flatten();
            let Some(mut process) = proc::process(pid) else { continue };
            if signal.number() > STANDARD_MAX
                && let Some((handled, ignored)) = proc::signal_sets(pid)
            {
                process.handled = handled;
                process.ignored = ignored;
            }
            seen.push(process);
            held.extend(pidfd.map(|pidfd| (pid, pidfd)));
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

/// Shells that run a trap only when their foreground child has ended.
const SHELLS: [&str; 8] = ["sh", "bash", "rbash", "zsh", "ksh", "ksh93", "yash", "posh"];

/// A command line in a message is cut there.
const COMMAND_MAX: usize = 160;

impl Details for ProcDetails {
    fn shell(&self, pid: Pid) -> Option<Shell> {
        let executable = proc::executable(pid);
        let name = match executable.as_deref() {
            // One file for many programs: the first argument says which.
            Some("busybox") => proc::arguments(pid)?.first().map(|name| shell_name(name))?,
            Some(name) => shell_name(name),
            // Not permitted to know; the short name is that of the script, if it is one.
            None => proc::process(pid)?.name.to_string(),
        };
        match name.as_str() {
            "dash" | "ash" | "busybox" => Some(Shell::Ash),
            "mksh" | "lksh" => Some(Shell::Mksh),
            "fish" => Some(Shell::Fish),
            // Where `sh` is a file of its own, nothing says which shell it is.
            "sh" if executable.as_deref() == Some("busybox") => Some(Shell::Ash),
            name if SHELLS.contains(&name) => Some(Shell::Other),
            _ => None,
        }
    }

    fn sleep(&self, pid: Pid) -> Option<Sleep> {
        proc::sleep(pid)
    }

    fn pipe(&self, pid: Pid, fd: u32) -> Option<Pipe> {
        proc::pipe(pid, fd)
    }

    fn command(&self, pid: Pid) -> Option<String> {
        let arguments = proc::arguments(pid)?;
        Some(redact::command_line(arguments.iter().map(String::as_str), COMMAND_MAX))
    }
}

/// `-bash` and `/bin/bash` are bash; `bash5` and `zsh-5.9` are named for their version.
fn shell_name(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name).trim_start_matches('-');
    match base.split_once('-') {
        Some((before, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => before,
        _ => base,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_known_whatever_it_is_called_by() {
        for (name, shell) in
            [("/bin/bash", "bash"), ("-zsh", "zsh"), ("zsh-5.9", "zsh"), ("sh", "sh")]
        {
            assert_eq!(shell_name(name), shell);
        }
    }
}
