//! outro's decisions, without I/O.
//!
//! This crate holds no clock, file descriptor, environment, thread, randomness or log. Events and
//! the time come in, actions and deadlines go out; whoever owns a real (or a simulated) system
//! carries them out. See [`machine::Machine`] for the four calls.
//!
//! What is where:
//!
//! | module | owns |
//! |---|---|
//! | [`signal`] | signal numbers, their names, sets of them |
//! | [`time`] | a moment on the monotonic clock, and durations as people write them |
//! | [`process`] | what one look at `/proc` says of a process, and the tree of them |
//! | [`route`] | who gets a stop signal: the rules |
//! | [`filter`] | who is left to its end of file |
//! | [`shell`] | when a shell that traps the signal needs its child to be told |
//! | [`ledger`] | who was told what, when, and how each left |
//! | [`machine`] | the life of a PID 1: run, stop, wait, restart, leave |
//! | [`settings`] | what the machine is told to do |
//! | [`restart`] | whether and when the program is started again |
//! | [`grace`] | how long a platform waits before it kills, and what outro keeps of it |
//! | [`exit`] | exit codes, and their remapping |
//! | [`report`] | the exit report |
//! | [`redact`] | secrets on command lines |

pub mod exit;
pub mod filter;
pub mod grace;
pub mod ledger;
pub mod machine;
mod orphan;
pub mod process;
pub mod redact;
pub mod report;
pub mod restart;
pub mod route;
pub mod settings;
pub mod shell;
pub mod signal;
pub mod time;
