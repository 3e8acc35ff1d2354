//! What people write into their entrypoint scripts.

use std::time::Duration;

use outro_test::{Scenario, TERM, require};

fn in_each(shells: &[&str], line: &str, expect: impl Fn(Scenario)) {
    for shell in shells {
        require(shell.split(' ').next().expect("a shell has a name"));
        expect(Scenario::shell(shell, line));
    }
}

const ALL: [&str; 6] = ["dash", "bash", "busybox sh", "zsh", "mksh", "ksh93"];

/// All output through `tee`, from the first line of the script on.
#[test]
fn output_through_a_process_substitution_keeps_the_last_line() {
    in_each(
        &["bash", "zsh"],
        "exec > >(tee -a out) 2>&1; while true; do @ app; sleep 1; done",
        |scenario| {
            let exit = scenario.finishes("app", &[TERM]).exits(143);
            assert_eq!(exit.stdout, "app: bye\n", "{exit}");
        },
    );
}

/// (Not mksh: it kills its own group when it dies, the logger with it.)
#[test]
fn a_fifo_into_a_logger_keeps_the_last_line() {
    in_each(
        &["dash", "bash", "busybox sh", "zsh", "ksh93"],
        "mkfifo fifo; tee out <fifo & exec >fifo; while true; do @ app; sleep 1; done",
        |scenario| {
            let exit = scenario.finishes("app", &[TERM]).exits(143);
            assert_eq!(exit.stdout, "app: bye\n", "{exit}");
        },
    );
}

#[test]
fn a_function_in_a_pipeline_is_no_hiding_place() {
    in_each(&ALL, "serve() { @ app; echo after; }; serve 2>&1 | cat; true", |scenario| {
        let exit = scenario.finishes("app", &[TERM]).exits(143);
        assert_eq!(exit.stdout, "app: bye\n", "{exit}");
    });
}

#[test]
fn an_exit_trap_that_kills_the_jobs_tells_them_once() {
    in_each(
        &["bash"],
        r#"trap 'kill $(jobs -p); wait' EXIT; @ a & @ b & echo armed >>"$WITNESS_LOG"; wait"#,
        |scenario| {
            scenario.once("armed").finishes("a", &[TERM]).finishes("b", &[TERM]).exits(143);
        },
    );
}

/// The snippet of a thousand answers: the shell tells its whole group, and dies of it.
#[test]
fn a_trap_that_kills_its_group_tells_it_once() {
    in_each(
        &["dash", "bash", "busybox sh"],
        r#"trap 'trap - TERM; kill -- -$$' TERM; @ a & @ b & echo armed >>"$WITNESS_LOG"; wait"#,
        |scenario| {
            scenario.once("armed").finishes("a", &[TERM]).finishes("b", &[TERM]).exits(143);
        },
    );
}

#[test]
fn a_trap_that_kills_all_of_its_group_by_number_0_tells_it_once() {
    in_each(
        &["dash", "bash", "busybox sh"],
        r#"trap 'trap "" TERM; kill 0; wait; exit 9' TERM; @ a & @ b & echo armed >>"$WITNESS_LOG"; wait"#,
        |scenario| {
            scenario.once("armed").finishes("a", &[TERM]).finishes("b", &[TERM]).exits(9);
        },
    );
}

#[test]
fn a_trap_that_waits_for_jobs_it_told_is_given_the_time() {
    in_each(
        &ALL,
        r#"stop() { kill -TERM $a $b; wait $a; wait $b; exit 8; }; trap stop TERM; @ a & a=$!; @ b --on-term 1 & b=$!; echo armed >>"$WITNESS_LOG"; wait"#,
        |scenario| {
            scenario.once("armed").finishes("a", &[TERM]).finishes("b", &[TERM]).exits(8);
        },
    );
}

#[test]
fn the_first_of_two_jobs_to_end_ends_the_other() {
    // `wait -n` and out: what is left is told.
    in_each(
        &["bash"],
        r#"@ b & until grep -q "b ready" "$WITNESS_LOG"; do sleep 0.05; done; @ a --for 0.1 --exit 6 & wait -n; exit $?"#,
        |scenario| {
            scenario.notes("a done").finishes("b", &[TERM]).exits_after(6, |_, _| {});
        },
    );
}

