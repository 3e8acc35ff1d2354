//! The peers' command lines, by the name that outro is called by.
//!
//! A door keeps its peer's contract where a test of the peer pins it: flags, variables, messages,
//! exit codes, and what happens where it is not PID 1. As PID 1 outro's promises hold: whoever is below is
//! waited for. The `OUTRO_…` variables are read as well.

mod catatonit;
mod dumb_init;
mod getopt;
mod tini;

use crate::{
    arguments,
    plan::{JobControl, Plan, Request},
    voice::say,
};
use outro_core::{
    exit::USAGE,
    grace::GraceSetting,
    restart::RestartPolicy,
    route::Route,
    settings::{Repeat, stop_signals},
    signal::SignalSet,
};
use outro_sys::own;
use std::{ffi::OsString, time::Duration};

/// A peer that outro stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// tini, and Docker's copy of it.
    Tini,
    /// dumb-init.
    DumbInit,
    /// catatonit.
    Catatonit,
}

/// What `-l` and `-L` print: the licence is outro's.
const LICENCE: &str =
    "outro is free software, under the MIT licence or the Apache licence 2.0, as you choose.\n";

impl Door {
    /// The door of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "tini" | "tini-static" | "docker-init" => Some(Self::Tini),
            "dumb-init" => Some(Self::DumbInit),
            "catatonit" => Some(Self::Catatonit),
            _ => None,
        }
    }

    /// What these arguments, the program's own name first, ask for.
    #[must_use]
    pub fn request(self, command_line: &[OsString]) -> Request {
        let mut plan = Plan::new();
        let refusal = |message| Request::PrintError(format!("outro: {message}\n"), USAGE);
        let warn = |warning: String| say(&warning);
        if let Err(message) = arguments::from_environment(&mut plan, std::env::vars_os(), warn) {
            return refusal(message);
        }
        let wants_more_than_the_peer = plan.grace != GraceSetting::Platform
            || plan.settings.delay > Duration::ZERO
            || plan.settings.restart.policy != RestartPolicy::No
            || plan.settings.route != Route::Tree
            || plan.settings.stop_signals != stop_signals();
        // No peer follows its program into a stop by ^Z, and each passes on every signal.
        plan.job_control = JobControl::Stay;
        plan.settings.repeat = Repeat::TellOthers;
        let read = match self {
            Self::Tini => tini::read(&mut plan, command_line),
            Self::DumbInit => dumb_init::read(&mut plan, command_line),
            Self::Catatonit => catatonit::read(&mut plan, command_line),
        };
        if let Err(request) = read {
            return request;
        }
        // Where it is not PID 1 a door passes signals on as its peer does, and no more, unless a variable
        // asks for it: nobody is cut off by the kernel there.
        if own::pid().0 != 1 && !wants_more_than_the_peer {
            plan.settings.stop_signals = SignalSet::EMPTY;
        }
        match plan.settle() {
            Ok(()) => Request::Run(Box::new(plan)),
            Err(message) => refusal(message),
        }
    }
}

/// The number that a text begins with, as the C library reads it: after blanks, with a sign; and what
/// follows it.
fn leading_number(text: &str) -> Option<(i32, &str)> {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['+', '-']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(sign + digits);
    number.parse().ok().map(|number| (number, rest))
}
