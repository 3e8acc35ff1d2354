//! What the simulation found in outro-core, each as a small world.
//!
//! Most of it needs things to come close to each other, so each world is run with many seeds: they
//! say when who goes on.

use outro_core::{
    process::Shell,
    restart::{RestartPolicy, RestartSettings},
    settings::{Repeat, Settings},
    signal::{Signal, SignalSet},
};
use outro_sim::{
    cast,
    program::{Plug, Program, Step},
    world::World,
};
use std::time::Duration;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const SEEDS: u64 = 300;

/// No promise is broken in this world, whatever comes first.
#[track_caller]
fn holds(world: &World, settings: &Settings) {
    for seed in 0..SEEDS {
        let outcome = world.run(settings, seed);
        if let Some(broken) = outcome.broken {
            panic!("seed {seed}\n{}{broken}", outcome.history);
        }
    }
}

/// The same, with the signal at each of these times as well.
#[track_caller]
fn holds_at(times_ms: std::ops::Range<u64>, signal: Signal, world: &World, settings: &Settings) {
    for at in times_ms {
        holds(&world.clone().signal(at, signal), settings);
    }
}

#[test]
fn a_stop_that_is_asked_near_the_end_of_the_linger_is_over_within_the_grace() {
    // Its child cannot be killed, so outro stays as long as it may.
    let hanging = cast::hangs("child", Duration::from_secs(1000));
    let main = cast::daemonises("app", hanging, [Step::Exit(0)]);
    let settings = Settings { linger: ms(500), grace: Some(ms(400)), ..Settings::default() };
    holds(&World::new(main.clone()).signal(460, Signal::TERM), &settings);
    holds(&World::new(main).signal(800, Signal::TERM), &settings);
}

#[test]
fn a_second_key_gives_no_more_time_than_the_grace_has() {
    let world = World::new(cast::hangs("app", Duration::from_secs(1000)))
        .signal(100, Signal::TERM)
        .key(900, Signal::INT)
        .key(1000, Signal::INT);
    holds(&world, &Settings { grace: Some(ms(1000)), ..Settings::default() });
}

#[test]
fn each_further_key_gives_no_more_time() {
    let mut world = World::new(cast::hangs("app", Duration::from_secs(1000)));
    for at in (100..5000).step_by(500) {
        world = world.key(at, Signal::INT);
    }
    holds(&world, &Settings::default());
}

#[test]
fn what_is_born_after_mksh_has_told_its_group_is_told_too() {
    let heir = cast::sleeper("heir");
    let world = World::new(cast::mksh([cast::leaves_behind("job", heir)]))
        .signal(100, Signal::TERM)
        .obeys_within(ms(3000));
    holds(&world, &Settings::default());
}

#[test]
fn a_filter_in_a_background_job_is_spared_under_the_keyboard_s_signals() {
    let app = cast::cleans_up("app", ms(300));
    let job = cast::pipeline([], app, vec![cast::filter("tee", ms(10))]);
    for signal in [Signal::INT, Signal::QUIT] {
        let world = World::new(cast::background_shell([job.clone()])).signal(100, signal);
        holds(&world, &Settings::default());
        let outcome = world.run(&Settings::default(), 1);
        assert_eq!(outcome.history.told("tee"), []);
    }
}

#[test]
fn a_job_below_a_trap_that_waits_is_told_in_place_once() {
    // The trapping shell is in the background itself: it and its child ignore INT.
    let child = cast::trapping_shell(Shell::Ash, [Step::Exit(3)], cast::sleeper("app"));
    let shell = cast::trapping_shell(Shell::Ash, [Step::Exit(3)], child);
    let world =
        World::new(cast::background_shell([shell])).signal(100, Signal::INT).obeys_within(ms(3000));
    holds(&world, &Settings::default());
}

