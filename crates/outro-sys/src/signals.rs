//! Waiting for signals, and sending them.

use crate::{Errno, check};
use outro_core::{
    process::Pid,
    signal::{Signal, SignalSet},
};
use std::{ptr, time::Duration};

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Which.
    pub signal: Signal,
    /// The sender's pid; 0 for the kernel and for a sender in another PID namespace.
    pub sender: Pid,
    /// Whether the kernel sent it, as it does for a terminal's ^C.
    pub from_kernel: bool,
}

/// Which signals are waited for; the others stay where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// All of them.
    All,
    /// All but SIGCHLD.
    AllButChild,
}

/// Waits for a signal, for at most this long (`None`: for ever). `None` when the time is over, or
/// when outro itself was stopped and continued in between.
///
/// All signals must be blocked, which [`crate::inherited`] sees to.
#[must_use]
pub fn wait(awaited: Awaited, timeout: Option<Duration>) -> Option<Received> {
    let set = match awaited {
        Awaited::All => u64::MAX,
        Awaited::AllButChild => !SignalSet::EMPTY.with(Signal::CHLD).mask(),
    };
    let time = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs() as _,
        tv_nsec: timeout.subsec_nanos() as _,
    });
    // SAFETY: all zeroes is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: the pointers are to a set of the size that is told, to a siginfo to write to, and to
    // a timespec or null, all of which outlive the call.
    let number = unsafe {
        libc::syscall(
            libc::SYS_rt_sigtimedwait,
            ptr::from_ref(&set),
            ptr::from_mut(&mut info),
            time.as_ref().map_or(ptr::null(), ptr::from_ref),
            size_of::<u64>(),
        )
    };
    let signal = Signal::new(i32::try_from(number).unwrap_or(0))?;
    // SAFETY: for every signal that is not one of a fault or a timer the kernel fills in si_pid;
    // for those the field overlays other plain integers, and is only compared.
    let sender = unsafe { info.si_pid() };
    Some(Received {
        signal,
        sender: Pid(u32::try_from(sender).unwrap_or(0)),
        from_kernel: info.si_code == libc::SI_KERNEL,
    })
}

/// Sends a signal to a process. Right only for a child that is not reaped yet: any other's pid may
/// name another process by now (see [`crate::pidfd`]).
///
/// # Errors
/// [`Errno::SRCH`], [`Errno::PERM`] (kill(2)).
pub fn send(pid: Pid, signal: Signal) -> Result<(), Errno> {
    // SAFETY: kill(2) touches no memory of ours.
    check(unsafe { libc::kill(pid.0 as i32, signal.number()) })
}

/// Sends a signal to a process group.
///
/// # Errors
/// [`Errno::SRCH`] if it has no member, [`Errno::PERM`] if none may be signalled.
pub fn send_group(group: Pid, signal: Signal) -> Result<(), Errno> {
    // 0 and 1 would mean outro's own group and every process there is.
    if group.0 <= 1 {
        return Err(Errno::SRCH);
    }
    // SAFETY: kill(2) touches no memory of ours.
    check(unsafe { libc::kill(-(group.0 as i32), signal.number()) })
}

/// What the C library calls a signal: `Terminated`, `User defined signal 1` (strsignal(3)).
#[must_use]
pub fn description(signal: Signal) -> String {
    // SAFETY: strsignal gives a text that stays valid until the next call; outro has one thread,
    // and the text is copied at once.
    let text = unsafe {
        let text = libc::strsignal(signal.number());
        if text.is_null() { c"Unknown signal" } else { std::ffi::CStr::from_ptr(text) }
    };
    text.to_string_lossy().into_owned()
}
