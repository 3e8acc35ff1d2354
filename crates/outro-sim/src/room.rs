//! outro's loop on a simulated machine: the decisions of [`outro_core::machine::Machine`], carried
//! out one by one while everyone else goes on.
//!
//! This is the counterpart of outro-init's loop, in the same order: act, sleep until a signal or the
//! deadline, take the signal, say that time has passed.

use crate::{
    history::{By, Happening},
    kernel::{Kernel, OUTRO, Serial, View, Waited},
    program::Access,
    promises::Promises,
    world::{End, Holding, Outcome, Outside, Reaping, World},
};
use outro_core::{
    exit::{ExitStatus, NOT_FOUND},
    machine::{Action, Event, Machine, Main, Reason, Sender},
    process::{Identity, Pid, Tree},
    settings::Settings,
    signal::Signal,
    time::Moment,
};
use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

/// What decides: outro's machine, or one that is to be compared with it.
pub trait Decide {
    /// Takes in what happened.
    fn handle(&mut self, now: Moment, event: Event<'_>);
    /// Takes in that time has passed.
    fn handle_timeout(&mut self, now: Moment);
    /// What is to be done next.
    fn poll_action(&mut self) -> Option<Action>;
    /// When to say that time has passed, and why.
    fn next_deadline(&self) -> Option<(Moment, Reason)>;
    /// What outro spawned.
    fn main(&self) -> Main;
}

impl Decide for Machine {
    fn handle(&mut self, now: Moment, event: Event<'_>) {
        Self::handle(self, now, event);
    }

    fn handle_timeout(&mut self, now: Moment) {
        Self::handle_timeout(self, now);
    }

    fn poll_action(&mut self) -> Option<Action> {
        Self::poll_action(self)
    }

    fn next_deadline(&self) -> Option<(Moment, Reason)> {
        Self::next_deadline(self)
    }

    fn main(&self) -> Main {
        Self::main(self)
    }
}

pub(crate) struct Room<'a, M> {
    world: &'a World,
    machine: M,
    kernel: Kernel,
    promises: Promises,
    began: Moment,
    /// How many of the world's outside events have come.
    come: usize,
    /// The signals that outro has not taken yet, and whether a key sent them.
    pending: BTreeMap<Signal, Sender>,
    /// The main process, until it is reaped.
    main: Option<Pid>,
    starts: u32,
    /// When to hear of children again.
    reap_next: Option<Moment>,
    /// The last look: by pid, who is held.
    held: BTreeMap<Pid, Serial>,
}

/// After a round of reaping that took this long the next one waits.
const COSTLY_REAP: Duration = Duration::from_micros(100);

/// How long it waits, in rounds.
const REAP_PAUSE_FACTOR: u32 = 4;

/// How long it waits at most.
const REAP_PAUSE_MAX: Duration = Duration::from_millis(20);

/// Goes on, or ends.
type Flow = ControlFlow<End>;

/// What one of outro's own system calls takes at most.
const CALL_MAX: Duration = Duration::from_micros(20);

/// Once in so many calls outro is kept from going on.
const HICCUP_ONCE_IN: u32 = 100;

impl<'a, M: Decide> Room<'a, M> {
    pub(crate) fn new(world: &'a World, settings: &Settings, machine: M, seed: u64) -> Self {
        let kernel = Kernel::new(seed, world.system.pid_max);
        Self {
            world,
            machine,
            began: kernel.now(),
            promises: Promises::new(settings, world.obeys_within),
            kernel,
            come: 0,
            pending: BTreeMap::new(),
            main: None,
            starts: 0,
            reap_next: None,
            held: BTreeMap::new(),
        }
    }

    pub(crate) fn run(mut self) -> Outcome {
        let end = loop {
            if let ControlFlow::Break(end) = self.turn() {
                break end;
            }
        };
        let took = self.kernel.now().since(self.began);
        Outcome { end, took, broken: self.promises.broken(), history: self.kernel.history }
    }

    fn turn(&mut self) -> Flow {
        self.act()?;
        let deadline = self.machine.next_deadline();
        self.promises.sleeps(&self.kernel, deadline);
        if let Some((signal, sender)) = self.sleep(deadline)? {
            self.take(signal, sender)?;
        }
        self.machine.handle_timeout(self.kernel.now());
        self.check()
    }

    /// Stops at the first promise that is broken.
    fn check(&self) -> Flow {
        match self.promises.is_broken() {
            true => ControlFlow::Break(End::Broken),
            false => ControlFlow::Continue(()),
        }
    }

