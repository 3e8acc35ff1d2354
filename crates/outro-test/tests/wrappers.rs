//! Commands that people put before their program.

use outro_test::{Scenario, TERM, fixture, require, venv, witness};

fn command(words: &str) -> Scenario {
    require(words.split(' ').next().expect("a command has a name"));
    Scenario::command(words)
}

fn dash(line: &str) -> Scenario {
    Scenario::shell("dash", line)
}

#[test]
fn env_becomes_the_program() {
    command("env A=1 @ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn nice_becomes_the_program() {
    command("nice -n 5 @ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn timeout_passes_the_signal_on() {
    // It signals its child and then its group, the child included: twice, and by itself.
    command("timeout 60 @ app --exit 7").cleans_up("app").exits(7);
}

#[test]
fn timeout_in_the_foreground_passes_the_signal_on_once() {
    command("timeout --foreground 60 @ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn setsid_that_becomes_the_program_is_reached() {
    dash("setsid @ app & wait").finishes("app", &[TERM]).exits(143);
}

#[test]
fn setsid_that_waits_for_the_program_dies_and_the_program_is_told() {
    command("setsid --fork --wait @ app").finishes("app", &[TERM]).exits(143);
}

#[test]
fn setpriv_becomes_the_program_of_another_user() {
    command("setpriv --reuid 65534 --regid 65534 --clear-groups @ app --exit 7")
        .finishes("app", &[TERM])
        .exits(7);
}

#[test]
fn sudo_passes_the_signal_on() {
    command("sudo -n -E @ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn sudo_as_another_user_passes_the_signal_on() {
    command("sudo -n -E -u nobody @ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn gosu_becomes_the_program_of_another_user() {
    command("gosu nobody @ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn su_passes_the_signal_on() {
    Scenario::exec(["su", "nobody", "-s", "/bin/sh", "-c", &format!("{} app", witness())])
        .finishes("app", &[TERM])
        .exits(143);
}

#[test]
fn flock_dies_and_the_program_is_told() {
    command("flock lock @ app").finishes("app", &[TERM]).exits(143);
}

/// A command that runs `npm start` with this start script.
fn with_npm(scenario: Scenario, script: &str) -> Scenario {
    require("npm");
    let package =
        format!(r#"{{"name": "app", "version": "1.0.0", "scripts": {{"start": "{script}"}}}}"#);
    scenario.with(|init| {
        init.scratch().write("package.json", &package);
        init.env("npm_config_update_notifier", "false")
    })
}

fn npm(script: &str) -> Scenario {
    with_npm(Scenario::command("npm start --loglevel silent"), script)
}

#[test]
fn npm_start_passes_the_signal_on_to_its_program() {
    npm(&format!("{} app", witness())).finishes("app", &[TERM]).exits(143);
}

#[test]
fn npm_start_with_a_shell_between_does_not_lose_the_program() {
    npm(&format!("{} app && echo after", witness()))
        .finishes("app", &[TERM])
        .never("after")
        .exits(143);
}

#[test]
fn npm_start_runs_node() {
    require("node");
    npm(&format!("node {} app", fixture("witness.js"))).finishes("app", &[TERM]).exits(143);
}

#[test]
fn npm_start_in_a_loop_of_shell() {
    let looping = dash("while true; do npm start --loglevel silent; sleep 1; done");
    with_npm(looping, &format!("{} app", witness())).finishes("app", &[TERM]).exits(143);
}

#[test]
fn newrelic_admin_becomes_the_program() {
    Scenario::command(&format!("{} run-program @ app --exit 7", venv("newrelic-admin")))
        .finishes("app", &[TERM])
        .exits(7);
}

#[test]
fn a_python_module_is_a_program_like_any_other() {
    let folder = fixture("witness.py").replace("/witness.py", "");
    Scenario::command("/usr/bin/python3 -BS -m witness app --exit 7")
        .with(|init| init.env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1"))
        .finishes("app", &[TERM])
        .exits(7);
}

#[test]
fn wrappers_in_wrappers_in_a_loop_of_shell() {
    let newrelic = venv("newrelic-admin");
    dash(&format!("while true; do env A=1 nice timeout --foreground 60 setsid --wait {newrelic} run-program @ app; sleep 1; done"))
        .finishes("app", &[TERM])
        .exits(143);
}

#[test]
fn wrappers_that_become_another_user_in_a_loop_of_shell() {
    dash("while true; do gosu nobody env A=1 @ app; sleep 1; done")
        .finishes("app", &[TERM])
        .exits(143);
}
