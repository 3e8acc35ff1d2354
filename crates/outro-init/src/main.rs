//! `outro-init`: PID 1 for one command, and nothing else.

use outro_init::{arguments, called, carry_out, doors};
use std::ffi::OsString;

#[global_allocator]
static ALLOCATOR: outro_sys::arena::Arena = outro_sys::arena::Arena::new();

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    carry_out(match doors::Door::of(called(&arguments)) {
        Some(door) => door.request(&arguments),
        None => arguments::request("outro-init", arguments.get(1..).unwrap_or_default()),
    })
}
