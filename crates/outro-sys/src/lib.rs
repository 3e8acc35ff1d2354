//! The Linux that outro needs, behind safe types. The only crate with unsafe code.
//!
//! | module | owns |
//! |---|---|
//! | [`inherited`] | signals blocked before `main`, and how they were before |
//! | [`signals`] | waiting for signals, and sending them |
//! | [`spawn`] | starting the program: all that runs between fork and exec |
//! | [`wait`] | reaping |
//! | [`proc`] | reading `/proc` |
//! | [`pidfd`] | holding a process so that its pid cannot come to mean another |
//! | [`terminal`] | who has the terminal |
//! | [`output`] | writing a message without ever being held up |
//! | [`own`] | what outro asks of the kernel for itself |
//! | [`clock`] | the clocks |
//! | [`arena`] | the allocator |

pub mod arena;
pub mod clock;
pub mod inherited;
pub mod output;
pub mod own;
pub mod pidfd;
pub mod proc;
pub mod signals;
pub mod spawn;
pub mod terminal;
pub mod wait;

/// An error number of the kernel's (errno(3)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

impl Errno {
    /// No such process.
    pub const SRCH: Self = Self(libc::ESRCH);
    /// Not permitted.
    pub const PERM: Self = Self(libc::EPERM);
    /// No such file.
    pub const NOENT: Self = Self(libc::ENOENT);
    /// A part of the path is no directory.
    pub const NOTDIR: Self = Self(libc::ENOTDIR);
    /// Access denied.
    pub const ACCES: Self = Self(libc::EACCES);

    /// Whether it says that outro, or the machine, has no file or memory left for this.
    #[must_use]
    pub const fn is_exhaustion(self) -> bool {
        matches!(self.0, libc::EMFILE | libc::ENFILE | libc::ENOMEM)
    }

    /// What the last call left.
    fn last() -> Self {
        Self(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }
}

impl std::fmt::Display for Errno {
    /// As strerror(3) says it: `No such file or directory`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = std::io::Error::from_raw_os_error(self.0).to_string();
        formatter.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

/// The result of a call that gives 0 or -1.
fn check(result: impl Into<i64>) -> Result<(), Errno> {
    if result.into() < 0 { Err(Errno::last()) } else { Ok(()) }
}
