//! The `outro` binary: arguments, front doors, and what people see.

mod man;

use outro_core::exit::USAGE;
use outro_init::{arguments, called, carry_out, doors, plan::Request};
use std::ffi::OsString;

/// Words that are, or will be, commands of outro. A program of such a name is run after `--`.
const RESERVED: [&str; 19] = [
    "run",
    "status",
    "start",
    "stop",
    "restart",
    "reload",
    "signal",
    "scale",
    "logs",
    "events",
    "shutdown",
    "reexec",
    "top",
    "rehearse",
    "check",
    "convert",
    "deploy",
    "completions",
    "man",
];

#[global_allocator]
static ALLOCATOR: outro_sys::arena::Arena = outro_sys::arena::Arena::new();

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    carry_out(request(&arguments));
}

fn request(arguments: &[OsString]) -> Request {
    if let Some(door) = doors::Door::of(called(arguments)) {
        return door.request(arguments);
    }
    let rest = arguments.get(1..).unwrap_or_default();
    match rest.first().and_then(|word| word.to_str()) {
        Some("init") => arguments::request("outro init", &rest[1..]),
        Some("man") if rest.len() == 1 => Request::Print(man::page()),
        Some("completions") => man::completions(&rest[1..]),
        Some("help") if rest.len() == 1 => Request::Print(arguments::help("outro")),
        Some(word) if RESERVED.contains(&word) => Request::PrintError(
            format!(
                "outro: this version has no command '{word}'\n\
                 To run a program of that name: outro -- {word}\n"
            ),
            USAGE,
        ),
        _ => arguments::request("outro", rest),
    }
}
