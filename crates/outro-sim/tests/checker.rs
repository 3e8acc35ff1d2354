//! The checker can fail: a machine that breaks a promise is caught.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each fault changes one thing and leaves the others"
)]

use outro_core::{
    machine::{Action, Event, Machine, Main, Note, Reason},
    process::{Details, Pid, Pipe, Process, Shell, Sleep, Tree},
    restart::{RestartPolicy, RestartSettings},
    route::Route,
    settings::Settings,
    signal::{Signal, SignalSet},
    time::Moment,
};
use outro_sim::{
    cast,
    generate::Case,
    kernel::OUTRO,
    program::{Program, Step},
    promises::Promise,
    room::Decide,
    world::{End, Holding, Reaping, World},
};
use std::{collections::VecDeque, time::Duration};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A rule that a machine breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    TellsTwice,
    KillsInPlaceOfTelling,
    LeavesWithMain,
    LeavesNobodyNamed,
    StaysWhenAllAreGone,
    StartsAgainAfterAStop,
    WakesUpWithoutNeed,
    GivesAnotherExitCode,
    ForgetsOrphans,
    KnowsNoMasters,
    KnowsNoFilters,
    Panics,
}

/// outro's machine with a fault.
struct Faulty {
    machine: Machine,
    fault: Fault,
    extra: VecDeque<Action>,
}

impl Faulty {
    fn new(settings: &Settings, fault: Fault) -> Self {
        Self { machine: Machine::new(settings.clone()), fault, extra: VecDeque::new() }
    }

    /// What the faulty machine takes a tree for.
    fn sees(&self, tree: &Tree) -> Tree {
        let main = match self.machine.main() {
            Main::Alive { pid, .. } => Some(pid),
            Main::Starting | Main::Ended { .. } | Main::NotStarted(_) => None,
        };
        let is_orphan = |process: &Process| process.parent == OUTRO && Some(process.id.pid) != main;
        let mut seen = tree.processes().to_vec();
        match self.fault {
            Fault::ForgetsOrphans => seen.retain(|process| !is_orphan(process)),
            Fault::KnowsNoMasters => {
                seen.iter_mut().for_each(|process| process.handled = SignalSet::EMPTY);
            }
            _ => {}
        }
        Tree::new(OUTRO, seen, tree.now())
    }
}

impl Decide for Faulty {
    fn handle(&mut self, now: Moment, event: Event<'_>) {
        match event {
            Event::Seen { tree, details, took } => {
                let tree = self.sees(tree);
                let blinkered = NoPipes(details);
                let details: &dyn Details = match self.fault {
                    Fault::KnowsNoFilters => &blinkered,
                    _ => details,
                };
                self.machine.handle(now, Event::Seen { tree: &tree, details, took });
            }
            Event::Ended { pid, .. } if self.fault == Fault::LeavesWithMain => {
                let is_main =
                    matches!(self.machine.main(), Main::Alive { pid: it, .. } if it == pid);
                self.machine.handle(now, event);
                if is_main {
                    self.extra.push_back(Action::Leave { code: self.machine.exit_code() });
                }
            }
            Event::Ended { .. } if self.fault == Fault::StartsAgainAfterAStop => {
                self.machine.handle(now, event);
                self.extra.push_back(Action::Start);
            }
            Event::Childless if self.fault == Fault::StaysWhenAllAreGone => {}
            Event::Signal { .. } if self.fault == Fault::Panics => panic!("as it is meant to"),
            _ => self.machine.handle(now, event),
        }
    }

    fn handle_timeout(&mut self, now: Moment) {
        self.machine.handle_timeout(now);
    }

    fn poll_action(&mut self) -> Option<Action> {
        if let Some(extra) = self.extra.pop_front() {
            return Some(extra);
        }
        let action = self.machine.poll_action()?;
        match (self.fault, &action) {
            (Fault::TellsTwice, Action::Tell { .. }) => self.extra.push_back(action.clone()),
            (Fault::KillsInPlaceOfTelling, Action::Tell { id, .. }) => {
                return Some(Action::Tell { id: *id, signal: Signal::KILL });
            }
            (
                Fault::LeavesNobodyNamed,
                Action::Note(Note::Killed { .. } | Note::LeftBehind { .. }),
            ) => {
                return self.poll_action();
            }
            (Fault::GivesAnotherExitCode, Action::Leave { code }) => {
                return Some(Action::Leave { code: code.wrapping_add(1) });
            }
            _ => {}
        }
        Some(action)
    }

    fn next_deadline(&self) -> Option<(Moment, Reason)> {
        let deadline = self.machine.next_deadline();
        match self.fault {
            Fault::WakesUpWithoutNeed => {
                deadline.or(Some((Moment::at(Duration::from_secs(100_000)), Reason::Look)))
            }
            _ => deadline,
        }
    }

    fn main(&self) -> Main {
        self.machine.main()
    }
}

/// A system that shows no pipes.
struct NoPipes<'a>(&'a dyn Details);

