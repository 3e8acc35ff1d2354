//! Signals are blocked before anything else, `main` included.
//!
//! The kernel drops a signal that PID 1 has no handler for (pid_namespaces(7)), and ends any other
//! process by it. So a SIGTERM in the first moments would be lost, or end outro before it can pass
//! it on. A blocked one waits.
//!
//! The function below runs as one of the constructors that the C library calls before `main` (and
//! before Rust's own start, which makes SIGPIPE ignored). It is linked into every binary that asks
//! [`signals`] how things were.

use outro_core::signal::SignalSet;
use std::{
    ptr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// How the signals were when outro was started; its program gets them like that.
#[derive(Clone, Copy, Debug)]
pub struct Inherited {
    /// The blocked ones.
    pub blocked: SignalSet,
    /// Whether SIGPIPE was ignored (Rust's start-up ignores it).
    pub ignored_pipe: bool,
    /// Whether SIGCHLD was ignored (outro must not ignore it, or its children reap themselves).
    pub ignored_child: bool,
}

static BLOCKED: AtomicU64 = AtomicU64::new(0);
static IGNORED_PIPE: AtomicBool = AtomicBool::new(false);
static IGNORED_CHILD: AtomicBool = AtomicBool::new(false);

#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = block_all;

extern "C" fn block_all() {
    BLOCKED.store(set_mask(u64::MAX), Relaxed);
    IGNORED_PIPE.store(is_ignored(libc::SIGPIPE), Relaxed);
    if is_ignored(libc::SIGCHLD) {
        IGNORED_CHILD.store(true, Relaxed);
        // SAFETY: the default action is a valid disposition for SIGCHLD.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    }
}

/// How the signals were when outro was started.
#[must_use]
pub fn signals() -> Inherited {
    Inherited {
        blocked: SignalSet::from_mask(BLOCKED.load(Relaxed)),
        ignored_pipe: IGNORED_PIPE.load(Relaxed),
        ignored_child: IGNORED_CHILD.load(Relaxed),
    }
}

/// Blocks all signals once more. musl unblocks those that it keeps for its threads, 33 and 34, when
/// Rust's start-up sets its first handler; 34 is what everyone else calls RTMIN.
pub fn block_again() {
    set_mask(u64::MAX);
}

fn is_ignored(signal: i32) -> bool {
    // SAFETY: all zeroes is a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: with no new action the call only writes the old one to `action`.
    let result = unsafe { libc::sigaction(signal, ptr::null(), &mut action) };
    result == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// Sets the mask of blocked signals and gives the one before. The kernel's own call: those of the C
/// libraries keep the signals 32 and 33 for their threads, and outro passes on all.
pub(crate) fn set_mask(mask: u64) -> u64 {
    let mut before = 0_u64;
    // SAFETY: both pointers are to 8 bytes, which is the size that the call is told; it is
    // async-signal-safe and cannot fail with these arguments.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            ptr::from_ref(&mask),
            ptr::from_mut(&mut before),
            size_of::<u64>(),
        );
    }
    before
}
