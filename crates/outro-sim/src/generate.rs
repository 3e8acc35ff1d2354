//! Worlds and settings by chance, from a seed.
//!
//! Half of the worlds are obedient: everyone in them ends when the stop reaches it in the right way,
//! so outro must come to an end without killing anyone.

mod programs;

use crate::{
    cast,
    program::{Place, Program, Step},
    world::{Outside, System, World},
};
use outro_core::{
    restart::{RestartPolicy, RestartSettings},
    route::Route,
    settings::{Repeat, Settings, stop_signals},
    signal::Signal,
};
use std::{fmt, time::Duration};

/// A world and the settings that it is run under.
#[derive(Clone, Debug)]
pub struct Case {
    /// The seed of all of it.
    pub seed: u64,
    /// The world.
    pub world: World,
    /// The settings.
    pub settings: Settings,
}

impl Case {
    /// The case of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let temper = if dice.once_in(2) { Temper::Obedient } else { Temper::Any };
        let main = dice.main(temper);
        let settings = dice.settings(temper, &main);
        let world = dice.world(temper, main, &settings);
        Self { seed, world, settings }
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self) -> crate::world::Outcome {
        self.world.run(&self.settings, self.seed)
    }
}

impl fmt::Display for Case {
    /// The settings and the system, without the program: the history tells of that.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { route, delay, grace, linger, restart, repeat, rewrites, .. } =
            &self.settings;
        writeln!(formatter, "route {route}, delay {delay:?}, grace {grace:?}, linger {linger:?}")?;
        writeln!(formatter, "{restart:?}, {repeat:?}")?;
        for from in (1..=64).filter_map(Signal::new) {
            let to = rewrites.apply(from);
            if to != Some(from) {
                writeln!(formatter, "{from} becomes {to:?}")?;
            }
        }
        let World { outside, system, until, obeys_within, .. } = &self.world;
        writeln!(formatter, "{system:?}")?;
        writeln!(formatter, "until {until:?}, obeys within {obeys_within:?}: {outside:?}")
    }
}

/// What kind of programs there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Temper {
    /// All end when they are told.
    Obedient,
    /// Some do not.
    Any,
}

/// Chance, and the names given so far.
struct Dice {
    rng: fastrand::Rng,
    named: usize,
    /// How many programs may still be made.
    budget: usize,
}

/// No stop signal comes earlier than this in an obedient world.
const SETTLED_MS: u64 = 100;

/// What is allowed beyond the work itself: outro's looks, and its patience with traps, filters
/// and groups.
const SLACK: Duration = Duration::from_secs(8);
const SLACK_EACH: Duration = Duration::from_secs(4);

