//! Programs that hear of a stop from others as well, or from nobody but outro.

use std::time::Duration;

use outro_test::{INT, QUIT, Scenario, TERM, WINCH};

#[test]
fn an_orphan_that_its_master_told_by_the_group_is_not_told_again() {
    let script = format!("{} app --on-term 0.5; true", outro_test::witness());
    Scenario::exec(["timeout", "100", "sh", "-c", &script]).finishes("app", &[TERM]).exits(143);
}

#[test]
fn background_jobs_of_a_shell_without_a_trap_are_told_at_once_under_int() {
    for shell in ["dash", "bash"] {
        let exit =
            Scenario::shell(shell, "@ app & wait").signal(INT).finishes("app", &[TERM]).exits(130);
        assert!(exit.took < Duration::from_secs(3), "{exit}");
    }
}

#[test]
fn the_program_of_a_script_with_a_trap_for_its_exit_is_told_at_once() {
    let exit = Scenario::shell("bash", "trap 'sleep 0.3' EXIT; @ app; true")
        .finishes("app", &[TERM])
        .exits(143);
    assert!(exit.took < Duration::from_secs(3), "{exit}");
}

#[test]
fn a_job_beside_something_in_the_foreground_is_told_by_the_trap_alone() {
    for shell in ["dash", "bash"] {
        let line = "trap 'kill -TERM $C; wait $C; exit 0' TERM; @ app --on-term 0.7 & C=$!; \
                    echo armed >>\"$WITNESS_LOG\"; sleep infinity";
        Scenario::shell(shell, line)
            .once("app ready")
            .once("armed")
            .finishes("app", &[TERM])
            .exits(0);
    }
}

#[test]
fn a_child_of_who_blocks_the_signal_and_never_takes_it_is_told() {
    Scenario::command("unshare --fork @ app").finishes("app", &[TERM]).exits(0);
}

#[test]
fn nobody_ends_of_winch_so_they_get_term_in_its_place() {
    // (A witness would take it for its own business.)
    Scenario::shell("dash", "echo armed >>\"$WITNESS_LOG\"; while true; do sleep 100; done")
        .flags("--stop-signal WINCH")
        .signal(WINCH)
        .once("armed")
        .exits(143);
}

#[test]
fn a_limit_on_the_size_of_files_kills_nobody_for_outro_s_own_words() {
    // Standard error is at its limit, and outro has something to say.
    let prelude = "head -c 4090 /dev/zero >err.big; ulimit -f 4; exec 2>>err.big";
    Scenario::command("@ app --on-term 0.5")
        .with(|init| init.prelude(prelude))
        .flags("-v")
        .finishes("app", &[TERM])
        .exits(0);
}

#[test]
fn a_report_to_standard_output_leaves_the_program_s_lines() {
    let exit = Scenario::command("@ app")
        .flags("--report /dev/stdout")
        .signal(QUIT)
        .finishes("app", &[QUIT])
        .exits(0);
    assert!(exit.stdout.starts_with("app: bye\n{"), "{exit}");
}
