//! What is to be run, and how.

use crate::voice::Voice;
use outro_core::{
    exit::{NOT_EXECUTABLE, NOT_FOUND},
    grace::{self, GraceSetting, Platform},
    settings::{Detail, Settings},
    signal::Signal,
};
use outro_sys::{
    Errno,
    spawn::{Blocked, Membership},
};
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// What a command line asks for.
pub enum Request {
    /// To be PID 1.
    Run(Box<Plan>),
    /// A text for standard output.
    Print(String),
    /// A text for standard error, and the exit code.
    PrintError(String, u8),
}

/// All that a run needs.
pub struct Plan {
    /// The program and its arguments. Empty only where [`Plan::is_pause`].
    pub command: Vec<OsString>,
    /// What the core goes by.
    pub settings: Settings,
    /// What was said of the grace.
    pub grace: GraceSetting,
    /// The platform that the grace is of, if it was found from its environment.
    pub platform: Option<Platform>,
    /// Whether the exit report is printed.
    pub is_verbose: bool,
    /// Whose words outro speaks.
    pub voice: Voice,
    /// Whether orphans are adopted where outro is not PID 1.
    pub adoption: Adoption,
    /// What the program is a member of.
    pub membership: Membership,
    /// Which terminal the program is given.
    pub terminal: TerminalChoice,
    /// Which signals are blocked in the program.
    pub blocked: Blocked,
    /// The signal that outro gets when its parent ends.
    pub parent_death: Option<Signal>,
    /// Where outro itself stands.
    pub directory: Directory,
    /// What happens to descriptors that outro inherited, once the program has them.
    pub inherited_files: InheritedFiles,
    /// Whether LISTEN_PID, where it is outro's own pid, becomes the program's.
    pub passes_listen_pid: bool,
    /// Where the exit report goes.
    pub report: Option<PathBuf>,
    /// Whether outro follows its program into a stop by ^Z.
    pub job_control: JobControl,
    /// Signals that are not passed on.
    pub deaf_to: &'static [Signal],
    /// The exit code for a program that cannot be started.
    pub start_failure: fn(Errno) -> u8,
    /// Nothing is run; outro waits for a stop signal (catatonit's `-P`).
    pub is_pause: bool,
}

/// Whether orphans are adopted where outro is not PID 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// They are: outro becomes a subreaper.
    Always,
    /// They are not.
    OnlyAsPid1,
}

/// Which terminal the program is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalChoice {
    /// The one on standard input, if outro has it.
    Input,
    /// The controlling one, or that on standard input (catatonit).
    Controlling,
    /// The one on standard input becomes that of the program's new session (dumb-init).
    NewSession,
    /// None.
    Leave,
}

/// Where outro itself stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// Where it was started.
    Keep,
    /// In the root.
    Root,
}

/// What happens to descriptors that outro inherited, once the program has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InheritedFiles {
    /// outro closes its own, so that it keeps no pipe's reader waiting. Not where the program may
    /// be started again.
    Close,
    /// They stay open.
    Keep,
}

/// Whether outro follows its program into a stop by ^Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobControl {
    /// It does, so that the shell that started it gets its prompt.
    Follow,
    /// It does not.
    Stay,
}

impl Plan {
    /// outro's own way to run a program.
    #[must_use]
    pub fn new() -> Self {
        Self {
            command: Vec::new(),
            settings: Settings::default(),
            grace: GraceSetting::Platform,
            platform: None,
            is_verbose: false,
            voice: Voice::Outro,
            adoption: Adoption::Always,
            membership: Membership::Group,
            terminal: TerminalChoice::Input,
            blocked: Blocked::Inherited,
            parent_death: None,
            directory: Directory::Keep,
            inherited_files: InheritedFiles::Close,
            passes_listen_pid: true,
            report: None,
            job_control: JobControl::Follow,
            deaf_to: &[],
            start_failure,
            is_pause: false,
        }
    }

    /// Works out what depends on several flags, or on the platform.
    ///
    /// # Errors
    /// What cannot be.
    pub fn settle(&mut self) -> Result<(), String> {
        let settings = &mut self.settings;
        if self.is_verbose || self.report.is_some() {
            settings.detail = Detail::All;
        }
        match self.grace {
            GraceSetting::Platform => {}
            GraceSetting::Fixed(Duration::ZERO) => {
                return Err("--grace 0 leaves no time to stop at all; without the flag \
                            the kill is left to the platform"
                    .to_owned());
            }
            GraceSetting::Fixed(grace) => {
                if settings.delay + grace::reserve(grace) >= grace {
                    return Err(format!(
                        "--delay {} leaves nothing of --grace {} for the program to stop",
                        outro_core::time::Spoken(settings.delay),
                        outro_core::time::Spoken(grace),
                    ));
                }
                settings.grace = Some(grace);
            }
            GraceSetting::Auto => {
                let is_pid1 = outro_sys::own::pid().0 == 1;
                let platform = grace::platform(|name| std::env::var(name).ok(), is_pid1);
                // Where a platform does not wait there is nothing that outro could do in time.
                settings.grace = (platform.grace > Duration::ZERO).then_some(platform.grace);
                // The platform may change under an image; that is no reason not to start.
                if settings.delay > platform.grace / 2 {
                    settings.delay = platform.grace / 2;
                    crate::voice::say(&format!(
                        "--delay is cut to {}, half of {}'s grace",
                        outro_core::time::Spoken(settings.delay),
                        platform.name
                    ));
                }
                self.platform = Some(platform);
            }
        }
        // outro may stand elsewhere when it writes it.
        if let Some(report) = &mut self.report
            && let Ok(absolute) = std::path::absolute(&report)
        {
            *report = absolute;
        }
        Ok(())
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

/// 127 for what is not there, 126 for what cannot be run, as shells have it.
fn start_failure(errno: Errno) -> u8 {
    if errno == Errno::NOENT || errno == Errno::NOTDIR { NOT_FOUND } else { NOT_EXECUTABLE }
}
