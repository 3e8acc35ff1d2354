//! The exit report: who was told what, when, and how each left.

use crate::{
    exit::ExitStatus,
    ledger::{Entry, Why},
    machine::{Machine, Main},
    process::{Pid, TICK_MS},
    route::Route,
    signal::Signal,
    time::Moment,
};

/// What happened in one life of a PID 1. Times are in milliseconds; those named `at_ms` count from
/// the stop's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// outro's exit code.
    pub exit_code: u8,
    /// The main process's pid, if it was started.
    pub main_pid: Option<Pid>,
    /// How the main process ended, if it did.
    pub main_status: Option<ExitStatus>,
    /// How often the program was started again.
    pub restarts: u32,
    /// The stop, if there was one to tell of.
    pub stop: Option<StopSummary>,
    /// Everyone whom the stop concerned.
    pub processes: Vec<ProcessReport>,
}

/// The stop itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopSummary {
    /// The signal that was passed on.
    pub signal: Signal,
    /// Whether a signal asked for it; else the main process had ended by itself.
    pub asked: bool,
    /// Who gets the signal.
    pub route: Route,
    /// When it began.
    pub began: Moment,
    /// How long it was held back.
    pub delay_ms: u64,
    /// How long the platform waits, if outro was told.
    pub grace_ms: Option<u64>,
    /// When those who were left were to be killed.
    pub deadline_ms: Option<u64>,
    /// When the first was told.
    pub told_ms: Option<u64>,
    /// How long it all took.
    pub took_ms: u64,
    /// How many were killed.
    pub killed: usize,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessReport {
    /// Its pid.
    pub pid: Pid,
    /// Its command line, or its short name.
    pub command: String,
    /// How old it was when it was told first.
    pub age_ms: u64,
    /// What it was told.
    pub told: Vec<ToldReport>,
    /// When it was seen to be gone.
    pub left_at_ms: Option<u64>,
    /// How it ended, where outro could know.
    pub status: Option<ExitStatus>,
    /// What became of it.
    pub outcome: Outcome,
}

/// One signal to one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldReport {
    /// Which.
    pub signal: Signal,
    /// When.
    pub at_ms: u64,
    /// Why.
    pub why: Why,
}

/// What became of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It left by itself.
    Left,
    /// It was killed.
    Killed,
    /// outro left before it did.
    LeftBehind,
    /// The system did not let outro signal it.
    NotPermitted,
}

impl Outcome {
    /// The outcome in words.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Killed => "killed",
            Self::LeftBehind => "left behind",
            Self::NotPermitted => "not permitted",
        }
    }
}

impl Report {
    pub(crate) fn new(machine: &Machine, stop: Option<StopSummary>, restarts: u32) -> Self {
        let (main_pid, main_status) = match machine.main() {
            Main::Alive { pid, .. } => (Some(pid), None),
            Main::Ended { pid, status, .. } => (Some(pid), Some(status)),
            Main::Starting | Main::NotStarted(_) => (None, None),
        };
        let began = stop.as_ref().map(|stop| stop.began).unwrap_or_default();
        let processes = machine
            .ledger()
            .iter()
            .map(|(id, entry)| ProcessReport::new(id.pid, id.start.0, entry, began))
            .collect();
        Self { exit_code: machine.exit_code(), main_pid, main_status, restarts, stop, processes }
    }
}

impl ProcessReport {
    fn new(pid: Pid, start: u64, entry: &Entry, began: Moment) -> Self {
        let told = entry.told.iter().map(|told| ToldReport {
            signal: told.signal,
            at_ms: told.at.since(began).as_millis() as u64,
            why: told.why,
        });
        let was_killed = entry.told.iter().any(|told| told.signal == Signal::KILL);
        let outcome = match entry.left {
            None if entry.refused => Outcome::NotPermitted,
            None => Outcome::LeftBehind,
            // Where its status is known, that says whether the KILL came in time.
            Some(left)
                if was_killed
                    && left.status.is_none_or(|it| it == ExitStatus::Signal(Signal::KILL)) =>
            {
                Outcome::Killed
            }
            Some(_) => Outcome::Left,
        };
        Self {
            pid,
            command: entry.title(),
            age_ms: entry.told_ticks.0.saturating_sub(start) * TICK_MS,
            told: told.collect(),
            left_at_ms: entry.left.map(|left| left.at.since(began).as_millis() as u64),
            status: entry.left.and_then(|left| left.status),
            outcome,
        }
    }
}