/// Long enough never to be over in an obedient world.
const EVER: Duration = Duration::from_secs(5000);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let budget = rng.usize(1..=12);
        Self { rng, named: 0, budget }
    }

    fn once_in(&mut self, times: u32) -> bool {
        self.rng.u32(0..times) == 0
    }

    fn ms(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.rng.u64(0..=most))
    }

    fn name(&mut self, kind: &str) -> String {
        self.named += 1;
        format!("{kind}{}", self.named)
    }

    fn settings(&mut self, temper: Temper, main: &Program) -> Settings {
        let mut settings = Settings { linger: EVER, ..Settings::default() };
        if self.once_in(3) {
            settings.delay = self.ms(800);
        }
        if self.once_in(5) {
            settings.restart = RestartSettings {
                policy: if self.once_in(2) {
                    RestartPolicy::Always
                } else {
                    RestartPolicy::OnFailure
                },
                delay: self.ms(300),
                limit: Some(self.rng.u32(1..4)),
            };
        }
        // Which signals one waits for in sigwait does not show.
        let awaits = main.any(&|step| matches!(step, Step::Await(..)));
        if self.once_in(6) && !awaits {
            // As Apache's httpd has it, as systemd has it, and one that nobody knows here.
            let others = [28, 37, 1].map(Signal::new);
            let other = others[self.rng.usize(0..others.len())];
            settings.stop_signals = stop_signals().with(other.unwrap_or(Signal::TERM));
        }
        if self.once_in(8) {
            let (from, to) = match self.rng.u32(0..4) {
                0 => (Signal::TERM, Some(Signal::QUIT)),
                1 => (Signal::TERM, Some(Signal::INT)),
                2 => (Signal::HUP, None),
                _ => (Signal::QUIT, Some(Signal::TERM)),
            };
            settings.rewrites.set(from, to);
        }
        let expects = ["143", "0-3", "137:7"][self.rng.usize(0..3)];
        if self.once_in(4) {
            settings.expected.add(expects).expect("it is one that outro takes");
        }
        if temper == Temper::Obedient {
            return settings;
        }
        settings.linger = self.ms(3000);
        if self.once_in(5) {
            settings.route = [Route::Main, Route::Group, Route::All][self.rng.usize(0..3)];
        }
        if !self.once_in(5) {
            settings.grace = Some(self.ms(4000) + Duration::from_millis(1));
        }
        // One who has just taken a first signal by sigwait looks as if it would die of a second.
        // And one who handles a first signal may well die of a second.
        let handles_all = settings.stop_signals == stop_signals();
        if self.once_in(6) && !awaits && handles_all {
            settings.repeat = Repeat::TellOthers;
        }
        settings
    }

    fn world(&mut self, temper: Temper, main: Program, settings: &Settings) -> World {
        let size = main.size() as u32;
        let system = System {
            pid_max: size * 2 + 20 + self.rng.u32(0..60),
            read_cost_max: Duration::from_micros([4, 20, 200][self.rng.usize(0..3)]),
            hiccup_max: if self.once_in(3) { self.ms(8) } else { Duration::ZERO },
            shows_sleep: true,
            held_max: if self.once_in(6) { self.rng.usize(0..4) } else { usize::MAX },
            ..System::default()
        };
        let within = main.work() + SLACK + SLACK_EACH * size;
        let earliest = if temper == Temper::Obedient { SETTLED_MS } else { 0 };
        let mut world = World { system, ..World::new(main) };
        let at = Duration::from_millis(self.rng.u64(earliest..1500));
        if temper == Temper::Any || self.once_in(8) {
            self.disturb(&mut world, at);
        }
        let signal = self.stop_signal(settings);
        if temper == Temper::Obedient || !self.once_in(10) {
            world.outside.push((at, Outside::Signal(signal)));
        }
        for _ in 0..self.rng.usize(0..3) {
            self.repeat(&mut world, temper, at);
        }
        world.outside.sort_by_key(|(at, _)| *at);
        if temper == Temper::Obedient {
            world.until = at + settings.delay + within + SLACK;
            world.obeys_within = Some(within);
        } else {
            world.until = at + settings.grace.unwrap_or(Duration::from_secs(4)) * 2 + self.ms(4000);
            self.disturb_system(&mut world);
        }
        world
    }

    /// One of the signals that start a stop.
    fn stop_signal(&mut self, settings: &Settings) -> Signal {
        let others = (1..=64).filter_map(Signal::new).find(|signal| {
            settings.stop_signals.contains(*signal) && !stop_signals().contains(*signal)
        });
        match self.rng.u32(0..4) {
            0 => Signal::INT,
            1 => Signal::QUIT,
            2 => others.unwrap_or(Signal::TERM),
            _ => Signal::TERM,
        }
    }

    /// A signal that starts no stop, before it.
    fn disturb(&mut self, world: &mut World, before: Duration) {
        if self.once_in(4) {
            let signal = [Signal::HUP, cast::USR2, Signal::CONT][self.rng.usize(0..3)];
            world.outside.push((before / 2, Outside::Signal(signal)));
        }
    }

    /// A signal after the first one.
    fn repeat(&mut self, world: &mut World, temper: Temper, after: Duration) {
        let at = after + self.ms(1500);
        let signal = [Signal::TERM, Signal::INT, Signal::QUIT][self.rng.usize(0..3)];
        let by_key = temper == Temper::Any && self.once_in(3);
        world
            .outside
            .push((at, if by_key { Outside::Key(signal) } else { Outside::Signal(signal) }));
    }

    fn disturb_system(&mut self, world: &mut World) {
        // Some things are known by where a process sleeps, and by nothing else: that it takes signals
        // by sigwait, and that a child which takes back what `&` ignores is in the background.
        let needs_sleep = world.main.any(&|step| {
            matches!(step, Step::Await(..))
                || matches!(step, Step::Start(child) if child.place == Place::Background)
        });
        world.system.shows_sleep = needs_sleep || !self.once_in(6);
        if self.once_in(15) {
            world.system.blind_from =
                Some(if self.once_in(2) { Duration::ZERO } else { self.ms(2000) });
        }
        if self.once_in(15) {
            world.system.failing_starts = vec![self.rng.u32(0..3)];
        }
    }
}