impl Details for NoPipes<'_> {
    fn shell(&self, pid: Pid) -> Option<Shell> {
        self.0.shell(pid)
    }

    fn sleep(&self, pid: Pid) -> Option<Sleep> {
        self.0.sleep(pid)
    }

    fn pipe(&self, _pid: Pid, _fd: u32) -> Option<Pipe> {
        None
    }

    fn command(&self, pid: Pid) -> Option<String> {
        self.0.command(pid)
    }
}

#[track_caller]
fn is_caught(fault: Fault, world: &World, settings: &Settings, promise: Promise) {
    let outcome = world.run(settings, 1);
    assert!(outcome.broken.is_none(), "without the fault:\n{}", outcome.history);
    let outcome = world.run_with(Faulty::new(settings, fault), settings, 1);
    let broken = outcome.broken.as_ref().map(|broken| broken.promise);
    assert_eq!(broken, Some(promise), "{fault:?}\n{}", outcome.history);
}

/// A machine that goes by other settings than it was given.
#[track_caller]
fn is_caught_going_by(others: Settings, world: &World, settings: &Settings, promise: Promise) {
    let outcome = world.run(settings, 1);
    assert!(outcome.broken.is_none(), "by its settings:\n{}", outcome.history);
    let outcome = world.run_with(Machine::new(others), settings, 1);
    let broken = outcome.broken.as_ref().map(|broken| broken.promise);
    assert_eq!(broken, Some(promise), "{}", outcome.history);
}

fn pool() -> Program {
    let workers = ["one", "two"].map(|name| cast::worker(name, ms(200)).beside());
    cast::pool("master", cast::USR2, workers)
}

fn with_grace(grace: Duration) -> Settings {
    Settings { grace: Some(grace), ..Settings::default() }
}

#[test]
fn one_who_tells_twice_is_caught() {
    let world = World::new(cast::cleans_up("app", ms(500))).signal(100, Signal::TERM);
    is_caught(Fault::TellsTwice, &world, &Settings::default(), Promise::NobodyIsToldTwice);
}

#[test]
fn one_who_kills_in_place_of_telling_is_caught() {
    let world = World::new(cast::cleans_up("app", ms(500))).signal(100, Signal::TERM);
    let settings = with_grace(ms(2000));
    is_caught(Fault::KillsInPlaceOfTelling, &world, &settings, Promise::NobodyIsKilledEarly);
}

#[test]
fn one_who_leaves_with_the_main_process_is_caught() {
    let app = cast::cleans_up("app", ms(500));
    let world = World::new(cast::shell_loop(app)).signal(100, Signal::TERM);
    is_caught(Fault::LeavesWithMain, &world, &Settings::default(), Promise::NobodyIsCutOff);
}

#[test]
fn one_who_names_nobody_is_caught() {
    let world = World::new(cast::stubborn("app")).signal(100, Signal::TERM);
    is_caught(Fault::LeavesNobodyNamed, &world, &with_grace(ms(500)), Promise::NobodyIsCutOff);
    let world = World::new(cast::hangs("app", ms(90_000))).signal(100, Signal::TERM);
    is_caught(Fault::LeavesNobodyNamed, &world, &with_grace(ms(500)), Promise::NobodyIsCutOff);
}

#[test]
fn one_who_stays_when_all_are_gone_is_caught() {
    let world = World::new(cast::sleeper("app")).signal(100, Signal::TERM);
    is_caught(Fault::StaysWhenAllAreGone, &world, &Settings::default(), Promise::NoWaitForNobody);
}

#[test]
fn one_who_starts_again_after_a_stop_is_caught() {
    let world = World::new(cast::sleeper("app")).signal(100, Signal::TERM);
    let promise = Promise::AStopBeatsARestart;
    is_caught(Fault::StartsAgainAfterAStop, &world, &Settings::default(), promise);
}

#[test]
fn one_who_wakes_up_without_need_is_caught() {
    let world = World::new(cast::sleeper("app")).signal(100, Signal::TERM);
    is_caught(Fault::WakesUpWithoutNeed, &world, &Settings::default(), Promise::NoIdleWakeUp);
}

#[test]
fn one_who_gives_another_exit_code_is_caught() {
    let world = World::new(cast::works("app", ms(50), 3));
    is_caught(
        Fault::GivesAnotherExitCode,
        &world,
        &Settings::default(),
        Promise::TheExitCodeIsMain,
    );
}

#[test]
fn one_who_forgets_orphans_is_caught() {
    // Long after it became one: a new orphan may have heard from the one that it was below.
    let daemon = cast::cleans_up("daemon", ms(100));
    let world =
        World::new(cast::daemonises("app", daemon, [Step::Pause])).signal(5000, Signal::TERM);
    is_caught(Fault::ForgetsOrphans, &world, &Settings::default(), Promise::NobodyIsForgotten);
}

#[test]
fn one_who_knows_no_masters_is_caught() {
    let world = World::new(pool()).signal(100, Signal::TERM);
    is_caught(Fault::KnowsNoMasters, &world, &Settings::default(), Promise::NobodyIsToldTwice);
}

#[test]
fn one_who_knows_no_filters_is_caught() {
    let app = cast::cleans_up("app", ms(500));
    let log = cast::filter("tee", ms(1));
    let world = World::new(cast::pipeline([], app, vec![log])).signal(100, Signal::TERM);
    is_caught(Fault::KnowsNoFilters, &world, &Settings::default(), Promise::FiltersAreSpared);
}

