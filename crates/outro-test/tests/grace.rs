//! The grace: who is killed at its end, who is named for it, and what the report says.

use outro_test::{Exit, Scenario, TERM, witness};

fn dash(line: &str) -> Scenario {
    Scenario::shell("dash", line)
}

/// The lines that name who was killed.
fn killed(exit: &Exit) -> Vec<&str> {
    exit.messages().into_iter().filter(|line| line.starts_with("outro: killed ")).collect()
}

/// Whether a text is `parts` with something between them.
fn reads(text: &str, parts: &[&str]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| {
        rest.find(part).is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}

#[test]
fn one_that_does_not_leave_is_killed_and_named() {
    let exit = Scenario::command("@ app --on-term 100")
        .flags("--grace 2")
        .once("app ready")
        .told("app", &[TERM])
        .exits(137);
    assert!(exit.took.as_secs() < 15, "{exit}");
    let lines = killed(&exit);
    assert_eq!(lines.len(), 1, "{exit}");
    assert!(
        reads(
            lines[0],
            &[
                "outro: killed ",
                " (",
                "witness.py app",
                "), ",
                "s old: told TERM ",
                "s before and did not leave"
            ]
        ),
        "{exit}"
    );
    let entry = exit.reported("witness.py app");
    assert_eq!(entry["told"][0]["signal"], "TERM", "{exit}");
    assert_eq!(entry["told"][1]["signal"], "KILL", "{exit}");
    // On a machine so busy that outro wakes up too late to see it go, it is left behind.
    if entry["outcome"] != "left behind" {
        assert_eq!(entry["outcome"], "killed", "{exit}");
        assert_eq!(entry["left"]["how"], "signal KILL", "{exit}");
    }
}

#[test]
fn one_that_was_never_told_is_named_as_well() {
    let exit = dash("@ deaf --ignore; true")
        .flags("--grace 2")
        .once("deaf ready")
        .told("deaf", &[])
        .exits(143);
    assert!(reads(killed(&exit)[0], &["outro: killed ", "witness.py deaf"]), "{exit}");
}

#[test]
fn only_those_who_are_left_are_killed() {
    let exit = dash("@ slow --on-term 100 & @ app & wait")
        .flags("--grace 5")
        .once("slow ready")
        .told("slow", &[TERM])
        .finishes("app", &[TERM])
        .exits(143);
    let lines = killed(&exit);
    assert_eq!(lines.len(), 1, "{exit}");
    assert!(lines[0].contains("witness.py slow"), "{exit}");
    assert_eq!(exit.reported("witness.py app")["outcome"], "left", "{exit}");
}

#[test]
fn the_workers_of_a_master_that_does_not_leave_are_killed_with_it() {
    let exit = Scenario::command("@ master --child kid --on-term 100")
        .flags("--grace 2")
        .once("kid ready")
        .told("kid", &[])
        .told("master", &[TERM])
        .once("master ready")
        .exits(137);
    assert!((1..=2).contains(&killed(&exit).len()), "{exit}");
}

#[test]
fn a_daemon_that_does_not_leave_is_killed_and_named() {
    let exit = dash("@ daemon --daemon --on-term 100; @ app")
        .flags("--grace 4")
        .once("daemon ready")
        .finishes("app", &[TERM])
        .told("daemon", &[TERM])
        .exits(143);
    assert_eq!(killed(&exit).len(), 1, "{exit}");
}

#[test]
fn outro_is_gone_before_the_grace_is_over() {
    let exit =
        Scenario::command("@ app --on-term 100").flags("--grace 4").once("app ready").exits(137);
    let stop = &exit.report["stop"];
    let millis = |key: &str| stop[key].as_f64().unwrap_or_else(|| panic!("no {key}\n{exit}"));
    assert!(millis("deadline_ms") < millis("grace_ms"), "{exit}");
    assert!(millis("took_ms") >= millis("deadline_ms"), "{exit}");
}

#[test]
fn without_a_grace_nobody_is_killed() {
    let exit = dash("@ app --on-term 4; true").finishes("app", &[TERM]).exits(143);
    assert!(killed(&exit).is_empty(), "{exit}");
    assert!(exit.report["stop"]["grace_ms"].is_null(), "{exit}");
}

#[test]
fn a_grace_longer_than_the_stop_costs_no_time() {
    let exit = dash("@ app; true").flags("--grace 1h").finishes("app", &[TERM]).exits(143);
    assert!(exit.took.as_secs() < 15, "{exit}");
    assert_eq!(exit.report["stop"]["grace_ms"], 3_600_000, "{exit}");
}

#[test]
fn the_grace_counts_the_delay() {
    let exit = Scenario::command("@ app --on-term 100")
        .flags("--delay 1 --grace 3")
        .once("app ready")
        .told("app", &[TERM])
        .exits(137);
    assert_eq!(exit.report["stop"]["delay_ms"], 1000, "{exit}");
    assert_eq!(exit.report["stop"]["grace_ms"], 3000, "{exit}");
}

#[test]
fn the_grace_of_a_platform_is_found_in_its_environment() {
    for (variables, seconds) in [
        (&[][..], 10),
        (&[("APTIBLE_PROCESS_TYPE", "web")], 10),
        (&[("DYNO", "web.1")], 30),
        (&[("FLY_APP_NAME", "app")], 5),
        (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], 30),
        (&[("K_SERVICE", "app")], 10),
        (&[("RENDER", "true")], 30),
        (&[("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4")], 30),
        (&[("NOMAD_ALLOC_ID", "1")], 5),
        (&[("RAILWAY_SERVICE_ID", "1"), ("RAILWAY_DEPLOYMENT_DRAINING_SECONDS", "45")], 45),
        (&[("CONTAINER_APP_NAME", "app")], 30),
    ] {
        let exit = Scenario::command("@ app --on-term 0")
            .flags("--grace auto")
            .with(|init| variables.iter().fold(init, |init, (key, value)| init.env(key, *value)))
            .finishes("app", &[TERM])
            .exits(0);
        assert_eq!(exit.report["stop"]["grace_ms"], seconds * 1000, "{variables:?}\n{exit}");
    }
}

/// A main process that starts `kid` and ends by itself when the kid is ready.
fn leaves(kid: &str, flags: &str) -> Scenario {
    let script = format!(
        r#"{} kid {kid} & until grep -q "kid ready" "$WITNESS_LOG"; do sleep 0.05; done; exit 3"#,
        witness()
    );
    Scenario::exec(["sh", "-c", &script]).flags(flags).notes("kid ready")
}

#[test]
fn what_the_main_process_leaves_behind_is_told_and_waited_for() {
    let exit = leaves("--on-term 1", "")
        .told("kid", &[TERM])
        .notes("kid cleaned")
        .exits_after(3, |_, _| {});
    assert!(killed(&exit).is_empty(), "{exit}");
}

#[test]
fn what_the_main_process_leaves_behind_is_killed_after_the_linger_and_named() {
    let exit = leaves("--on-term 100", "--linger 1").told("kid", &[TERM]).exits_after(3, |_, _| {});
    assert!(exit.took.as_secs() < 15, "{exit}");
    assert_eq!(killed(&exit).len(), 1, "{exit}");
}

#[test]
fn a_stop_that_comes_while_outro_lingers_tells_nobody_twice() {
    leaves("--on-term 2", "").told("kid", &[TERM]).notes("kid cleaned").exits_after(
        3,
        |running, signal| {
            running.wait_for("kid got 15");
            running.signal(signal);
        },
    );
}
