//! What the machine is told to do: the command line, or a front door's contract.

use crate::{
    exit::Expectations,
    restart::RestartSettings,
    route::Route,
    signal::{Signal, SignalSet},
};
use std::time::Duration;

/// How long what the main process left behind has before it is killed.
pub const LINGER: Duration = Duration::from_secs(10);

/// All settings of one run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who gets a stop signal.
    pub route: Route,
    /// The signals that start a stop.
    pub stop_signals: SignalSet,
    /// What a signal becomes on its way in.
    pub rewrites: Rewrites,
    /// How long a stop is held back.
    pub delay: Duration,
    /// How long from the stop signal to the platform's kill.
    pub grace: Option<Duration>,
    /// How long what the main process left behind has.
    pub linger: Duration,
    /// Whether and when the program is started again.
    pub restart: RestartSettings,
    /// Which exit codes are expected, and what each becomes.
    pub expected: Expectations,
    /// Who gets the signals that do not start a stop.
    pub forward: Forward,
    /// Whose process group the main process is in.
    pub group: Group,
    /// What a second stop signal does.
    pub repeat: Repeat,
    /// What happens to the main process's group when the main process has ended by itself.
    pub farewell: Farewell,
    /// What a signal that stops (SIGTSTP, SIGTTIN, SIGTTOU) does.
    pub suspend: Suspend,
    /// Whether command lines are looked up for the exit report, not only for those who are killed.
    pub detail: Detail,
}

/// Who gets the signals that do not start a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// The main process.
    Main,
    /// The main process's group.
    Group,
}

/// Whose process group the main process is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// It leads one of its own, whose number is its pid.
    Own,
    /// That of outro, which so cannot be told without telling outro (`dumb-init -c`).
    Shared,
}

/// What a second stop signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: to many programs a second one means "now!", and no platform means that.
    Absorb,
    /// Another signal than those that were told is told as well (the front doors).
    TellOthers,
}

/// What happens to the main process's group when the main process has ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// Nothing beyond the stop of what is left below outro.
    None,
    /// It gets SIGTERM (dumb-init).
    TellGroup,
}

/// What a signal that stops does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspend {
    /// It is passed on like any other.
    PassOn,
    /// It is passed on, and outro stops itself too (dumb-init).
    StopToo,
    /// It is dropped (catatonit).
    Drop,
}

/// How much is looked up for the exit report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Command lines only of those who are killed or left behind.
    Killed,
    /// Command lines of all who are told.
    All,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            route: Route::Tree,
            stop_signals: stop_signals(),
            rewrites: Rewrites::default(),
            delay: Duration::ZERO,
            grace: None,
            linger: LINGER,
            restart: RestartSettings::default(),
            expected: Expectations::default(),
            forward: Forward::Main,
            group: Group::Own,
            repeat: Repeat::Absorb,
            farewell: Farewell::None,
            suspend: Suspend::PassOn,
            detail: Detail::Killed,
        }
    }
}

/// The signals that always start a stop.
#[must_use]
pub const fn stop_signals() -> SignalSet {
    SignalSet::EMPTY.with(Signal::TERM).with(Signal::INT).with(Signal::QUIT)
}

/// What each signal becomes (`--rewrite FROM:TO`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrites([Rewrite; 65]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rewrite {
    Keep,
    Drop,
    Become(Signal),
}

impl Default for Rewrites {
    fn default() -> Self {
        Self([Rewrite::Keep; 65])
    }
}

impl Rewrites {
    /// Makes `from` arrive as `to`; `None` drops it. What is said later wins.
    pub fn set(&mut self, from: Signal, to: Option<Signal>) {
        self.0[from.number() as usize] = to.map_or(Rewrite::Drop, Rewrite::Become);
    }

    /// What the signal becomes; `None` if it is dropped. The result is not rewritten again, so
    /// that two signals can be swapped.
    #[must_use]
    pub const fn apply(&self, signal: Signal) -> Option<Signal> {
        match self.0[signal.number() as usize] {
            Rewrite::Keep => Some(signal),
            Rewrite::Drop => None,
            Rewrite::Become(other) => Some(other),
        }
    }

    /// Reads `FROM:TO`; `TO` may be 0.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn add(&mut self, text: &str) -> Result<(), BadRewrite> {
        let (from, to) = text.split_once(':').ok_or_else(|| BadRewrite::Shape(text.to_owned()))?;
        let signal = |part: &str| {
            Signal::parse(part).map_err(|error| BadRewrite::Signal(text.to_owned(), error))
        };
        let from = signal(from)?;
        let to = if to == "0" { None } else { Some(signal(to)?) };
        if from == Signal::KILL || from == Signal::STOP {
            return Err(BadRewrite::Uncatchable(text.to_owned(), from));
        }
        if let Some(to) = to.filter(|to| [Signal::KILL, Signal::STOP, Signal::CHLD].contains(to)) {
            return Err(BadRewrite::NoRequest(text.to_owned(), to));
        }
        self.set(from, to);
        Ok(())
    }
}

/// A text that is no `FROM:TO`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRewrite {
    /// There is no colon.
    #[error("'{0}' is not FROM:TO (such as TERM:QUIT, or TERM:0 to drop it)")]
    Shape(String),
    /// One side is no signal.
    #[error("'{0}' is not FROM:TO: {1}")]
    Signal(String, crate::signal::UnknownSignal),
    /// Nobody can do anything about this signal.
    #[error("'{0}' cannot be: {1} is nothing that a program could act on")]
    NoRequest(String, Signal),
    /// The kernel gives this signal to nobody.
    #[error("'{0}' cannot be: {1} never reaches a process, so it cannot be rewritten")]
    Uncatchable(String, Signal),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_can_be_rewritten_swapped_and_dropped() {
        let mut rewrites = Rewrites::default();
        for text in ["TERM:QUIT", "QUIT:TERM", "HUP:0", "RTMIN+3:15"] {
            rewrites.add(text).expect(text);
        }
        assert_eq!(rewrites.apply(Signal::TERM), Some(Signal::QUIT));
        assert_eq!(rewrites.apply(Signal::QUIT), Some(Signal::TERM));
        assert_eq!(rewrites.apply(Signal::HUP), None);
        assert_eq!(rewrites.apply(Signal::INT), Some(Signal::INT));
    }

    #[test]
    fn a_bad_rewrite_is_refused() {
        let mut rewrites = Rewrites::default();
        for text in [
            "",
            "TERM",
            "TERM:",
            ":TERM",
            "0:TERM",
            "TERM:TREM",
            "KILL:TERM",
            "TERM:00",
            "TERM:KILL",
            "TERM:STOP",
        ] {
            assert!(rewrites.add(text).is_err(), "{text}");
        }
    }
}