#[test]
fn one_who_goes_by_another_route_is_caught() {
    let world = World::new(pool()).signal(100, Signal::TERM);
    let all = Settings { route: Route::All, ..Settings::default() };
    is_caught_going_by(all, &world, &Settings::default(), Promise::NobodyIsToldTwice);
    let app = cast::cleans_up("app", ms(500));
    let world = World::new(cast::shell_loop(app)).signal(100, Signal::TERM);
    let main = Settings { route: Route::Main, ..Settings::default() };
    is_caught_going_by(main, &world, &Settings::default(), Promise::NobodyIsForgotten);
}

#[test]
fn one_who_does_not_wait_for_the_delay_is_caught() {
    let world = World::new(cast::cleans_up("app", ms(100))).signal(100, Signal::TERM);
    let settings = Settings { delay: ms(300), ..Settings::default() };
    is_caught_going_by(Settings::default(), &world, &settings, Promise::TheDelayHolds);
}

#[test]
fn one_who_takes_longer_than_the_grace_is_caught() {
    let world = World::new(cast::stubborn("app")).signal(100, Signal::TERM);
    let others = with_grace(ms(1500));
    is_caught_going_by(others, &world, &with_grace(ms(1000)), Promise::TheDeadlineHolds);
    is_caught_going_by(
        Settings::default(),
        &world,
        &with_grace(ms(1000)),
        Promise::TheDeadlineHolds,
    );
}

#[test]
fn one_who_kills_in_an_obedient_world_is_caught() {
    let world = World::new(cast::cleans_up("app", ms(800)))
        .signal(100, Signal::TERM)
        .obeys_within(ms(1000));
    let others = with_grace(ms(500));
    is_caught_going_by(others, &world, &Settings::default(), Promise::NobodyIsKilledEarly);
    let outcome = world.run(&with_grace(ms(500)), 1);
    let broken = outcome.broken.map(|broken| broken.promise);
    assert_eq!(broken, Some(Promise::WhoObeysIsNotKilled));
}

#[test]
fn one_who_signals_by_pid_alone_is_caught() {
    // Pids are few, and given again at once.
    let mut world =
        World::new(cast::shell_loop(cast::churns("app", ms(1)))).signal(400, Signal::TERM);
    world.system.pid_max = 5;
    world.system.read_cost_max = ms(20);
    world.system.holding = Holding::ByPid;
    let broken = (0..200).find_map(|seed| world.run(&Settings::default(), seed).broken);
    let broken = broken.expect("a pid is given again between a look and a signal");
    assert_eq!(broken.promise, Promise::NoMistakenIdentity);
}

#[test]
fn one_who_holds_a_process_before_it_knows_which_is_caught() {
    let mut world =
        World::new(cast::shell_loop(cast::storm("app", 3, 2, ms(3)))).signal(10, Signal::TERM);
    world.system.holding = Holding::ByFirstPidfd;
    world.system.read_cost_max = ms(30);
    world.system.pid_max = 20;
    let settings = with_grace(ms(3000));
    let broken = (0..2000).find_map(|seed| world.run(&settings, seed).broken);
    assert!(broken.is_none_or(|broken| broken.promise == Promise::NobodyIsForgotten));
}

#[test]
fn one_who_loses_the_end_of_the_main_process_is_caught() {
    // Another child ends a moment before: its SIGCHLD brings outro to look at the main process once.
    let orphan = cast::works("orphan", ms(100), 0);
    let mut world =
        World::new(cast::daemonises("app", orphan, [Step::Work(ms(100)), Step::Exit(5)]));
    world.until = ms(3000);
    world.system.hiccup_max = ms(5);
    let run = |world: &World, seed| world.run(&Settings::default(), seed);
    assert!((0..2000).all(|seed| run(&world, seed).end == End::Left(5)));
    world.system.reaping = Reaping::MainFirst;
    let broken = (0..2000).find_map(|seed| run(&world, seed).broken);
    let broken = broken.expect("the two ends come close to each other");
    assert_eq!(broken.promise, Promise::NoWaitForNobody);
}

#[test]
fn restarts_are_counted_and_a_stop_ends_them() {
    let restart = RestartSettings { policy: RestartPolicy::Always, delay: ms(10), limit: Some(3) };
    let settings = Settings { restart, ..Settings::default() };
    let world = World::new(cast::works("app", ms(20), 1));
    let outcome = world.run(&settings, 1);
    assert_eq!(
        (outcome.end, outcome.history.runs("app")),
        (End::Left(1), 4),
        "{}",
        outcome.history
    );
    let outcome = world.signal(25, Signal::TERM).run(&settings, 1);
    assert_eq!(
        (outcome.end, outcome.history.runs("app")),
        (End::Left(1), 1),
        "{}",
        outcome.history
    );
}

#[test]
fn a_seed_gives_one_history() {
    for seed in 0..50 {
        let history = |seed| Case::new(seed).run().history.to_string();
        assert_eq!(history(seed), history(seed));
    }
}
