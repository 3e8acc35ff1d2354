//! Every shell that Debian has, as the main process, in each way that people start a program by it.

use std::time::Duration;

use outro_test::{Scenario, TERM, USR2, fixture, require};

/// Makes one test of each scenario for each shell.
macro_rules! in_each_shell {
    ($($scenario:ident)*) => {
        in_each_shell! { @shells ($($scenario)*)
            dash "dash", bash "bash", busybox "busybox sh", zsh "zsh", mksh "mksh", ksh93 "ksh93",
        }
    };
    (@shells $scenarios:tt $($module:ident $shell:literal,)*) => {
        $(mod $module { in_each_shell! { @tests $shell $scenarios } })*
    };
    (@tests $shell:literal ($($scenario:ident)*)) => {
        $(#[test] fn $scenario() { super::$scenario($shell); })*
    };
}

in_each_shell! {
    a_loop_ends_with_its_program_cleaned_up
    a_loop_around_a_pipeline_ends_and_keeps_the_last_line
    a_trap_runs_as_soon_as_the_program_in_front_has_finished
    a_trap_does_not_wait_for_a_long_sleep
    a_trap_that_forwards_is_the_only_one_to_tell_the_program
    a_trap_that_forwards_another_signal_is_left_to_it
    a_trap_s_own_clean_up_command_is_not_told
    a_trap_s_own_clean_up_command_is_not_told_while_a_program_waits_in_the_background
    a_trap_in_a_loop_ends_it_after_its_clean_up
    programs_in_the_background_are_told_once_each
    a_pipeline_into_tee_keeps_the_last_line
    a_longer_pipeline_keeps_the_last_line
    a_subshell_is_no_hiding_place
    a_nested_shell_is_no_hiding_place
    exec_gives_the_program_s_exit_code
    what_follows_the_program_is_not_run
}

fn shell(shell: &str, line: &str) -> Scenario {
    require(shell.split(' ').next().expect("a shell has a name"));
    Scenario::shell(shell, line)
}

fn a_loop_ends_with_its_program_cleaned_up(name: &str) {
    shell(name, "while true; do @ app; sleep 1; done").finishes("app", &[TERM]).exits(143);
}

fn a_loop_around_a_pipeline_ends_and_keeps_the_last_line(name: &str) {
    let exit = shell(name, "while true; do @ app 2>&1 | tee -a out; sleep 1; done")
        .finishes("app", &[TERM])
        .exits(143);
    assert_eq!(exit.stdout, "app: bye\n", "{exit}");
}

fn a_trap_runs_as_soon_as_the_program_in_front_has_finished(name: &str) {
    shell(name, r#"trap 'echo trap ran >>"$WITNESS_LOG"; exit 3' TERM; @ app; true"#)
        .finishes("app", &[TERM])
        .notes("trap ran")
        .exits(3);
}

fn a_trap_does_not_wait_for_a_long_sleep(name: &str) {
    let exit = shell(name, r#"trap 'echo trap ran >>"$WITNESS_LOG"; exit 3' TERM; echo armed >>"$WITNESS_LOG"; sleep 100; true"#)
        .once("armed")
        .notes("trap ran")
        .exits(3);
    assert!(exit.took < Duration::from_secs(15), "{exit}");
}

fn a_trap_that_forwards_is_the_only_one_to_tell_the_program(name: &str) {
    shell(name, r#"trap 'kill -TERM $pid' TERM; @ app & pid=$!; echo armed >>"$WITNESS_LOG"; wait $pid; wait $pid; exit 4"#)
        .once("armed")
        .finishes("app", &[TERM])
        .exits(4);
}

fn a_trap_that_forwards_another_signal_is_left_to_it(name: &str) {
    shell(name, r#"trap 'kill -USR2 $pid' TERM; @ app --stop 12 & pid=$!; echo armed >>"$WITNESS_LOG"; wait $pid; wait $pid; exit 4"#)
        .once("armed")
        .finishes("app", &[USR2])
        .exits(4);
}

fn a_trap_s_own_clean_up_command_is_not_told(name: &str) {
    shell(name, "trap '@ cleanup --for 0.6; exit 0' TERM; @ app; true")
        .finishes("app", &[TERM])
        .told("cleanup", &[])
        .notes("cleanup done")
        .exits(0);
}

fn a_trap_s_own_clean_up_command_is_not_told_while_a_program_waits_in_the_background(name: &str) {
    // The shell leaves without a word to its program, which is then told as one left behind.
    shell(
        name,
        r#"trap '@ cleanup --for 0.6; exit 5' TERM; @ app & echo armed >>"$WITNESS_LOG"; wait"#,
    )
    .once("armed")
    .finishes("app", &[TERM])
    .told("cleanup", &[])
    .notes("cleanup done")
    .exits(5);
}

fn a_trap_in_a_loop_ends_it_after_its_clean_up(name: &str) {
    shell(name, "trap '@ cleanup --for 0.6; exit 6' TERM; while true; do @ app; sleep 1; done")
        .finishes("app", &[TERM])
        .told("cleanup", &[])
        .notes("cleanup done")
        .exits(6);
}

fn programs_in_the_background_are_told_once_each(name: &str) {
    shell(name, "@ first & @ second & wait")
        .finishes("first", &[TERM])
        .finishes("second", &[TERM])
        .exits(143);
}

fn a_pipeline_into_tee_keeps_the_last_line(name: &str) {
    let exit = shell(name, "@ app 2>&1 | tee out").finishes("app", &[TERM]).exits(143);
    assert_eq!(exit.stdout, "app: bye\n", "{exit}");
}

fn a_longer_pipeline_keeps_the_last_line(name: &str) {
    let exit = shell(name, "@ app | cat | tee out").finishes("app", &[TERM]).exits(143);
    assert_eq!(exit.stdout, "app: bye\n", "{exit}");
}

fn a_subshell_is_no_hiding_place(name: &str) {
    shell(name, "( @ app; echo inner ); echo outer")
        .finishes("app", &[TERM])
        .never("inner")
        .never("outer")
        .exits(143);
}

fn a_nested_shell_is_no_hiding_place(name: &str) {
    shell(name, &format!("{name} -c '@ app; echo inner'; echo outer"))
        .finishes("app", &[TERM])
        .never("inner\n")
        .never("outer\n")
        .exits(143);
}

fn exec_gives_the_program_s_exit_code(name: &str) {
    shell(name, "exec @ app --exit 7").finishes("app", &[TERM]).exits(7);
}

fn what_follows_the_program_is_not_run(name: &str) {
    shell(name, "@ app; echo after").finishes("app", &[TERM]).never("after").exits(143);
}

/// Node sets SIGINT to its default when it starts, so POSIX's sign of a background job is lost. (zsh,
/// mksh and ksh93 sleep in the same call for both kinds of job, so no sign at all is left there.)
#[test]
fn node_in_the_background_is_told_once_by_a_trap_that_forwards() {
    require("node");
    let node = fixture("witness.js");
    let line = format!(
        r#"trap 'kill -TERM $pid' TERM; node {node} app & pid=$!; echo armed >>"$WITNESS_LOG"; wait $pid; wait $pid; exit 4"#
    );
    for name in ["dash", "bash", "busybox sh"] {
        shell(name, &line).once("armed").finishes("app", &[TERM]).exits(4);
    }
}