    fn act(&mut self) -> Flow {
        let mut looked = false;
        while let Some(action) = self.machine.poll_action() {
            self.spend(CALL_MAX);
            match action {
                Action::Start => self.start(),
                Action::Look { signal } => looked |= self.look(signal),
                Action::Tell { id, signal } => self.tell(id, signal),
                Action::TellMain { signal } => {
                    if let Main::Alive { pid, .. } = self.machine.main()
                        && let Some(serial) = self.kernel.holder(pid)
                    {
                        self.signal(serial, signal, None);
                    }
                }
                Action::TellGroup { group, signal } => self.tell_group(group, signal),
                Action::Reap => self.reap()?,
                Action::TakeTerminal { .. } | Action::SuspendSelf => {}
                Action::Note(note) => {
                    self.promises.notes(&note);
                    self.kernel.note(Happening::Note(note));
                }
                Action::Leave { code } => {
                    self.kernel.note(Happening::Left { code });
                    self.promises.leaves(&self.kernel, code);
                    self.check()?;
                    return ControlFlow::Break(End::Left(code));
                }
            }
            self.check()?;
        }
        if looked {
            self.promises.look_is_over(&self.kernel);
        }
        self.check()
    }

    /// Lets the world go on for as long as outro is busy with something.
    fn spend(&mut self, most: Duration) {
        let mut time = self.kernel.chance(Duration::ZERO, most);
        let hiccup_max = self.world.system.hiccup_max;
        if hiccup_max > Duration::ZERO && self.kernel.once_in(HICCUP_ONCE_IN) {
            time += self.kernel.chance(Duration::ZERO, hiccup_max);
        }
        self.advance(self.kernel.now() + time);
    }

    /// Lets the world go on up to this moment, with what comes from outside.
    fn advance(&mut self, moment: Moment) {
        while let Some((at, outside)) = self.world.outside.get(self.come) {
            let at = self.began + *at;
            if at > moment {
                break;
            }
            self.come += 1;
            self.kernel.run_until(at);
            let (signal, sender) = match outside {
                Outside::Signal(signal) => (*signal, Sender::Process),
                Outside::Key(signal) => (*signal, Sender::Terminal),
            };
            self.pending.entry(signal).or_insert(sender);
        }
        self.kernel.run_until(moment);
    }

    /// Sleeps until a signal comes (`Some`), or the deadline.
    fn sleep(
        &mut self,
        deadline: Option<(Moment, Reason)>,
    ) -> ControlFlow<End, Option<(Signal, Sender)>> {
        let over = self.began + self.world.until;
        loop {
            let now = self.kernel.now();
            self.reap_next = self.reap_next.filter(|reap_next| *reap_next > now);
            if now >= over {
                self.kernel.note(Happening::PlatformKills);
                self.promises.is_killed(&self.kernel);
                return ControlFlow::Break(End::Killed);
            }
            if let Some(signal) = self.next_signal() {
                self.promises.wakes(now);
                self.spend(CALL_MAX);
                return ControlFlow::Continue(Some(signal));
            }
            if let Some((_, reason)) = deadline.filter(|(moment, _)| *moment <= now) {
                self.kernel.note(Happening::Timeout { reason });
                self.promises.wakes(now);
                return ControlFlow::Continue(None);
            }
            let outside = self.world.outside.get(self.come).map(|(at, _)| self.began + *at);
            let deadline = deadline.map(|(moment, _)| moment);
            let next = [self.kernel.next_wake(), outside, deadline, self.reap_next];
            let next = next.into_iter().flatten().min();
            let Some(next) = next else {
                self.kernel.note(Happening::Stuck);
                self.promises.is_stuck(&self.kernel);
                return ControlFlow::Break(End::Idle);
            };
            self.advance(next.min(over));
        }
    }

    /// The pending signal that the kernel gives first: the lowest number (signal(7)).
    fn next_signal(&mut self) -> Option<(Signal, Sender)> {
        let first = self.pending.first_key_value().map(|(signal, _)| *signal);
        let has_child_ended = self.kernel.has_child_ended() && self.reap_next.is_none();
        match first {
            Some(signal) if !has_child_ended || signal < Signal::CHLD => {
                self.pending.remove_entry(&signal)
            }
            _ if has_child_ended => {
                self.kernel.take_child_ended();
                Some((Signal::CHLD, Sender::Process))
            }
            _ => None,
        }
    }

    fn take(&mut self, signal: Signal, sender: Sender) -> Flow {
        if signal == Signal::CHLD {
            let began = self.kernel.now();
            self.reap()?;
            let now = self.kernel.now();
            let took = now.since(began);
            let pause = (took * REAP_PAUSE_FACTOR).min(REAP_PAUSE_MAX);
            self.reap_next = (took > COSTLY_REAP).then(|| now + pause);
            return ControlFlow::Continue(());
        }
        let by_key = sender == Sender::Terminal;
        self.kernel.note(Happening::Got { signal, by_key });
        self.promises.gets(&self.kernel, signal, sender);
        self.machine.handle(self.kernel.now(), Event::Signal { signal, sender });
        ControlFlow::Continue(())
    }

