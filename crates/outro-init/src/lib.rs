//! outro as PID 1 for one command: the code of `outro -- CMD` and of the binary `outro-init`.
//!
//! | module | owns |
//! |---|---|
//! | [`flags`] | the table of flags: name, variable, text for people, and what each sets |
//! | [`arguments`] | the command line and the `OUTRO_…` variables, into a plan |
//! | [`doors`] | the peers' command lines (`tini`, `dumb-init`, `catatonit`), into a plan |
//! | [`plan`] | what is to be run, and how |
//! | [`init`] | the loop: the core's machine on a real system |
//! | [`look`] | one look at `/proc`, with each process held |
//! | [`bare`] | what goes on when the loop has panicked |
//! | [`voice`] | what people are told, in outro's words or a peer's |
//! | [`report`] | the exit report as text and as JSON |

pub mod arguments;
pub mod bare;
pub mod doors;
pub mod flags;
pub mod init;
pub mod look;
pub mod plan;
pub mod report;
pub mod voice;

use outro_sys::{output, own};
use plan::Request;
use std::{ffi::OsString, path::Path};

/// What outro was called, without its directory.
#[must_use]
pub fn called(arguments: &[OsString]) -> &str {
    arguments.first().and_then(|name| Path::new(name).file_name()?.to_str()).unwrap_or("outro")
}

/// Carries out what the command line asked for, to the end of the process.
pub fn carry_out(request: Request) -> ! {
    match request {
        Request::Run(plan) => init::run(*plan),
        Request::Print(text) => {
            output::standard(&text);
            own::leave(0)
        }
        Request::PrintError(text, code) => {
            output::error(&text);
            own::leave(code)
        }
    }
}
