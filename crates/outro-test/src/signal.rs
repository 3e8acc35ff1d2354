//! Signals by number: the real-time ones included, which most safe APIs leave out.

use std::fmt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::signal::{Signal as Standard, kill};
use nix::unistd::Pid;

/// A signal, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal(pub i32);

/// SIGHUP
pub const HUP: Signal = Signal(1);
/// SIGINT
pub const INT: Signal = Signal(2);
/// SIGQUIT
pub const QUIT: Signal = Signal(3);
/// SIGKILL
pub const KILL: Signal = Signal(9);
/// SIGUSR1
pub const USR1: Signal = Signal(10);
/// SIGUSR2
pub const USR2: Signal = Signal(12);
/// SIGPIPE
pub const PIPE: Signal = Signal(13);
/// SIGTERM
pub const TERM: Signal = Signal(15);
/// SIGCONT
pub const CONT: Signal = Signal(18);
/// SIGSTOP
pub const STOP: Signal = Signal(19);
/// SIGTSTP
pub const TSTP: Signal = Signal(20);
/// SIGWINCH
pub const WINCH: Signal = Signal(28);

/// SIGRTMIN+n, as programs see it (the C library keeps 32 and 33 for itself).
#[must_use]
pub fn rtmin(n: i32) -> Signal {
    Signal(34 + n)
}

impl Signal {
    /// Sends it to a process by its PID here, outside of the namespace.
    pub(crate) fn send(self, pid: u32) {
        assert_ne!(pid, 0, "the namespace has ended; 0 would be the test's own group");
        let target = Pid::from_raw(i32::try_from(pid).expect("a PID fits"));
        match Standard::try_from(self.0) {
            // One that has just gone hears nothing; what is waited for next will tell.
            Ok(standard) => match kill(target, standard) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(e) => panic!("{self} to {pid}: {e}"),
            },
            Err(_) => {
                let sent =
                    Command::new("kill").arg(format!("-{}", self.0)).arg(pid.to_string()).status();
                assert!(sent.expect("kill runs").success(), "{self} to {pid}");
            }
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Standard::try_from(self.0) {
            Ok(standard) => f.write_str(standard.as_str()),
            Err(_) => write!(f, "signal {}", self.0),
        }
    }
}
