//! Inits and process managers below outro: what they manage is theirs to tell.

use outro_test::{Init, QUIT, Scenario, TERM, USR2, outro, require, venv, witness};

/// A command in a loop of shell, as everywhere.
fn looped(words: &str) -> Scenario {
    Scenario::shell("dash", &format!("while true; do {words}; sleep 1; done"))
}

#[test]
fn tini_below_outro_tells_its_program_alone() {
    require("tini");
    looped("tini -s -- @ app").finishes("app", &[TERM]).exits(143);
    looped("tini -s -g -- @ app --child kid --wait")
        .finishes("app", &[TERM])
        .finishes("kid", &[TERM])
        .exits(143);
}

#[test]
fn dumb_init_below_outro_tells_its_session_alone() {
    require("dumb-init");
    looped("dumb-init @ app --child kid --wait")
        .finishes("app", &[TERM])
        .finishes("kid", &[TERM])
        .exits(143);
    looped("dumb-init --single-child @ app").finishes("app", &[TERM]).exits(143);
    looped("dumb-init --rewrite 15:3 @ app").finishes("app", &[QUIT]).exits(143);
}

#[test]
fn catatonit_below_outro_tells_its_program_alone() {
    require("catatonit");
    looped("catatonit -- @ app").finishes("app", &[TERM]).exits(143);
}

#[test]
fn outro_below_outro_tells_its_own() {
    let inner = outro();
    looped(&format!("{inner} -- dash -c '@ app; true'")).finishes("app", &[TERM]).exits(143);
    looped(&format!("{inner} -- @ master --pool 2"))
        .finishes("master", &[TERM])
        .finishes("master.1", &[USR2])
        .finishes("master.2", &[USR2])
        .exits(143);
}

#[test]
fn make_below_outro_tells_its_recipe() {
    require("make");
    let recipe = format!("run:\n\t@{} app\n\t@echo after\n", witness());
    Scenario::command("make -s run")
        .with(|init| {
            init.scratch().write("Makefile", &recipe);
            init
        })
        .finishes("app", &[TERM])
        .never("after")
        .exits(143);
}

#[test]
fn supervisord_below_outro_tells_its_programs_alone() {
    let command = format!("{} -n -c supervisord.conf", venv("supervisord"));
    let config = |init: Init| {
        let program =
            |name: &str| format!("[program:{name}]\ncommand={} {name} --on-term 1\n", witness());
        let config = format!(
            "[supervisord]\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=pid\nchildlogdir=.\n{}{}",
            program("one"),
            program("two")
        );
        init.scratch().write("supervisord.conf", &config);
        init
    };
    Scenario::command(&command)
        .with(config)
        .finishes("one", &[TERM])
        .finishes("two", &[TERM])
        .exits(0);
    looped(&command).with(config).finishes("one", &[TERM]).finishes("two", &[TERM]).exits(143);
}

#[test]
fn honcho_below_outro_tells_its_programs_alone() {
    let procfile = format!("one: exec {w} one --on-term 1\ntwo: exec {w} two\n", w = witness());
    looped(&format!("{} start", venv("honcho")))
        .with(|init| {
            init.scratch().write("Procfile", &procfile);
            init
        })
        .finishes("one", &[TERM])
        .finishes("two", &[TERM])
        .exits(143);
}

#[test]
fn a_program_under_script_on_a_terminal_of_its_own_cleans_up() {
    require("script");
    looped(&format!("script -qec '{} app' /dev/null", witness())).cleans_up("app").exits(143);
}
