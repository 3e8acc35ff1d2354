//! Events that come in an order that no system gives: nothing makes the machine panic, and once it
//! has left it is over.

use outro_core::{
    exit::ExitStatus,
    machine::{Action, Event, Machine, Sender},
    process::{
        Condition, Details, Identity, Name, Pid, Pipe, Process, Shell, Sleep, SleepCall, Ticks,
        Tree,
    },
    restart::RestartPolicy,
    route::Route,
    settings::{Detail, Farewell, Forward, Repeat, Settings, Suspend},
    signal::{Signal, SignalSet},
    time::Moment,
};
use std::{cell::RefCell, time::Duration};

const RUNS: u64 = 20_000;
const EVENTS: usize = 60;

/// A system that answers anything.
struct Anything(RefCell<fastrand::Rng>);

impl Anything {
    fn maybe<T>(&self, answer: impl FnOnce(&mut fastrand::Rng) -> T) -> Option<T> {
        let mut dice = self.0.borrow_mut();
        dice.bool().then(|| answer(&mut dice))
    }
}

impl Details for Anything {
    fn shell(&self, _pid: Pid) -> Option<Shell> {
        let kinds = [Shell::Ash, Shell::Fish, Shell::Mksh, Shell::Other];
        self.maybe(|dice| kinds[dice.usize(0..kinds.len())])
    }

    fn sleep(&self, _pid: Pid) -> Option<Sleep> {
        let calls = [
            SleepCall::Wait,
            SleepCall::Signal,
            SleepCall::SignalWait,
            SleepCall::Read(3),
            SleepCall::Running,
            SleepCall::Other,
        ];
        self.maybe(|dice| Sleep { call: calls[dice.usize(0..calls.len())], stack: dice.u64(0..3) })
    }

    fn pipe(&self, _pid: Pid, _fd: u32) -> Option<Pipe> {
        self.maybe(pipe)
    }

    fn read_ends(&self, _pid: Pid) -> Vec<Pipe> {
        self.maybe(pipe).into_iter().collect()
    }

    fn writes(&self, _pid: Pid, _end: Pipe) -> Option<bool> {
        self.maybe(fastrand::Rng::bool)
    }

    fn sleeps(&self, _pid: Pid) -> Option<u64> {
        self.maybe(|dice| dice.u64(0..3))
    }

    fn has_pending(&self, _pid: Pid, _signal: Signal) -> bool {
        self.maybe(|_| ()).is_some()
    }

    fn command(&self, _pid: Pid) -> Option<String> {
        self.maybe(|dice| ["app", "sleep"][dice.usize(0..2)].to_owned())
    }
}

fn pipe(dice: &mut fastrand::Rng) -> Pipe {
    if dice.bool() { Pipe::Fifo(0, dice.u64(0..4)) } else { Pipe::Socket(dice.u64(0..4)) }
}

fn pid(dice: &mut fastrand::Rng) -> Pid {
    Pid(dice.u32(0..14))
}

fn signal(dice: &mut fastrand::Rng) -> Signal {
    let usual = [Signal::TERM, Signal::INT, Signal::QUIT, Signal::KILL, Signal::TSTP, Signal::HUP];
    match dice.bool() {
        true => usual[dice.usize(0..usual.len())],
        false => Signal::new(dice.i32(1..=64)).unwrap_or(Signal::TERM),
    }
}

fn status(dice: &mut fastrand::Rng) -> ExitStatus {
    if dice.bool() { ExitStatus::Code(dice.u8(..)) } else { ExitStatus::Signal(signal(dice)) }
}

fn process(dice: &mut fastrand::Rng) -> Process {
    let conditions = [Condition::Alive, Condition::Stopped, Condition::Zombie];
    let masks = [0, u64::MAX, 1 << 14, 0b110, 1 << 14 | 0b110];
    Process {
        id: Identity { pid: pid(dice), start: Ticks(dice.u64(0..30)) },
        parent: pid(dice),
        group: pid(dice),
        condition: conditions[dice.usize(0..conditions.len())],
        handled: SignalSet::from_mask(masks[dice.usize(0..masks.len())]),
        ignored: SignalSet::from_mask(masks[dice.usize(0..masks.len())]),
        name: Name::new(b"app"),
    }
}

