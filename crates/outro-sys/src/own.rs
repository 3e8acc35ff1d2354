//! What outro asks of the kernel for itself.

use crate::{Errno, check};
use outro_core::{process::Pid, signal::Signal};
use std::os::fd::OwnedFd;

/// outro's own pid.
#[must_use]
pub fn pid() -> Pid {
    Pid(std::process::id())
}

/// Makes outro the one that orphans below it are given to (prctl(2), PR_SET_CHILD_SUBREAPER).
///
/// # Errors
/// EINVAL before Linux 3.4.
pub fn become_subreaper() -> Result<(), Errno> {
    // SAFETY: this option takes an integer.
    check(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })
}

/// Whether orphans below outro are given to it, other than by its being PID 1.
#[must_use]
pub fn is_subreaper() -> bool {
    let mut is_one: libc::c_int = 0;
    // SAFETY: this option writes an int to the pointer that it is given.
    let result =
        unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, std::ptr::from_mut(&mut is_one)) };
    result == 0 && is_one != 0
}

/// The signal that outro gets when its parent ends (PR_SET_PDEATHSIG).
///
/// # Errors
/// EINVAL for a signal that is none.
pub fn set_parent_death_signal(signal: Signal) -> Result<(), Errno> {
    // SAFETY: this option takes an integer.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal.number()) })
}

/// Stops outro itself until it is continued (SIGSTOP). Nothing happens to PID 1, which the kernel
/// does not stop for anyone in its namespace.
pub fn suspend() {
    // SAFETY: kill(2) touches no memory of ours.
    unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
}

/// How many files may be open: the soft limit as it was, for the children.
#[derive(Clone, Copy)]
pub struct OpenFiles(pub(crate) libc::rlimit);

/// Raises the soft limit of open files to the hard one, as a stop holds one for each descendant.
/// Gives the limit as it was, if it was changed.
#[must_use]
pub fn raise_open_files() -> Option<OpenFiles> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid to write to.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    if result != 0 || limit.rlim_cur == limit.rlim_max {
        return None;
    }
    let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
    // SAFETY: `raised` is valid to read.
    (unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raised) } == 0).then_some(OpenFiles(limit))
}

/// Makes the root outro's own directory, so that it keeps no file system from being unmounted. Gives
/// the one before, for the program, if that can be had.
///
/// # Errors
/// Those of chdir(2).
pub fn leave_directory() -> Result<Option<OwnedFd>, Errno> {
    let before = std::fs::File::open(".").ok().map(OwnedFd::from);
    // SAFETY: a constant, NUL-terminated path.
    check(unsafe { libc::chdir(c"/".as_ptr()) })?;
    Ok(before)
}

/// Closes what outro inherited beyond the three standard descriptors: an init that holds the end of
/// a pipe keeps that pipe's reader waiting. `except` stays open.
pub fn close_inherited(except: Option<i32>) {
    let close = |first: u32, last: u32| {
        if first <= last {
            // SAFETY: outro uses none of these, and nobody holds them as owned descriptors. An
            // old kernel says ENOSYS; then they stay open.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
    };
    match except.and_then(|fd| u32::try_from(fd).ok()).filter(|fd| *fd > 2) {
        None => close(3, u32::MAX),
        Some(fd) => {
            close(3, fd - 1);
            close(fd + 1, u32::MAX);
        }
    }
}

/// Ends outro at once, without the destructors of the C library: PID 1 has nothing to tidy.
pub fn leave(code: u8) -> ! {
    // SAFETY: _exit does not return.
    unsafe { libc::_exit(i32::from(code)) }
}
