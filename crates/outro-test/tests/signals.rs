//! Which signals mean stop, which do not, and whom they reach on which route.

use outro_test::{HUP, INT, QUIT, Scenario, Signal, TERM, USR1, USR2, WINCH, rtmin, witness};

const SHELLS: [&str; 6] = ["dash", "bash", "busybox sh", "zsh", "mksh", "ksh93"];

fn dash(line: &str) -> Scenario {
    Scenario::shell("dash", line)
}

#[test]
fn int_ends_a_loop() {
    for shell in SHELLS {
        if shell != "bash" {
            Scenario::shell(shell, "while true; do @ app; sleep 1; done")
                .signal(INT)
                .finishes("app", &[INT])
                .exits(130);
        }
    }
}

/// bash goes on after INT when its program exited as if nothing had happened, and so starts it again.
/// It does not do so for ever: it gets TERM then.
#[test]
fn int_ends_a_loop_of_bash_that_goes_on_with_it() {
    let exit = Scenario::shell("bash", "while true; do @ app; sleep 1; done")
        .signal(INT)
        .once("app ready")
        .exits(143);
    assert_eq!(exit.log.told("app")[0], INT, "{exit}");
    assert!(exit.log.has("app cleaned"), "{exit}");
}

#[test]
fn int_ends_a_loop_of_bash_whose_program_dies_of_it() {
    Scenario::shell("bash", "while true; do @ app --reraise; sleep 1; done")
        .signal(INT)
        .once("app ready")
        .told("app", &[INT])
        .exits(130);
}

/// Some shells ignore QUIT always, so they get TERM in its place.
fn code_after_quit(shell: &str) -> i32 {
    if ["bash", "busybox sh", "zsh"].contains(&shell) { 143 } else { 131 }
}

#[test]
fn quit_ends_a_loop() {
    for shell in SHELLS {
        Scenario::shell(shell, "while true; do @ app; sleep 1; done")
            .signal(QUIT)
            .finishes("app", &[QUIT])
            .exits(code_after_quit(shell));
    }
}

/// Shells start their background jobs with INT and QUIT ignored, as POSIX has it. Nobody would ever
/// tell those.
#[test]
fn background_jobs_of_a_shell_get_term_in_place_of_int() {
    for shell in SHELLS {
        Scenario::shell(shell, "@ first & @ second & wait")
            .signal(INT)
            .finishes("first", &[TERM])
            .finishes("second", &[TERM])
            .exits(130);
    }
}

#[test]
fn background_jobs_of_a_shell_get_term_in_place_of_quit() {
    for shell in SHELLS {
        Scenario::shell(shell, "@ app & wait")
            .signal(QUIT)
            .finishes("app", &[TERM])
            .exits(code_after_quit(shell));
    }
}

#[test]
fn a_trap_of_int_runs_as_soon_as_the_program_in_front_has_finished() {
    dash("trap 'exit 3' INT; @ app; true").signal(INT).finishes("app", &[INT]).exits(3);
}

