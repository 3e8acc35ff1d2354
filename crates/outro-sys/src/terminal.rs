//! Who has the terminal (tcsetpgrp(3)).

use crate::{Errno, check};
use outro_core::process::Pid;
use std::os::fd::{AsRawFd, OwnedFd};

/// A terminal that outro has open.
#[derive(Debug)]
pub enum Terminal {
    /// Its standard input.
    Input,
    /// Opened for this.
    Opened(OwnedFd),
}

impl Terminal {
    /// outro's standard input, if it is a terminal and outro's group has it.
    #[must_use]
    pub fn in_foreground() -> Option<Self> {
        // SAFETY: plain calls on a descriptor number; no memory is touched.
        let (foreground, own) = unsafe { (libc::tcgetpgrp(0), libc::getpgrp()) };
        // Both are 0 where the group is one of an outer PID namespace.
        (foreground == own).then_some(Self::Input)
    }

    /// The controlling terminal, whatever standard input is.
    #[must_use]
    pub fn controlling() -> Option<Self> {
        let file = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        Some(Self::Opened(OwnedFd::from(file)))
    }

    /// Its descriptor.
    #[must_use]
    pub fn raw(&self) -> i32 {
        match self {
            Self::Input => 0,
            Self::Opened(fd) => fd.as_raw_fd(),
        }
    }

    /// Whether outro's own group is its foreground.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        // SAFETY: plain calls on numbers.
        unsafe { libc::tcgetpgrp(self.raw()) == libc::getpgrp() }
    }

    /// Whether this group is its foreground.
    #[must_use]
    pub fn is_given_to(&self, group: Pid) -> bool {
        // SAFETY: a plain call on a descriptor number.
        unsafe { libc::tcgetpgrp(self.raw()) == group.0 as i32 }
    }

    /// Makes a process group its foreground. SIGTTOU must be blocked.
    ///
    /// # Errors
    /// Those of tcsetpgrp(3): it may not be outro's controlling terminal.
    pub fn give(&self, group: Pid) -> Result<(), Errno> {
        // SAFETY: a plain call on a descriptor number.
        check(unsafe { libc::tcsetpgrp(self.raw(), group.0 as i32) })
    }

    /// Makes outro's own group its foreground.
    ///
    /// # Errors
    /// As [`Self::give`].
    pub fn take(&self) -> Result<(), Errno> {
        // SAFETY: plain calls on numbers.
        check(unsafe { libc::tcsetpgrp(self.raw(), libc::getpgrp()) })
    }
}

/// What became of [`detach`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detached {
    /// outro has no controlling terminal any more, and led its session: the kernel sends SIGHUP and SIGCONT.
    AsSessionLeader,
    /// outro has no controlling terminal any more.
    AsMember,
    /// It could not be given up.
    Failed(Errno),
}

/// Gives up the controlling terminal, so that a child's new session can have it.
#[must_use]
pub fn detach() -> Detached {
    // SAFETY: TIOCNOTTY takes no argument.
    let result = check(unsafe { libc::ioctl(0, libc::TIOCNOTTY) });
    // SAFETY: plain calls without arguments that matter.
    let leads = unsafe { libc::getsid(0) == libc::getpid() };
    match result {
        Err(errno) => Detached::Failed(errno),
        Ok(()) if leads => Detached::AsSessionLeader,
        Ok(()) => Detached::AsMember,
    }
}
