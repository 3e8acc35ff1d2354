//! What is simulated: a program, what comes from outside, and the system around them.

use crate::{
    history::History,
    program::Program,
    promises::Broken,
    room::{Decide, Room},
};
use outro_core::{machine::Machine, settings::Settings, signal::Signal, time::Moment};
use std::time::Duration;

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct World {
    /// What outro is to run.
    pub main: Program,
    /// What comes from outside, and how long after the beginning; in order.
    pub outside: Vec<(Duration, Outside)>,
    /// The system.
    pub system: System,
    /// When the platform kills everyone, outro too.
    pub until: Duration,
    /// Where everyone ends when told to: how long that takes at most, from the telling on.
    pub obeys_within: Option<Duration>,
}

/// What comes from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// A signal to outro.
    Signal(Signal),
    /// A key of the terminal, which sends a signal to outro.
    Key(Signal),
}

/// The system around the processes, with its limits and faults.
#[derive(Clone, Debug)]
pub struct System {
    /// The highest pid.
    pub pid_max: u32,
    /// How long it takes at most to read one process.
    pub read_cost_max: Duration,
    /// How long outro may be kept from going on, once in a while.
    pub hiccup_max: Duration,
    /// Whether `/proc/PID/syscall` may be read.
    pub shows_sleep: bool,
    /// How many processes a look can hold.
    pub held_max: usize,
    /// From when on `/proc` cannot be read.
    pub blind_from: Option<Duration>,
    /// Starts of the program that fail, counted from 0.
    pub failing_starts: Vec<u32>,
    /// How a process is held.
    pub holding: Holding,
    /// How children are reaped.
    pub reaping: Reaping,
}

/// How a process is held from its being seen to its being signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// By a pidfd that is opened before the process is read. Where the pid is given to another
    /// process between the two, that one is seen and the first one is held; so whoever is found to
    /// be gone is looked for once more.
    ByPidfd,
    /// By that pidfd alone.
    ByFirstPidfd,
    /// By its pid alone, as kill(2) has it.
    ByPid,
}

/// How children are reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaping {
    /// Whoever has ended is reaped, one after the other.
    OneByOne,
    /// The main process is looked at, and then the others who have ended are reaped. Where it ends
    /// between the two its end is lost.
    MainFirst,
}

impl Default for System {
    fn default() -> Self {
        Self {
            pid_max: 300,
            read_cost_max: Duration::from_micros(50),
            hiccup_max: Duration::ZERO,
            shows_sleep: true,
            held_max: usize::MAX,
            blind_from: None,
            failing_starts: Vec::new(),
            holding: Holding::ByPidfd,
            reaping: Reaping::OneByOne,
        }
    }
}

/// How it came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What happened.
    pub history: History,
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
    /// The first promise that was broken.
    pub broken: Option<Broken>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// outro left with this code.
    Left(u8),
    /// The platform killed everyone.
    Killed,
    /// Nobody does anything any more, and nobody is waited for.
    Idle,
    /// outro broke a promise, and it went no further.
    Broken,
}

impl World {
    /// A world with this program, and nothing from outside for a minute.
    #[must_use]
    pub fn new(main: Program) -> Self {
        Self {
            main,
            outside: Vec::new(),
            system: System::default(),
            until: Duration::from_secs(60),
            obeys_within: None,
        }
    }

    /// The world with a signal to outro at this time, after those that it has.
    #[must_use]
    pub fn signal(mut self, at_ms: u64, signal: Signal) -> Self {
        self.outside.push((Duration::from_millis(at_ms), Outside::Signal(signal)));
        self
    }

    /// The world with a key at this time, after what it has.
    #[must_use]
    pub fn key(mut self, at_ms: u64, signal: Signal) -> Self {
        self.outside.push((Duration::from_millis(at_ms), Outside::Key(signal)));
        self
    }

    /// The world where everyone who is told is gone within this time.
    #[must_use]
    pub fn obeys_within(mut self, time: Duration) -> Self {
        self.obeys_within = Some(time);
        self
    }

    /// Runs it with outro's machine. The same seed gives the same history.
    #[must_use]
    pub fn run(&self, settings: &Settings, seed: u64) -> Outcome {
        self.run_with(Machine::new(settings.clone()), settings, seed)
    }

    /// Runs it with another machine.
    #[must_use]
    pub fn run_with(&self, machine: impl Decide, settings: &Settings, seed: u64) -> Outcome {
        Room::new(self, settings, machine, seed).run()
    }
}

impl System {
    pub(crate) fn is_blind(&self, began: Moment, now: Moment) -> bool {
        self.blind_from.is_some_and(|from| began + from <= now)
    }
}
