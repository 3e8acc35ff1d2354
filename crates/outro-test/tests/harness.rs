//! The harness itself, held against an init that is known: tini signals its child only, leaves with
//! it, and so cuts off a grandchild's clean-up.

use outro_test::{HUP, INT, Init, TERM, USR1, require, rtmin, witness};

fn tini() -> Init {
    Init::new(require("tini")).arg("--")
}

#[test]
fn a_witness_tells_what_it_got_and_that_it_finished() {
    let init = tini().words(&format!("{} app --exit 7", witness())).start();
    init.wait_for("app ready");
    init.signal(USR1);
    init.wait_for("app got 10");
    init.signal(TERM);
    let exit = init.wait();
    assert_eq!(exit.code, 7, "{exit}");
    assert_eq!(exit.log.told("app"), [USR1, TERM], "{exit}");
    assert!(exit.log.has("app cleaned"), "{exit}");
    assert_eq!(exit.stdout, "app: bye\n");
}

#[test]
fn a_clean_up_that_is_cut_off_is_seen() {
    let init =
        tini().args(["sh", "-c"]).arg(format!("{} app --on-term 1; echo after", witness())).start();
    init.wait_for("app ready");
    init.signal(TERM);
    let exit = init.wait();
    assert_eq!(exit.code, 143, "{exit}");
    assert!(!exit.log.has("app cleaned"), "{exit}");
    assert_eq!(exit.stdout, "");
}

#[test]
fn every_kind_of_witness_acts_as_it_says() {
    let w = witness();
    let line = format!(
        "{w} pool --pool 2 & {w} raises --reraise & {w} deaf --ignore --for 4 & {w} waits --block --stop 37 &
         {w} forks --fork-on-term late & {w} first --daemon & {w} parent --child kid --wait & {w} plain --default & wait"
    );
    let init = tini().args(["sh", "-c"]).arg(line).start();
    for name in [
        "pool", "pool.1", "pool.2", "raises", "deaf", "waits", "forks", "first", "parent", "kid",
        "plain",
    ] {
        init.wait_for(&format!("{name} ready"));
    }
    for name in ["pool", "raises", "deaf", "forks", "first", "kid", "parent", "plain"] {
        init.witness(name).signal(TERM);
    }
    init.witness("waits").signal(rtmin(3));
    init.wait_for("late ready");
    for name in ["pool", "pool.1", "pool.2", "waits", "forks", "first", "parent", "kid"] {
        init.wait_for(&format!("{name} cleaned"));
    }
    init.wait_for("deaf done");
    let exit = init.log();
    assert_eq!(exit.told("deaf"), []);
    assert_eq!(exit.told("raises"), [TERM]);
    assert_eq!(exit.told("waits"), [rtmin(3)]);
    assert!(!exit.has("raises cleaned") && exit.told("plain").is_empty());
}

#[test]
fn a_prelude_hands_on_what_it_sets_up() {
    let init = tini()
        .prelude("trap '' HUP; mount -t tmpfs none /mnt; exec 2>&-")
        .args(["sh", "-c"])
        .arg(format!("echo lost >&2; stat -f -c %T /mnt; {} app", witness()))
        .start();
    init.wait_for("app ready");
    init.witness("app").signal(HUP);
    init.witness("app").signal(INT);
    let exit = init.wait();
    assert_eq!(exit.log.told("app"), [INT], "{exit}");
    assert_eq!((exit.stdout.as_str(), exit.stderr.as_str()), ("tmpfs\napp: bye\n", ""));
}

#[test]
fn a_terminal_shows_and_takes_keys() {
    let (init, mut terminal) = tini()
        .args(["sh", "-c", "echo what; read answer; echo got $answer; sleep 100"])
        .on_terminal();
    terminal.wait_for(&init, "what");
    terminal.type_in("this\n");
    terminal.wait_for(&init, "got this");
    terminal.type_in("\x03");
    assert_eq!(init.wait().code, 130);
}