fn settings(dice: &mut fastrand::Rng) -> Settings {
    let routes = [Route::Tree, Route::Main, Route::Group, Route::All];
    let policies = [RestartPolicy::No, RestartPolicy::OnFailure, RestartPolicy::Always];
    let time = |dice: &mut fastrand::Rng| Duration::from_millis(dice.u64(0..3000));
    let mut settings = Settings {
        route: routes[dice.usize(0..routes.len())],
        delay: time(dice),
        grace: dice.bool().then(|| time(dice)),
        linger: time(dice),
        forward: if dice.bool() { Forward::Main } else { Forward::Group },
        repeat: if dice.bool() { Repeat::Absorb } else { Repeat::TellOthers },
        farewell: if dice.bool() { Farewell::None } else { Farewell::TellGroup },
        suspend: [Suspend::PassOn, Suspend::StopToo, Suspend::Drop][dice.usize(0..3)],
        detail: if dice.bool() { Detail::Killed } else { Detail::All },
        ..Settings::default()
    };
    settings.restart.policy = policies[dice.usize(0..policies.len())];
    settings.restart.delay = time(dice);
    settings
}

/// The answer to a start.
fn answers_start(machine: &mut Machine, now: Moment, dice: &mut fastrand::Rng) {
    machine.handle(
        now,
        match dice.bool() {
            true => Event::Started { pid: pid(dice) },
            false => Event::NotStarted { code: dice.u8(..) },
        },
    );
}

/// Lets one event, or the time, come to the machine.
fn happens(machine: &mut Machine, now: Moment, dice: &mut fastrand::Rng) {
    let details = Anything(RefCell::new(dice.fork()));
    let sender = if dice.bool() { Sender::Process } else { Sender::Terminal };
    match dice.u32(0..8) {
        0 => machine.handle(now, Event::Signal { signal: signal(dice), sender }),
        1 => machine.handle(now, Event::Ended { pid: pid(dice), status: status(dice) }),
        2 => machine.handle(now, Event::Childless),
        3 => machine.handle(now, Event::Blind),
        4 => {
            let id = process(dice).id;
            machine.handle(now, Event::Refused { id });
        }
        5 => machine.handle_timeout(now),
        _ => {
            let count = dice.usize(0..12);
            let mut seen: Vec<Process> = (0..count).map(|_| process(dice)).collect();
            // `/proc` lists no pid twice.
            seen.sort_by_key(|process| process.id.pid);
            seen.dedup_by_key(|process| process.id.pid);
            let tree = Tree::new(Pid(1), seen, Ticks(dice.u64(0..60)));
            let took = Duration::from_millis(dice.u64(0..50));
            machine.handle(now, Event::Seen { tree: &tree, details: &details, took });
        }
    }
}

#[test]
fn no_order_of_events_makes_the_machine_panic() {
    for seed in 0..RUNS {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut machine = Machine::new(settings(&mut dice));
        let mut now = Moment::at(Duration::from_secs(1000));
        for _ in 0..EVENTS {
            now = now + Duration::from_millis(dice.u64(0..400));
            match dice.u32(0..8) {
                0 => answers_start(&mut machine, now, &mut dice),
                _ => happens(&mut machine, now, &mut dice),
            }
            for _ in 0..dice.usize(0..20) {
                machine.poll_action();
            }
            let _deadline = machine.next_deadline();
            assert_eq!(machine.report(now).exit_code, machine.exit_code(), "seed {seed}");
        }
    }
}

#[test]
fn once_it_has_left_the_machine_stops_and_starts_nobody_any_more() {
    for seed in 0..RUNS {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut machine = Machine::new(settings(&mut dice));
        let mut now = Moment::at(Duration::from_secs(1000));
        let mut has_left = false;
        for _ in 0..EVENTS {
            while let Some(action) = machine.poll_action() {
                // What comes from outside is still passed on; nobody carries it out any more.
                let goes_on = matches!(
                    action,
                    Action::Start
                        | Action::Look { .. }
                        | Action::Tell { .. }
                        | Action::Reap
                        | Action::Leave { .. }
                );
                assert!(!has_left || !goes_on, "seed {seed}: {action:?}");
                has_left |= matches!(action, Action::Leave { .. });
                if action == Action::Start {
                    answers_start(&mut machine, now, &mut dice);
                }
            }
            assert!(!has_left || machine.next_deadline().is_none(), "seed {seed}");
            now = now + Duration::from_millis(dice.u64(0..400));
            happens(&mut machine, now, &mut dice);
        }
    }
}
