//! Holding a process, so that its pid cannot come to mean another (pidfd_open(2)).

use crate::{Errno, check};
use outro_core::{process::Pid, signal::Signal};
use std::{
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr,
};

/// A process that is held.
#[derive(Debug)]
pub struct Pidfd(OwnedFd);

impl Pidfd {
    /// Holds the process that has this pid now.
    ///
    /// # Errors
    /// [`Errno::SRCH`] if there is none; EMFILE, ENFILE when outro has too many files open; ENOSYS
    /// before Linux 5.3.
    pub fn open(pid: Pid) -> Result<Self, Errno> {
        // SAFETY: pidfd_open(2) takes two integers and gives a new descriptor, or -1.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.0, 0) };
        check(fd)?;
        // SAFETY: the descriptor is new, and nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
    }

    /// Whether it has not been reaped.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.send_number(0) != Err(Errno::SRCH)
    }

    /// Signals it.
    ///
    /// # Errors
    /// [`Errno::SRCH`] when it has been reaped, [`Errno::PERM`].
    pub fn send(&self, signal: Signal) -> Result<(), Errno> {
        self.send_number(signal.number())
    }

    fn send_number(&self, number: i32) -> Result<(), Errno> {
        // SAFETY: pidfd_send_signal(2) with no siginfo touches no memory of ours.
        check(unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                number,
                ptr::null::<libc::siginfo_t>(),
                0,
            )
        })
    }
}