#[test]
fn the_workers_of_a_pool_in_sigwait_are_its_own_in_the_background_too() {
    let workers = ["one", "two"].map(|name| cast::worker(name, ms(100))).to_vec();
    let pool = cast::awaiting_pool("pool", cast::USR2, workers);
    let world =
        World::new(cast::background_shell([pool])).signal(100, Signal::INT).obeys_within(ms(3000));
    holds(&world, &Settings::default());
}

#[test]
fn a_handler_that_comes_between_the_look_and_the_signal_makes_a_master() {
    let command = cast::works("command", ms(50), 0);
    let handler = [Step::Start(command.beside()), Step::WaitAll, Step::Exit(0)];
    let catch = Step::Catch(outro_core::settings::stop_signals(), handler.into());
    let mut world = World::new(Program::new("app", [Step::Work(ms(10)), catch, Step::Pause]));
    world.system.read_cost_max = ms(4);
    holds_at(8..13, Signal::TERM, &world, &Settings::default());
}

#[test]
fn a_child_between_fork_and_exec_is_not_taken_for_one_that_handles_everything() {
    // A job that ignores INT, as the shell has it, and TERM too; its child is nobody's but outro's.
    let script = [
        Step::Start(cast::sleeper("child").beside()),
        Step::Ignore(outro_core::settings::stop_signals()),
        Step::WaitAll,
    ];
    let job = Program::new("job", script);
    let shell = cast::background_shell([job]);
    let world = World::new(cast::execs("app", ms(10), shell)).obeys_within(ms(3000));
    holds_at(9..14, Signal::INT, &world, &Settings::default());
}

#[test]
fn bash_s_loop_ends_under_int_though_its_child_ends_by_itself_just_then() {
    let app = cast::works("app", ms(100), 0);
    let world = World::new(cast::bash_loop(app)).obeys_within(ms(8000));
    holds_at(60..64, Signal::INT, &world, &Settings::default());
    holds_at(1050..1054, Signal::INT, &world, &Settings::default());
}

#[test]
fn a_second_signal_of_another_kind_gives_a_trap_its_moment_again() {
    let shell = cast::stopping_shell(Shell::Other, [cast::hangs("app", ms(600))]);
    let world = World::new(shell).signal(100, Signal::TERM).signal(400, Signal::QUIT);
    holds(&world, &Settings { repeat: Repeat::TellOthers, ..Settings::default() });
}

#[test]
fn who_was_told_without_proc_is_not_told_again() {
    let mut world = World::new(cast::stubborn("app"));
    for (at, signal) in [(100, Signal::TERM), (200, Signal::INT), (300, Signal::TERM)] {
        world = world.signal(at, signal);
    }
    world.system.blind_from = Some(Duration::ZERO);
    world.until = ms(2000);
    holds(&world, &Settings { repeat: Repeat::TellOthers, ..Settings::default() });
}

#[test]
fn a_filter_has_its_time_while_the_one_before_it_has_some() {
    let filters = vec![cast::filter("sort", ms(800)), cast::filter("tee", ms(800))];
    let world = World::new(cast::pipeline([], cast::cleans_up("app", ms(100)), filters))
        .signal(100, Signal::TERM);
    let outcome = world.run(&Settings::default(), 1);
    assert_eq!(outcome.history.told("sort"), [], "{}", outcome.history);
    assert_eq!(outcome.history.told("tee"), [], "{}", outcome.history);
}

#[test]
fn a_foreground_child_that_ignores_int_is_told_all_the_same() {
    let keyboard = SignalSet::EMPTY.with(Signal::INT);
    let handler = [Step::Work(ms(50)), Step::Exit(0)];
    let catch = Step::Catch(SignalSet::EMPTY.with(Signal::TERM), handler.into());
    let app = Program::new("app", [Step::Ignore(keyboard), catch, Step::Pause]);
    let world = World::new(cast::trapping_shell(Shell::Ash, [Step::Exit(3)], app))
        .signal(100, Signal::TERM)
        .obeys_within(ms(3000));
    holds(&world, &Settings::default());
}

