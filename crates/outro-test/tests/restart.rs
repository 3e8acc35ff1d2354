//! Starting the program again, and why a stop ends that.

use std::time::Duration;

use outro_test::{Exit, Init, Scenario, TERM, witness};

const NOTE: &str = r#"echo run >>"$WITNESS_LOG"; "#;

/// Notes each run and ends with this code.
fn crashing(code: i32, flags: &str) -> Exit {
    let line = format!("{NOTE}exit {code}");
    Init::outro().report().words(flags).args(["--", "sh", "-c", &line]).start().wait()
}

/// Fails twice and then becomes a witness.
fn recovering(witness_options: &str, flags: &str) -> Scenario {
    let line = format!(
        r#"{NOTE}[ "$(grep -c run "$WITNESS_LOG")" -gt 2 ] || exit 9; exec @ app {witness_options}"#
    );
    Scenario::shell("sh", &line).flags(flags)
}

#[test]
fn nothing_is_started_again_unless_it_is_asked_for() {
    let exit = crashing(7, "");
    assert_eq!((exit.code, exit.log.count("run")), (7, 1), "{exit}");
}

#[test]
fn a_failure_is_started_again_until_it_runs() {
    recovering("--exit 5", "--restart on-failure --restart-delay 50ms")
        .finishes("app", &[TERM])
        .notes_count("run", 3)
        .exits(5);
}

#[test]
fn a_success_is_not_started_again_on_failure() {
    let exit = crashing(0, "--restart on-failure --restart-delay 50ms");
    assert_eq!((exit.code, exit.log.count("run")), (0, 1), "{exit}");
}

#[test]
fn a_success_is_started_again_with_always() {
    let exit = crashing(0, "--restart always --restart-delay 10ms --restart-limit 3");
    assert_eq!((exit.code, exit.log.count("run")), (0, 4), "{exit}");
}

#[test]
fn a_program_killed_by_a_signal_has_failed() {
    let line = format!("{NOTE}kill -KILL $$");
    let exit = Init::outro()
        .words("--restart on-failure --restart-delay 10ms --restart-limit 2")
        .args(["--", "sh", "-c", &line])
        .start()
        .wait();
    assert_eq!((exit.code, exit.log.count("run")), (137, 3), "{exit}");
}

#[test]
fn after_the_limit_outro_gives_up_with_the_program_s_code() {
    let exit = crashing(7, "--restart on-failure --restart-delay 10ms --restart-limit 2");
    assert_eq!((exit.code, exit.log.count("run")), (7, 3), "{exit}");
    assert!(!exit.messages().is_empty(), "it says so\n{exit}");
}

#[test]
fn the_pause_doubles() {
    // 200, 400, 800 and 1600 ms: a pause that stayed the same would make 800.
    let exit = crashing(7, "--restart on-failure --restart-delay 200ms --restart-limit 4");
    assert_eq!(exit.log.count("run"), 5, "{exit}");
    assert!(exit.took >= Duration::from_millis(3000), "{exit}");
}

#[test]
fn an_expected_code_is_no_failure() {
    let exit =
        crashing(7, "--restart on-failure --restart-delay 10ms --restart-limit 3 --expect 7");
    assert_eq!((exit.code, exit.log.count("run")), (0, 1), "{exit}");
}

#[test]
fn the_environment_asks_for_it_as_well() {
    let line = format!("{NOTE}exit 7");
    let exit = Init::outro()
        .args(["--", "sh", "-c", &line])
        .env("OUTRO_RESTART", "on-failure")
        .env("OUTRO_RESTART_DELAY", "10ms")
        .env("OUTRO_RESTART_LIMIT", "2")
        .start()
        .wait();
    assert_eq!((exit.code, exit.log.count("run")), (7, 3), "{exit}");
}

#[test]
fn a_stop_beats_a_restart() {
    for policy in ["always", "on-failure"] {
        Scenario::command("@ app --exit 7")
            .flags(&format!("--restart {policy} --restart-delay 10ms"))
            .finishes("app", &[TERM])
            .exits(7);
    }
}

#[test]
fn a_main_process_that_is_gone_first_is_not_started_again_while_others_clean_up() {
    Scenario::shell("sh", &format!("{NOTE}@ app --on-term 1; true"))
        .flags("--restart always --restart-delay 10ms")
        .finishes("app", &[TERM])
        .notes("run")
        .exits(143);
}

#[test]
fn a_stop_ends_the_pause_between_two_runs() {
    let line = format!("{NOTE}exit 7");
    let running = Init::outro()
        .report()
        .words("--restart always --restart-delay 1h")
        .args(["--", "sh", "-c", &line])
        .start();
    running.wait_for("run");
    // The shell is gone, and PID 1 alone.
    running.until("the pause", || (running.members().len() == 1).then_some(()));
    running.signal(TERM);
    let exit = running.wait();
    assert_eq!((exit.code, exit.log.count("run")), (7, 1), "{exit}");
    assert!(exit.took.as_secs() < 15, "{exit}");
}

#[test]
fn what_a_crashed_run_left_behind_is_gone_before_the_next_one() {
    let line = format!(
        r#"{NOTE}n=$(grep -c run "$WITNESS_LOG"); {} kid$n --on-term 0.5 & until grep -q "kid$n ready" "$WITNESS_LOG"; do sleep 0.05; done; exit 3"#,
        witness()
    );
    let exit = Init::outro()
        .words("--restart always --restart-delay 10ms --restart-limit 1")
        .args(["--", "sh", "-c", &line])
        .start()
        .wait();
    assert_eq!((exit.code, exit.log.count("run")), (3, 2), "{exit}");
    assert_eq!((exit.log.told("kid1"), exit.log.told("kid2")), (vec![TERM], vec![TERM]), "{exit}");
    let at = |line: &str| exit.log.lines().iter().position(|own| own.starts_with(line));
    assert!(at("kid1 cleaned").is_some() && at("kid1 cleaned") < at("kid2 ready"), "{exit}");
    assert!(at("kid2 cleaned").is_some(), "{exit}");
}
