//! fish, the one shell of Debian that does not speak POSIX.
//!
//! It runs a trap only when the child that it waits for has ended, even in its `wait` builtin: a trap
//! that forwards would never run by itself. And `exit` in a trap does not end it.

use std::time::Duration;

use outro_test::{Scenario, TERM, require};

fn fish(line: &str) -> Scenario {
    require("fish");
    Scenario::shell("fish", line)
}

#[test]
fn a_loop_ends_with_its_program_cleaned_up() {
    fish("while true; @ app; sleep 1; end").finishes("app", &[TERM]).exits(143);
}

#[test]
fn a_loop_around_a_pipeline_ends_and_keeps_the_last_line() {
    let exit = fish("while true; @ app 2>&1 | tee -a out; sleep 1; end")
        .finishes("app", &[TERM])
        .exits(143);
    assert_eq!(exit.stdout, "app: bye\n", "{exit}");
}

#[test]
fn a_trap_runs_as_soon_as_the_program_in_front_has_finished() {
    fish(r#"trap 'echo trap ran >>"$WITNESS_LOG"' TERM; @ app; true"#)
        .finishes("app", &[TERM])
        .notes("trap ran")
        .exits(0);
}

#[test]
fn a_trap_does_not_wait_for_a_long_sleep() {
    let exit = fish(r#"trap 'echo trap ran >>"$WITNESS_LOG"' TERM; echo armed >>"$WITNESS_LOG"; sleep 100; true"#)
        .once("armed")
        .notes("trap ran")
        .exits(0);
    assert!(exit.took < Duration::from_secs(15), "{exit}");
}

#[test]
fn a_trap_that_forwards_comes_too_late_and_outro_tells_the_program() {
    fish(r#"trap 'kill -TERM $pid' TERM; @ app & set -g pid $last_pid; echo armed >>"$WITNESS_LOG"; wait $pid; wait $pid; exit 4"#)
        .once("armed")
        .finishes("app", &[TERM])
        .exits(4);
}

#[test]
fn a_trap_s_own_clean_up_command_is_not_told() {
    fish("trap '@ cleanup --for 0.6' TERM; @ app; true")
        .finishes("app", &[TERM])
        .told("cleanup", &[])
        .notes("cleanup done")
        .exits(0);
}

#[test]
fn programs_in_the_background_are_told_once_each() {
    fish("@ first & @ second & wait")
        .finishes("first", &[TERM])
        .finishes("second", &[TERM])
        .exits(143);
}

#[test]
fn a_pipeline_into_tee_keeps_the_last_line() {
    let exit = fish("@ app 2>&1 | tee out").finishes("app", &[TERM]).exits(143);
    assert_eq!(exit.stdout, "app: bye\n", "{exit}");
}

#[test]
fn a_longer_pipeline_keeps_the_last_line() {
    let exit = fish("@ app | cat | tee out").finishes("app", &[TERM]).exits(143);
    assert_eq!(exit.stdout, "app: bye\n", "{exit}");
}

#[test]
fn a_block_is_no_hiding_place() {
    fish("begin; @ app; echo inner; end; echo outer")
        .finishes("app", &[TERM])
        .never("inner")
        .never("outer")
        .exits(143);
}

#[test]
fn exec_gives_the_program_s_exit_code() {
    fish("exec @ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn what_follows_the_program_is_not_run() {
    fish("@ app; echo after").finishes("app", &[TERM]).never("after").exits(143);
}