#[test]
fn who_may_not_be_told_is_no_master() {
    let script = [
        Step::Catch(outro_core::settings::stop_signals(), [Step::Exit(0)].into()),
        Step::Start(cast::sleeper("child").beside()),
        Step::Pause,
    ];
    let world = World::new(cast::shell_line(Program::new("sudo", script).guarded()))
        .signal(100, Signal::TERM);
    let settings = Settings { grace: Some(ms(1000)), ..Settings::default() };
    holds(&world, &settings);
}

#[test]
fn a_newborn_in_a_group_that_is_told_by_its_route_is_told_when_it_runs() {
    let script = [
        Step::Start(cast::sleeper("child").beside()),
        Step::Ignore(outro_core::settings::stop_signals()),
        Step::WaitAll,
    ];
    let shell = cast::background_shell([Program::new("job", script)]);
    let mut world = World::new(cast::execs("app", ms(10), shell));
    world.until = ms(2000);
    let group = Settings { route: outro_core::route::Route::Group, ..Settings::default() };
    holds_at(9..14, Signal::INT, &world, &group);
}

#[test]
fn a_writer_that_is_told_with_its_filter_writes_until_it_dies() {
    // tee reads what sort writes, and sort has come to its end before the stop.
    let script = [
        Step::Pipe,
        Step::Start(cast::works("app", ms(20), 0).in_front().writes(Plug::Newest)),
        Step::Pipe,
        Step::Start(
            cast::filter("sort", ms(300)).in_front().reads(Plug::Before).writes(Plug::Newest),
        ),
        Step::Start(cast::filter("tee", ms(10)).in_front().reads(Plug::Newest)),
        Step::WaitFront,
    ];
    let shell = Program::new("sh", script).as_shell(Shell::Ash);
    let world = World::new(shell).signal(100, Signal::TERM);
    let outcome = world.run(&Settings::default(), 1);
    assert_eq!(outcome.history.told("tee"), [], "{}", outcome.history);
}

#[test]
fn who_reads_what_its_child_writes_is_told_after_it_below_a_trap_too() {
    let app = cast::cleans_up("app", ms(300));
    let runner = cast::listens("runner", app);
    let shell = cast::trapping_shell(Shell::Ash, [Step::Exit(3)], runner);
    let world = World::new(shell).signal(100, Signal::TERM).obeys_within(ms(3000));
    holds(&world, &Settings::default());
    let outcome = world.run(&Settings::default(), 1);
    assert_eq!(outcome.history.told("runner"), [], "it ends when it has read everything");
}

#[test]
fn a_child_that_is_just_forked_is_not_waited_for_before_it_is_known() {
    let job = cast::ignores("job", SignalSet::EMPTY.with(Signal::TERM));
    let world = World::new(cast::execs("app", ms(10), cast::listens("runner", job)));
    let settings = Settings { grace: Some(ms(1000)), ..Settings::default() };
    holds_at(9..14, Signal::TERM, &world, &settings);
}

#[test]
fn who_blocks_the_signal_for_good_hides_nobody_whenever_that_was_seen() {
    let script = [
        Step::Start(cast::sleeper("child").beside()),
        Step::Block(outro_core::settings::stop_signals()),
        Step::Pause,
    ];
    let unshare = Program::new("unshare", script);
    let world = World::new(cast::execs("app", ms(10), unshare));
    let settings = Settings { grace: Some(ms(2000)), ..Settings::default() };
    holds_at(9..14, Signal::TERM, &world, &settings);
}

#[test]
fn how_many_were_killed_is_said_before_a_start_again_too() {
    let script: Vec<Step> = (0..60)
        .map(|index| Step::Start(cast::stubborn(&format!("child{index}")).beside()))
        .chain([Step::Exit(1)])
        .collect();
    let restart = RestartSettings { policy: RestartPolicy::Always, delay: ms(100), limit: Some(1) };
    let settings = Settings { restart, linger: ms(300), ..Settings::default() };
    holds(&World::new(Program::new("app", script)).signal(380, Signal::TERM), &settings);
}