/// With job control on, a background job does not ignore INT, and is in a group of its own.
#[test]
fn a_trap_that_forwards_with_job_control_is_the_only_one_to_tell_the_program() {
    in_each(
        &["dash", "bash", "busybox sh"],
        r#"set -m; trap 'kill -TERM $pid' TERM; @ app & pid=$!; echo armed >>"$WITNESS_LOG"; wait $pid; wait $pid; exit 4"#,
        |scenario| {
            scenario.once("armed").finishes("app", &[TERM]).exits(4);
        },
    );
}

#[test]
fn a_job_brought_to_the_front_is_told() {
    in_each(&["bash"], "set -m; @ app & @ helper & fg %1 >/dev/null; true", |scenario| {
        scenario.finishes("app", &[TERM]).finishes("helper", &[TERM]).exits(143);
    });
}

#[test]
fn a_wait_loop_of_sleeps_with_a_trap_ends_at_once() {
    in_each(
        &ALL,
        r#"trap 'exit 5' TERM; @ app & echo armed >>"$WITNESS_LOG"; while true; do sleep 100 & wait $!; done"#,
        |scenario| {
            let exit = scenario.once("armed").finishes("app", &[TERM]).exits(5);
            assert!(exit.took < Duration::from_secs(15), "{exit}");
        },
    );
}

#[test]
fn tail_follows_a_log_to_the_end_of_its_writer() {
    in_each(&ALL, "@ app >log.txt 2>&1 & touch log.txt; tail -F log.txt", |scenario| {
        scenario.finishes("app", &[TERM]).exits(143);
    });
}

#[test]
fn nohup_and_disown_are_no_hiding_place() {
    in_each(&ALL, "nohup @ app >out 2>&1 & wait", |scenario| {
        scenario.finishes("app", &[TERM]).exits(143);
    });
    in_each(&["bash"], "@ app & disown; sleep 100", |scenario| {
        scenario.finishes("app", &[TERM]).exits(143);
    });
}

#[test]
fn a_read_that_keeps_a_container_open_ends() {
    in_each(&ALL, "mkfifo fifo; exec 3<>fifo; @ app & read line <&3; true", |scenario| {
        scenario.finishes("app", &[TERM]).exits(143);
    });
}

#[test]
fn a_retry_loop_does_not_try_again() {
    in_each(&ALL, "until @ app --exit 1; do echo again; sleep 0.1; done", |scenario| {
        scenario.finishes("app", &[TERM]).never("again").exits(143);
    });
}

#[test]
fn an_and_or_list_does_not_go_on() {
    in_each(&ALL, "@ app --exit 1 || echo failed; @ app && echo worked", |scenario| {
        scenario.finishes("app", &[TERM]).never("failed").never("worked").exits(143);
    });
}

#[test]
fn command_substitution_is_no_hiding_place() {
    in_each(&ALL, r#"x=$(@ app); echo "after $x""#, |scenario| {
        scenario
            .told("app", &[TERM])
            .once("app ready")
            .notes("app cleaned")
            .never("after")
            .exits(143);
    });
}

/// The reader of its last line may be gone by then: zsh runs the trap at once.
#[test]
fn a_trap_runs_as_soon_as_a_command_substitution_has_finished() {
    in_each(
        &ALL,
        r#"trap 'echo trap ran >>"$WITNESS_LOG"; exit 3' TERM; x=$(@ app); true"#,
        |scenario| {
            scenario
                .once("app ready")
                .told("app", &[TERM])
                .notes("app cleaned")
                .notes("trap ran")
                .exits(3);
        },
    );
}

#[test]
fn a_trap_runs_as_soon_as_a_pipeline_has_finished() {
    in_each(
        &ALL,
        r#"trap 'echo trap ran >>"$WITNESS_LOG"; exit 3' TERM; @ app | tee out; true"#,
        |scenario| {
            let exit = scenario.finishes("app", &[TERM]).notes("trap ran").exits(3);
            assert_eq!(exit.stdout, "app: bye\n", "{exit}");
        },
    );
}
