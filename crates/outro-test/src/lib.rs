//! Starts an init as PID 1 of a PID namespace of its own, sends it signals, and tells what became
//! of everyone below it. Needs root.
//!
//! ```no_run
//! use outro_test::{Init, TERM, witness};
//!
//! let init = Init::outro()
//!     .args(["--route", "main", "--", "sh", "-c"])
//!     .arg(format!("{} app --on-term 0.5; echo after", witness()))
//!     .start();
//! init.wait_for("app ready");           // a line of the witness's log; 20 s at most
//! init.signal(TERM);                    // to PID 1 of the namespace
//! let exit = init.wait();
//! assert_eq!(exit.code, 143, "{exit}"); // `{exit}` prints output, log and report
//! assert_eq!(exit.log.told("app"), [TERM]);
//! assert!(exit.log.has("app cleaned"));
//! assert_eq!(exit.stdout, "");
//! ```
//!
//! - [`Init`] describes a start: any program will do as PID 1 (`Init::new("tini")`, a link of our
//!   binary by another name), with arguments, environment, a shell snippet that prepares the
//!   namespace ([`Init::prelude`]), or a terminal ([`Init::on_terminal`]).
//! - [`Running`] is the namespace: wait for a line, a file or the end, signal anyone in it. When it
//!   is dropped, everything in it is killed, and nobody may be left.
//! - [`witness`] is the command of a program that logs which signals it got and whether its
//!   clean-up ended; [`Log`] reads that log.
//! - [`Scenario`] is all of it in one sentence: command, signal, who is told what, exit code.
//! - [`Scratch`] is the folder of one test. It stays when the test fails.
//!
//! The binary under test is `$OUTRO`, else `target/debug/outro` of this workspace. A wait takes 20 s,
//! or `$OUTRO_TEST_PATIENCE` seconds, at most. Tests mostly wait: `RUST_TEST_THREADS=6` suits two
//! processors.

mod exit;
mod init;
mod log;
mod process;
mod programs;
mod running;
mod scenario;
mod scratch;
mod signal;
mod terminal;
mod wait;

pub use exit::Exit;
pub use init::Init;
pub use log::Log;
pub use process::Process;
pub use programs::{fixture, outro, python, require, venv, witness};
pub use running::Running;
pub use scenario::Scenario;
pub use scratch::Scratch;
pub use signal::{
    CONT, HUP, INT, KILL, PIPE, QUIT, STOP, Signal, TERM, TSTP, USR1, USR2, WINCH, rtmin,
};
pub use terminal::Terminal;
pub use wait::until;