#[test]
fn a_trap_of_int_that_forwards_is_the_only_one_to_tell_the_program() {
    dash(r#"trap 'kill -TERM $pid' INT; @ app & pid=$!; echo armed >>"$WITNESS_LOG"; wait $pid; wait $pid; exit 4"#)
        .signal(INT)
        .once("armed")
        .finishes("app", &[TERM])
        .exits(4);
}

#[test]
fn a_real_time_signal_can_be_the_stop_signal() {
    Scenario::command("@ app --stop 37")
        .flags("--stop-signal RTMIN+3")
        .signal(rtmin(3))
        .finishes("app", &[rtmin(3)])
        .exits(0);
    dash("while true; do @ app --stop 37; sleep 1; done")
        .flags("--stop-signal SIGRTMIN+3")
        .signal(rtmin(3))
        .finishes("app", &[rtmin(3)])
        .exits(128 + 37);
}

#[test]
fn any_signal_can_be_a_stop_signal_beside_the_usual_three() {
    let usr1 = |signal| {
        dash("while true; do @ app --stop 10; sleep 1; done")
            .flags("--stop-signal USR1,HUP --stop-signal 12")
            .signal(signal)
    };
    usr1(USR1).finishes("app", &[USR1]).exits(138);
    usr1(TERM).finishes("app", &[TERM]).exits(143);
}

#[test]
fn other_signals_go_to_the_main_process_alone() {
    let others = [HUP, USR1, USR2, WINCH, rtmin(1)];
    Scenario::exec([
        "sh",
        "-c",
        &format!("exec {} main --note 35 --child 'kid --note 35'", witness()),
    ])
    .finishes("main", &[HUP, USR1, USR2, WINCH, rtmin(1), TERM])
    .finishes("kid", &[TERM])
    .exits_after(0, |running, signal| {
        for other in others {
            running.signal(other);
            running.wait_for(&format!("main got {}", other.0));
        }
        running.signal(signal);
    });
}

#[test]
fn a_repeated_stop_signal_is_told_to_nobody_twice() {
    dash("while true; do @ app --on-term 1; sleep 1; done").finishes("app", &[TERM]).exits_after(
        143,
        |running, signal| {
            for _ in 0..3 {
                running.signal(signal);
                running.wait_for("app got 15");
            }
        },
    );
}

/// A main process that cleans up for two seconds, and a child of it that ends at its first signal.
/// Told early, the child ends before the main process; told late, after it.
fn family(flags: &str, child: &str) -> Scenario {
    Scenario::exec([
        "sh",
        "-c",
        &format!("exec {} main --on-term 2 --child 'kid {child}'", witness()),
    ])
    .flags(flags)
    .finishes("main", &[TERM])
    .finishes("kid", &[TERM])
}

fn order(scenario: Scenario, names: [&str; 2]) {
    let exit = scenario.exits(0);
    let cleaned: Vec<_> =
        exit.log.lines().iter().filter(|line| line.ends_with(" cleaned")).collect();
    assert_eq!(
        cleaned,
        names.map(|name| format!("{name} cleaned")).iter().collect::<Vec<_>>(),
        "{exit}"
    );
}

#[test]
fn the_tree_route_leaves_a_child_to_a_parent_that_handles_the_signal() {
    order(family("", ""), ["main", "kid"]);
    order(family("--route tree", ""), ["main", "kid"]);
}

#[test]
fn the_main_route_tells_the_main_process_alone() {
    order(family("--route main", ""), ["main", "kid"]);
}

#[test]
fn the_group_route_tells_the_main_process_s_group() {
    order(family("--route group", ""), ["kid", "main"]);
    order(family("--route group", "--setsid"), ["main", "kid"]);
}

#[test]
fn the_all_route_tells_everyone() {
    order(family("--route all", ""), ["kid", "main"]);
    order(family("--route all", "--setsid"), ["kid", "main"]);
}

#[test]
fn a_flag_may_be_said_by_the_environment() {
    order(family("", "").with(|init| init.env("OUTRO_ROUTE", "all")), ["kid", "main"]);
    order(family("--route tree", "").with(|init| init.env("OUTRO_ROUTE", "all")), ["main", "kid"]);
}

fn rewritten(flags: &str, signal: Signal) -> Scenario {
    Scenario::command("@ app --stop 12").flags(flags).signal(signal)
}

#[test]
fn a_signal_is_rewritten() {
    rewritten("--rewrite TERM:QUIT", TERM).finishes("app", &[QUIT]).exits(0);
    rewritten("--rewrite SIGTERM:USR2", TERM).finishes("app", &[USR2]).exits(0);
    rewritten("--rewrite HUP:TERM", HUP).finishes("app", &[TERM]).exits(0);
    rewritten("--rewrite TERM:QUIT --rewrite QUIT:TERM", QUIT).finishes("app", &[TERM]).exits(0);
    rewritten("", TERM)
        .with(|init| init.env("OUTRO_REWRITE", "TERM:QUIT"))
        .finishes("app", &[QUIT])
        .exits(0);
}

#[test]
fn a_signal_that_is_rewritten_to_nothing_is_dropped() {
    rewritten("--rewrite TERM:0 --rewrite HUP:0", TERM).finishes("app", &[USR1, QUIT]).exits_after(
        0,
        |running, dropped| {
            running.signal(dropped);
            running.signal(HUP);
            running.signal(USR1);
            running.wait_for("app got 10");
            running.signal(QUIT);
        },
    );
}

#[test]
fn a_stop_is_held_back_by_a_delay() {
    let exit = Scenario::command("@ app --on-term 0")
        .flags("--delay 1500ms")
        .finishes("app", &[TERM])
        .exits(0);
    assert!(exit.took.as_millis() >= 1500, "{exit}");
}

#[test]
fn a_delay_ends_with_a_main_process_that_ends_by_itself() {
    let exit = Scenario::command("@ app --stop 10 --exit 4")
        .flags("--delay 1h")
        .finishes("app", &[USR1])
        .exits_after(4, |running, signal| {
            running.signal(signal);
            running.signal(USR1);
        });
    assert!(exit.took.as_secs() < 15, "{exit}");
}
