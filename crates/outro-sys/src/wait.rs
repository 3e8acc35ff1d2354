//! Reaping. The calls here are the only ones that take a child's wait status.

use outro_core::{exit::ExitStatus, process::Pid, signal::Signal};
use std::ptr;

/// What wait(2) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// A child has ended, and is reaped.
    Ended {
        /// Its pid, which is free for reuse now.
        pid: Pid,
        /// How it ended.
        status: ExitStatus,
    },
    /// A child was stopped.
    Stopped {
        /// Its pid.
        pid: Pid,
        /// By this signal.
        signal: Signal,
    },
    /// There are children, and nothing new of them.
    Nothing,
    /// There is no child.
    Childless,
}

/// Takes the next wait status of any child, without waiting.
#[must_use]
pub fn next() -> Waited {
    loop {
        let mut status = 0;
        // SAFETY: `status` is valid to write to.
        let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG | libc::WUNTRACED) };
        if pid == 0 {
            return Waited::Nothing;
        }
        if pid < 0 {
            return match crate::Errno::last().0 {
                libc::EINTR => continue,
                _ => Waited::Childless,
            };
        }
        if let Some(waited) = read(Pid(pid as u32), status) {
            return waited;
        }
    }
}

/// How the child has ended, if it has, without reaping it: its pid stays its own until
/// [`next`] is called.
#[must_use]
pub fn peek_ended(pid: Pid) -> Option<ExitStatus> {
    // SAFETY: all zeroes is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` is valid to write to.
    let result = unsafe { libc::waitid(libc::P_PID, pid.0, ptr::from_mut(&mut info), flags) };
    if result != 0 || info.si_signo == 0 {
        return None;
    }
    // SAFETY: waitid filled the siginfo in for a child, so si_status is there.
    let status = unsafe { info.si_status() };
    match info.si_code {
        libc::CLD_EXITED => Some(ExitStatus::Code(status as u8)),
        _ => Signal::new(status).map(ExitStatus::Signal),
    }
}

/// Takes the status of a child that never became the program, so that nobody takes it for one that ran.
/// Waits for its end, which is near.
pub(crate) fn discard(pid: Pid) {
    // SAFETY: no status is written to a null pointer.
    unsafe { libc::waitpid(pid.0 as i32, ptr::null_mut(), 0) };
}

fn read(pid: Pid, status: i32) -> Option<Waited> {
    if libc::WIFEXITED(status) {
        return Some(Waited::Ended {
            pid,
            status: ExitStatus::Code(libc::WEXITSTATUS(status) as u8),
        });
    }
    if libc::WIFSIGNALED(status) {
        let signal = Signal::new(libc::WTERMSIG(status))?;
        return Some(Waited::Ended { pid, status: ExitStatus::Signal(signal) });
    }
    let signal = Signal::new(libc::WSTOPSIG(status))?;
    Some(Waited::Stopped { pid, signal })
}
