//! What people are told: in outro's words, or in those of the peer whose door was taken.

use outro_core::{
    exit::ExitStatus, machine::Note, process::Pid, settings::Rewrites, signal::Signal, time::Spoken,
};
use outro_sys::{Errno, output, own, signals};
use std::{fmt::Arguments, time::Duration};

/// Whose words outro speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Its own.
    Outro,
    /// tini's.
    Tini {
        /// How much: 0 only what is fatal, then warnings, information, debugging, tracing.
        level: i32,
        /// Whether each reaped orphan is told of.
        warns_of_reaped: bool,
    },
    /// dumb-init's.
    DumbInit {
        /// Whether everything is told.
        debug: bool,
    },
    /// catatonit's.
    Catatonit {
        /// Whether everything is told.
        debug: bool,
    },
}

/// tini's levels.
mod level {
    pub(super) const WARN: i32 = 0;
    pub(super) const INFO: i32 = 1;
    pub(super) const DEBUG: i32 = 2;
    pub(super) const TRACE: i32 = 3;
}

/// A line in outro's own words.
pub fn say(text: &str) {
    output::error(&format!("outro: {text}\n"));
}

impl Voice {
    /// A line of tini's, if its level is reached. What is less than a warning goes to standard output.
    fn tini(self, at: i32, text: Arguments<'_>) {
        const NAMES: [&str; 4] = ["WARN ", "INFO ", "DEBUG", "TRACE"];
        let Self::Tini { level, .. } = self else { return };
        if level <= at {
            return;
        }
        let line = format!("[{} tini ({})] {text}\n", NAMES[at as usize], own::pid());
        if at == level::WARN { output::error(&line) } else { output::standard(&line) }
    }

    /// A line of dumb-init's, if it is to tell everything.
    pub(crate) fn dumb_init(self, text: Arguments<'_>) {
        if self == (Self::DumbInit { debug: true }) {
            output::error(&format!("[dumb-init] {text}\n"));
        }
    }

    /// A line of catatonit's, if it is to tell everything.
    fn catatonit(self, level: &str, text: Arguments<'_>) {
        if self == (Self::Catatonit { debug: true }) {
            output::error(&format!("{level} (catatonit:{}): {text}\n", own::pid()));
        }
    }

    /// outro is neither PID 1 nor a subreaper, so orphans are not its to reap.
    pub fn not_a_reaper(self) {
        self.tini(
            level::WARN,
            format_args!(
                "Tini is not running as PID 1 and isn't registered as a child subreaper.\n\
             Zombie processes will not be re-parented to Tini, so zombie reaping won't work.\n\
             To fix the problem, use the -s option or set the environment variable \
             TINI_SUBREAPER to register Tini as a child subreaper, or run Tini as PID 1."
            ),
        );
    }

    /// outro became a subreaper.
    pub fn became_subreaper(self) {
        self.tini(level::TRACE, format_args!("Registered as child subreaper"));
    }

    /// The program was started.
    pub fn started(self, program: &str, pid: Pid) {
        self.tini(level::INFO, format_args!("Spawned child process '{program}' with pid '{pid}'"));
        self.dumb_init(format_args!("Child spawned with PID {pid}."));
        self.catatonit("DEBUG", format_args!("pid1 ({pid}) spawned: {program}"));
    }

    /// The program could not be started.
    pub fn not_started(self, program: &str, errno: Errno) {
        let pid = own::pid();
        output::error(&match self {
            Self::Outro => format!("outro: cannot run '{program}': {errno}\n"),
            Self::Tini { .. } => format!("[FATAL tini ({pid})] exec {program} failed: {errno}\n"),
            Self::DumbInit { .. } => format!("[dumb-init] {program}: {errno}\n"),
            Self::Catatonit { .. } => {
                format!("ERROR (catatonit:{pid}): failed to exec pid1: {errno}\n")
            }
        });
    }

    /// A signal came, and this is what becomes of it.
    pub fn received(self, signal: Signal, rewrites: &Rewrites) {
        if signal == Signal::CHLD {
            self.tini(level::DEBUG, format_args!("Received SIGCHLD"));
            self.dumb_init(format_args!("Received signal {}.", signal.number()));
            return;
        }
        match self {
            Self::Outro => {}
            Self::Tini { .. } => {
                self.tini(
                    level::DEBUG,
                    format_args!("Passing signal: '{}'", signals::description(signal)),
                );
            }
            Self::DumbInit { debug: true } => {
                self.dumb_init(format_args!("Received signal {}.", signal.number()));
                self.passed_on(signal, rewrites);
            }
            Self::DumbInit { debug: false } => {}
            Self::Catatonit { .. } => {
                if Signal::JOB_CONTROL.contains(&signal) {
                    self.catatonit(
                        "DEBUG",
                        format_args!("ignoring kernel attempting to stop us: tty has TOSTOP set"),
                    );
                }
            }
        }
    }

    /// dumb-init tells what a signal becomes and that it was passed on.
    fn passed_on(self, signal: Signal, rewrites: &Rewrites) {
        let becomes = rewrites.apply(signal);
        let number = becomes.map_or(0, Signal::number);
        if becomes != Some(signal) {
            self.dumb_init(format_args!("Translating signal {} to {number}.", signal.number()));
        }
        match number {
            0 => self.dumb_init(format_args!("Not forwarding signal 0 to children (ignored).")),
            _ => self.dumb_init(format_args!("Forwarded signal {number} to children.")),
        }
    }