    fn start(&mut self) {
        let fails = self.world.system.failing_starts.contains(&self.starts);
        self.starts += 1;
        self.promises.starts(&self.kernel);
        let started = if fails { None } else { self.kernel.start(&self.world.main) };
        let event = match started {
            Some(serial) => {
                let pid = self.kernel.process(serial).id.pid;
                self.main = Some(pid);
                self.promises.has_started(serial);
                Event::Started { pid }
            }
            None => {
                self.kernel.note(Happening::NotStarted);
                self.promises.has_not_started(&self.kernel, NOT_FOUND);
                Event::NotStarted { code: NOT_FOUND }
            }
        };
        self.machine.handle(self.kernel.now(), event);
    }

    /// Takes the wait status of everyone who has ended.
    fn reap(&mut self) -> Flow {
        let is_main_first = self.world.system.reaping == Reaping::MainFirst;
        if is_main_first
            && let Main::Alive { pid, .. } = self.machine.main()
            && let Some(status) = self.kernel.peek_at(pid)
        {
            self.ended(pid, status);
        }
        self.spend(CALL_MAX);
        loop {
            match self.kernel.wait() {
                Waited::Ended(pid, _) if is_main_first && self.main == Some(pid) => {}
                Waited::Ended(pid, status) => self.ended(pid, status),
                Waited::Nothing => return ControlFlow::Continue(()),
                Waited::Childless => {
                    self.machine.handle(self.kernel.now(), Event::Childless);
                    return ControlFlow::Continue(());
                }
            }
            self.spend(CALL_MAX);
        }
    }

    fn ended(&mut self, pid: Pid, status: ExitStatus) {
        if self.main == Some(pid) {
            self.main = None;
            self.promises.main_ended(&self.kernel, status);
        }
        self.machine.handle(self.kernel.now(), Event::Ended { pid, status });
    }

    /// Looks at everyone, one after the other. Says whether that was possible.
    fn look(&mut self, signal: Signal) -> bool {
        if self.world.system.is_blind(self.began, self.kernel.now()) {
            self.kernel.note(Happening::Blind);
            self.promises.is_blind();
            self.machine.handle(self.kernel.now(), Event::Blind);
            return false;
        }
        let began = self.kernel.now();
        self.promises.look_begins(&self.kernel, signal);
        self.held.clear();
        let mut seen = Vec::new();
        let mut last = Pid(0);
        while let Some(pid) = self.kernel.pid_after(last) {
            last = pid;
            let held = self.kernel.holder(pid);
            self.spend(self.world.system.read_cost_max / 2);
            let read = self.kernel.read(pid);
            self.spend(self.world.system.read_cost_max / 2);
            let (Some(held), Some(read)) = (held, read) else { continue };
            if self.held.len() < self.world.system.held_max {
                self.held.insert(pid, held);
            }
            seen.push(read);
        }
        let now = self.kernel.now();
        let took = now.since(began);
        let ticks = outro_core::process::Ticks(
            now.since_start().as_millis() as u64 / outro_core::process::TICK_MS,
        );
        let tree = Tree::new(OUTRO, seen, ticks);
        self.kernel.note(Happening::Looked { seen: tree.processes().len(), took });
        let shows_sleep = self.world.system.shows_sleep;
        let details = View { kernel: &self.kernel, shows_sleep };
        self.machine.handle(now, Event::Seen { tree: &tree, details: &details, took });
        true
    }

    fn tell(&mut self, id: Identity, signal: Signal) {
        let holder = self.kernel.holder(id.pid);
        let held = self.held.get(&id.pid).copied();
        let held_alive = held.filter(|held| holder == Some(*held));
        let same = holder.filter(|serial| self.kernel.process(*serial).id == id);
        let reached = match self.world.system.holding {
            Holding::ByPidfd => held_alive.or(same),
            Holding::ByFirstPidfd if held.is_some() => held_alive,
            Holding::ByFirstPidfd => same,
            Holding::ByPid => holder,
        };
        match reached {
            None => self.kernel.note(Happening::Missed { pid: id.pid, signal }),
            Some(serial) if self.kernel.process(serial).access() == Access::Refused => {
                self.kernel.note(Happening::Refused { serial });
                self.promises.is_refused(&self.kernel, serial);
                self.machine.handle(self.kernel.now(), Event::Refused { id });
            }
            Some(serial) => self.signal(serial, signal, Some(id)),
        }
    }

    fn tell_group(&mut self, group: Pid, signal: Signal) {
        let members: Vec<Serial> = self
            .kernel
            .living()
            .filter(|serial| self.kernel.process(*serial).group == group)
            .collect();
        for member in members {
            if self.kernel.process(member).access() == Access::Permitted {
                self.signal(member, signal, None);
            }
        }
    }

    fn signal(&mut self, serial: Serial, signal: Signal, meant: Option<Identity>) {
        self.promises.tells(&self.kernel, serial, signal, meant);
        self.kernel.send(By::Outro, serial, signal);
    }
}
