//! Families of processes: pools, daemons, runaways and those who leave children behind.

use std::time::Duration;

use outro_test::{Init, Scenario, TERM, USR2, fixture, python, witness};

fn dash(line: &str) -> Scenario {
    Scenario::shell("dash", line)
}

#[test]
fn the_workers_of_a_pool_are_told_by_their_master_alone() {
    Scenario::command("@ master --pool 3")
        .finishes("master", &[TERM])
        .finishes("master.1", &[USR2])
        .finishes("master.2", &[USR2])
        .finishes("master.3", &[USR2])
        .exits(0);
}

#[test]
fn the_workers_of_a_pool_in_a_loop_are_told_by_their_master_alone() {
    dash("while true; do @ master --pool 2; sleep 1; done")
        .finishes("master", &[TERM])
        .finishes("master.1", &[USR2])
        .finishes("master.2", &[USR2])
        .exits(143);
}

#[test]
fn the_workers_of_a_master_that_waits_for_blocked_signals_are_its_own() {
    dash("while true; do @ master --block --pool 2; sleep 1; done")
        .finishes("master", &[TERM])
        .finishes("master.1", &[USR2])
        .finishes("master.2", &[USR2])
        .exits(143);
}

#[test]
fn two_pools_side_by_side_keep_to_themselves() {
    dash("@ left --pool 1 & @ right --pool 1 & wait")
        .finishes("left", &[TERM])
        .finishes("left.1", &[USR2])
        .finishes("right", &[TERM])
        .finishes("right.1", &[USR2])
        .exits(143);
}

#[test]
fn a_daemon_is_told_and_waited_for() {
    dash("@ daemon --daemon --on-term 1; @ app")
        .finishes("app", &[TERM])
        .finishes("daemon", &[TERM])
        .exits(143);
}

#[test]
fn a_grandchild_in_a_session_of_its_own_is_told_and_waited_for() {
    dash("@ app --setsid --on-term 1; true").finishes("app", &[TERM]).exits(143);
}

#[test]
fn a_grandchild_deep_below_ten_shells_is_told_once() {
    let mut line = "@ app; true".to_owned();
    for _ in 0..10 {
        line = format!("( {line} ); true");
    }
    dash(&line).finishes("app", &[TERM]).exits(143);
}

#[test]
fn a_program_that_ignores_the_signal_is_waited_for() {
    dash("@ deaf --ignore --for 3; true")
        .once("deaf ready")
        .told("deaf", &[])
        .notes("deaf done")
        .exits(143);
}

#[test]
fn the_children_of_a_program_that_ignores_the_signal_are_told() {
    dash("@ deaf --ignore --wait --for 3 --child kid; true")
        .finishes("kid", &[TERM])
        .once("deaf ready")
        .notes("deaf done")
        .exits(143);
}

#[test]
fn a_program_that_waits_for_the_blocked_signal_is_told_once() {
    dash("@ app --block; true").finishes("app", &[TERM]).exits(143);
}

#[test]
fn the_children_of_one_that_dies_of_the_signal_again_are_told() {
    dash("@ app --reraise --child kid; true")
        .once("app ready")
        .told("app", &[TERM])
        .finishes("kid", &[TERM])
        .exits(143);
}

#[test]
fn the_main_process_may_die_of_the_signal_again_too() {
    Scenario::command("@ app --reraise --child kid")
        .once("app ready")
        .finishes("kid", &[TERM])
        .exits(143);
}

#[test]
fn a_child_that_is_forked_in_a_clean_up_is_told_when_its_parent_is_gone() {
    dash("@ app --on-term 1 --fork-on-term late; true")
        .finishes("app", &[TERM])
        .told("late", &[TERM])
        .notes("late cleaned")
        .exits(143);
}

#[test]
fn a_child_that_is_forked_in_a_clean_up_is_its_parent_s_as_long_as_that_lives() {
    Scenario::exec([
        "dash",
        "-c",
        &format!("{} app --wait --fork-on-term 'late --for 1'; true", witness()),
    ])
    .finishes("app", &[TERM])
    .told("late", &[])
    .notes("late done")
    .exits(143);
}

#[test]
fn a_daemon_that_is_started_in_a_clean_up_is_told_and_waited_for() {
    Scenario::exec([
        "dash",
        "-c",
        &format!("{} app --on-term 1 --fork-on-term 'late --daemon'; true", witness()),
    ])
    .finishes("app", &[TERM])
    .told("late", &[TERM])
    .notes("late cleaned")
    .exits(143);
}

#[test]
fn a_program_that_forks_all_the_time_ends() {
    let storm = format!("{} {} handles", python(), fixture("storm.py"));
    let exit =
        dash(&format!("{storm}; true")).once("storm ready").notes("storm cleaned").exits(143);
    assert_eq!(
        exit.log.count("child got 15"),
        0,
        "the children of one that handles are its own\n{exit}"
    );
}

#[test]
fn a_program_that_forks_all_the_time_and_handles_nothing_ends() {
    let storm = format!("{} {} default", python(), fixture("storm.py"));
    let exit = dash(&format!("{storm}; true")).once("storm ready").exits(143);
    assert!(exit.took < Duration::from_secs(15), "{exit}");
}

#[test]
fn a_chain_of_processes_that_each_fork_the_next_and_end_is_caught() {
    let chain = format!("{} {} chain", python(), fixture("storm.py"));
    let exit = dash(&format!("{chain}; sleep 100")).once("storm ready").exits(143);
    assert!(exit.took < Duration::from_secs(15), "{exit}");
}

#[test]
fn a_reused_pid_is_no_mistaken_identity() {
    // A namespace that has only the PIDs from 300 to 399 left: the children that are forked in the
    // clean-up get those of the processes that were told and are gone, over and over.
    let storm = format!("{} {} handles", python(), fixture("storm.py"));
    let exit = dash(&format!("for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; {storm}; true"))
        .with(|init: Init| {
            init.prelude(
                "echo 320 >/proc/sys/kernel/ns_last_pid; echo 400 >/proc/sys/kernel/pid_max",
            )
        })
        .once("storm ready")
        .notes("storm cleaned")
        .notes("storm went around")
        .exits(143);
    assert_eq!(exit.log.count("child got 15"), 0, "{exit}");
}

#[test]
fn two_thousand_are_told_once_each() {
    let crowd = format!("{} {} 2000", python(), fixture("crowd.py"));
    let exit = Scenario::command(&crowd)
        .once("crowd ready")
        .notes_count("member got 15", 2000)
        .never("again")
        .exits(143);
    assert!(exit.took < Duration::from_secs(20), "{exit}");
}
