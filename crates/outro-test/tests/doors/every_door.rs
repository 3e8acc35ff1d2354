//! What holds for all doors alike.

use crate::stage::Subject;
use crate::table::{exits, row, says, table};

/// Each door with the flags that make it silent when it is not PID 1.
const QUIET: [&str; 8] = [
    "tini -s --",
    "tini -s -g --",
    "tini-static -s --",
    "docker-init -s --",
    "dumb-init --",
    "dumb-init -c --",
    "catatonit --",
    "catatonit -g --",
];

#[test]
fn the_exit_code_is_the_programs() {
    table(QUIET.iter().flat_map(|door| {
        [0, 1, 2, 32, 64, 127, 254, 255]
            .map(|code| row(format!("{door} sh -c 'exit {code}'"), exits(code)))
    }));
}

#[test]
fn the_exit_code_after_a_signal_is_128_and_the_signal() {
    table(QUIET.iter().flat_map(|door| {
        [1, 3, 9, 15, 35]
            .map(|signal| row(format!("{door} sh -c 'kill -{signal} $$'"), exits(128 + signal)))
    }));
}

#[test]
fn as_pid_1_the_exit_code_is_the_same() {
    table(QUIET.iter().flat_map(|door| {
        [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -35 $$", 163)]
            .map(|(end, code)| row(format!("exec {door} sh -c '{end}'"), exits(code)))
    }));
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    table(QUIET.iter().map(|door| row(format!("{door} plain a b"), says(["plain script a b"]))));
}

#[test]
fn a_copy_is_as_good_as_a_link() {
    table(["tini", "dumb-init", "catatonit"].map(|door| {
        let line = format!("mkdir copy; cp \"$(command -v {door})\" copy/{door}; exec copy/{door} -- sh -c 'exit 3'");
        row(line, exits(3))
    }));
}

#[test]
fn standard_input_is_the_programs() {
    table(QUIET.iter().map(|door| row(format!("echo heard | {door} cat"), says(["heard"]))));
}

/// With SIGCHLD ignored nobody tells an init of its child's end, and nothing is left to wait for: of
/// the originals only dumb-init, which handles every signal, does not wait for ever.
#[test]
fn an_ignored_sigchld_does_not_hide_the_programs_end() {
    let hangs =
        |door: &str| Subject::chosen() == Subject::Original && !door.starts_with("dumb-init");
    table(
        QUIET
            .iter()
            .filter(|door| !hangs(door))
            .map(|door| row(format!("with 17 '' {door} sh -c 'exit 3'"), exits(3))),
    );
}

#[test]
fn outros_own_settings_come_by_its_variables() {
    table(QUIET.iter().flat_map(|door| {
        [
            row(format!("OUTRO_EXPECT=5 {door} sh -c 'exit 5'"), exits(5)).but_outro(exits(0)),
            row(format!("OUTRO_ROUTE=nowhere {door} true"), exits(0)).but_outro(exits(2).any_err()),
        ]
    }));
}