    /// A child was reaped.
    pub fn reaped(self, pid: Pid, status: ExitStatus, is_main: bool, rewrites: &Rewrites) {
        match self {
            Self::Outro => {}
            Self::Tini { warns_of_reaped, .. } => {
                self.tini(level::DEBUG, format_args!("Reaped child with pid: '{pid}'"));
                match status {
                    _ if !is_main && warns_of_reaped => {
                        self.tini(
                            level::WARN,
                            format_args!("Reaped zombie process with pid={pid}"),
                        );
                    }
                    _ if !is_main => {}
                    ExitStatus::Code(code) => self.tini(
                        level::INFO,
                        format_args!("Main child exited normally (with status '{code}')"),
                    ),
                    ExitStatus::Signal(signal) => self.tini(
                        level::INFO,
                        format_args!(
                            "Main child exited with signal (with signal '{}')",
                            signals::description(signal)
                        ),
                    ),
                }
            }
            Self::DumbInit { .. } => {
                match status {
                    ExitStatus::Code(code) => self.dumb_init(format_args!(
                        "A child with PID {pid} exited with exit status {code}."
                    )),
                    ExitStatus::Signal(signal) => self.dumb_init(format_args!(
                        "A child with PID {pid} was terminated by signal {}.",
                        signal.number()
                    )),
                }
                if is_main {
                    self.passed_on(Signal::TERM, rewrites);
                }
            }
            Self::Catatonit { .. } => match status {
                _ if is_main => {}
                ExitStatus::Code(code) => self.catatonit(
                    "DEBUG",
                    format_args!("child process {pid} exited with code {code}"),
                ),
                ExitStatus::Signal(signal) => self.catatonit(
                    "DEBUG",
                    format_args!("child process {pid} exited due to signal {}", signal.number()),
                ),
            },
        }
    }

    /// All that had ended is reaped.
    pub fn reaped_all(self, is_anyone_left: bool) {
        match is_anyone_left {
            true => self.tini(level::TRACE, format_args!("No child to reap")),
            false => {
                self.tini(level::TRACE, format_args!("No child to wait"));
                self.catatonit("DEBUG", format_args!("got ECHILD: no children left to monitor"));
            }
        }
    }

    /// outro leaves with this code.
    pub fn leaving(self, code: u8) {
        self.tini(level::TRACE, format_args!("Exiting: child has exited"));
        self.dumb_init(format_args!("Child exited with status {code}. Goodbye."));
    }

    /// outro is about to stop itself.
    pub fn suspending(self) {
        self.dumb_init(format_args!("Suspending self due to TTY signal."));
    }
}

/// What the core has to tell, whichever door was taken. `None` for what is told only when asked.
#[must_use]
pub fn sentence(note: &Note, is_verbose: bool) -> Option<String> {
    let told_before = |told: &Option<(Signal, Duration)>| match told {
        Some((signal, ago)) => format!("told {signal} {} before", Spoken(*ago)),
        None => "not told to stop".to_owned(),
    };
    Some(match note {
        Note::StopAsked { came, signal } if is_verbose && came != signal => {
            format!("got {came}, passed on as {signal}: stopping")
        }
        Note::StopAsked { signal, .. } if is_verbose => format!("got {signal}: stopping"),
        Note::PressAgain => "press ^C once more to kill who is left".to_owned(),
        Note::RepeatAbsorbed { signal } if is_verbose => {
            format!("got {signal} again: nobody is told twice")
        }
        Note::StopAsked { .. } | Note::RepeatAbsorbed { .. } => return None,
        Note::Restarting { status, pause } => {
            format!("{}: starting it again in {}", ended(*status), Spoken(*pause))
        }
        Note::GivenUp { status, starts } => {
            format!("{}: given up after {starts} starts in a row that did not last", ended(*status))
        }
        Note::Blind => {
            "cannot read /proc, so the signal goes to the program's process group".to_owned()
        }
        Note::Killed { pid, name, age, told, ignores } => {
            let why = match (told, ignores) {
                (Some(_), _) => format!("{} and did not leave", told_before(told)),
                (None, Some(signal)) => format!("it ignores {signal}"),
                (None, None) => "not told, and still there".to_owned(),
            };
            format!("killed {pid} ({name}), {} old: {why}", Spoken(*age))
        }
        Note::KilledBlindly { group } => format!("killed the process group {group}"),
        Note::MoreKilled(count) => format!("killed {count} more"),
        Note::LeftBehind { pid, name, told, refused } => {
            let why =
                if *refused { "outro may not signal it".to_owned() } else { told_before(told) };
            format!("left behind {pid} ({name}): {why}")
        }
        Note::LeftBehindUnseen => "left without seeing whether others did".to_owned(),
        Note::MoreLeftBehind(count) => format!("left behind {count} more"),
    })
}

/// How the program ended, in words.
fn ended(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => format!("the program ended with exit code {code}"),
        ExitStatus::Signal(signal) => format!("the program was ended by {signal}"),
    }
}
