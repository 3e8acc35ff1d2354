//! A simulated machine for outro's core: what would happen, under which settings, and which
//! promise would be broken.
//!
//! ```
//! use outro_core::{settings::Settings, signal::Signal};
//! use outro_sim::{cast, world::{End, World}};
//! use std::time::Duration;
//!
//! // while true; do app; sleep 1; done, where app needs half a second to clean up.
//! let app = cast::cleans_up("app", Duration::from_millis(500));
//! let world = World::new(cast::shell_loop(app)).signal(300, Signal::TERM);
//! let outcome = world.run(&Settings::default(), 1);
//! assert_eq!(outcome.end, End::Left(143), "{}", outcome.history);
//! assert_eq!(outcome.history.told("app"), [Signal::TERM]);
//! assert!(outcome.broken.is_none());
//! ```
//!
//! | module | owns |
//! |---|---|
//! | [`program`] | what a process does: a script |
//! | [`cast`] | the programs that one meets |
//! | [`kernel`] | processes, parents, pids, signals, pipes, on a virtual clock |
//! | [`world`] | what is simulated: a program, what comes from outside, the system |
//! | [`room`] | outro's loop: the machine's actions carried out while everyone else goes on |
//! | [`promises`] | what must hold at every step |
//! | [`history`] | what happened, line by line |
//! | [`generate`] | worlds and settings by chance |
//!
//! It has no clock, thread or randomness of its own: a world, settings and a seed give one history.

pub mod cast;
pub mod generate;
pub mod history;
pub mod kernel;
pub mod program;
pub mod promises;
pub mod room;
pub mod world;
