//! The life of a PID 1, as a machine without I/O.
//!
//! ```text
//!                   main ends by itself
//!      ┌─────────┐ ───────────────────────▶ ┌──────────┐  nobody is left  ┌──────┐
//!  ───▶│ Running │                          │ Stopping │ ────────────────▶│ Over │
//!      └─────────┘ ───────────────────────▶ └──────────┘   or leave_by    └──────┘
//!        ▲           a stop signal            │      ▲                       ▲
//!        │                                    │      │ stop signal           │ stop signal
//!        │      pause over    ┌─────────┐     │ nobody is left,              │
//!        └────────────────────│ Pausing │◀────┘ to be started again          │
//!                             └─────────┘ ───────────────────────────────────┘
//! ```
//!
//! Four calls: [`Machine::handle`] takes what happened, [`Machine::handle_timeout`] says that time
//! has passed, [`Machine::poll_action`] gives what is to be done, and [`Machine::next_deadline`] when to call again if
//! nothing happens, and why. While the program runs there is no deadline.

mod event;
mod looks;
mod stop;
mod telling;

pub use event::{Action, Event, Note, Sender};

use crate::{
    exit::ExitStatus,
    ledger::Ledger,
    process::Pid,
    report::Report,
    restart::{Restarts, Verdict},
    route::Memory,
    settings::{Farewell, Forward, Group, Repeat, Settings, Suspend},
    signal::Signal,
    time::Moment,
};
use std::{collections::VecDeque, time::Duration};
use stop::{Cause, Key, Stop, Then};

/// Why the machine wants to be called at a certain time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The stop is held back (`--delay`) until then.
    Delay,
    /// To look who is still there.
    Look,
    /// The program is started again then.
    Restart,
    /// What is left of a stop is killed then.
    Grace,
    /// What the main process left behind is killed then.
    Linger,
    /// outro leaves then, whoever is left.
    Leave,
}

/// What outro itself spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Main {
    /// It is being started.
    Starting,
    /// It runs.
    Alive {
        /// Its pid, which is also its process group.
        pid: Pid,
        /// When it was started.
        since: Moment,
    },
    /// It has ended.
    Ended {
        /// The pid it had.
        pid: Pid,
        /// How it ended.
        status: ExitStatus,
        /// When.
        at: Moment,
    },
    /// It could not be started; this is the exit code that says so.
    NotStarted(u8),
}

#[derive(Clone, Debug)]
enum Phase {
    Running,
    Stopping(Stop),
    Pausing { until: Moment },
    Over,
}

/// Whether `/proc` can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Clear,
    Blind,
}

/// How many of those who are killed or left behind get a line of their own.
const NAMED_MAX: usize = 50;

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Machine {
    settings: Settings,
    main: Main,
    phase: Phase,
    sight: Sight,
    restarts: Restarts,
    ledger: Ledger,
    memory: Memory,
    actions: VecDeque<Action>,
    /// The last stop, for the report: the phase holds it only while it goes on.
    last_stop: Option<Stop>,
    started: u32,
}

impl Machine {
    /// A machine whose first action is to start the program.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            main: Main::Starting,
            phase: Phase::Running,
            sight: Sight::Clear,
            restarts: Restarts::default(),
            ledger: Ledger::default(),
            memory: Memory::default(),
            actions: VecDeque::from([Action::Start]),
            last_stop: None,
            started: 0,
        }
    }

    /// What is to be done next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When to call [`Self::handle_timeout`] if nothing happens before, and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Moment, Reason)> {
        match &self.phase {
            Phase::Running | Phase::Over => None,
            Phase::Pausing { until } => Some((*until, Reason::Restart)),
            Phase::Stopping(stop) => stop.next_deadline(),
        }
    }

    /// Takes in that it is now `now`.
    pub fn handle_timeout(&mut self, now: Moment) {
        match &mut self.phase {
            Phase::Pausing { until } if *until <= now => self.start(),
            Phase::Stopping(stop) => match stop.handle_timeout(now) {
                stop::Due::Nothing => {}
                stop::Due::Look if self.sight == Sight::Blind => self.act_blindly(),
                stop::Due::Look => self.actions.push_back(Action::Look { signal: stop.signal }),
                stop::Due::Leave => self.leave_behind(now),
            },
            Phase::Running | Phase::Pausing { .. } | Phase::Over => {}
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Moment, event: Event<'_>) {
        match event {
            Event::Started { pid } => self.main = Main::Alive { pid, since: now },
            Event::NotStarted { code } => self.not_started(now, code),
            Event::Signal { signal, sender } => self.signal(now, signal, sender),
            Event::Ended { pid, status } => self.ended(now, pid, status),
            Event::Childless => self.childless(now),
            Event::Seen { tree, details, took } => self.seen(now, tree, details, took),
            Event::Blind => self.blind(now),
            Event::Refused { id } => self.ledger.refuse(id),
        }
    }

    /// What outro itself spawned.
    #[must_use]
    pub fn main(&self) -> Main {
        self.main
    }

    /// Who was told what.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The exit code if outro left now.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.main {
            Main::Ended { status, .. } => self.settings.expected.apply(status.code()),
            Main::NotStarted(code) => self.settings.expected.apply(code),
            // It outlived its KILL: what a shell would say of it.
            Main::Alive { .. } => ExitStatus::Signal(Signal::KILL).code(),
            Main::Starting => 0,
        }
    }

    /// What happened, for people.
    #[must_use]
    pub fn report(&self, now: Moment) -> Report {
        let stop = match &self.phase {
            Phase::Stopping(stop) => Some(stop),
            Phase::Running | Phase::Pausing { .. } | Phase::Over => self.last_stop.as_ref(),
        };
        Report::new(self, stop.map(|stop| stop.summary(&self.settings, now)), self.started)
    }

    fn start(&mut self) {
        self.main = Main::Starting;
        self.phase = Phase::Running;
        self.sight = Sight::Clear;
        self.ledger.clear();
        self.memory = Memory::default();
        self.last_stop = None;
        self.actions.push_back(Action::Start);
        self.started += 1;
    }

    fn not_started(&mut self, now: Moment, code: u8) {
        self.main = Main::NotStarted(code);
        // A first start that fails is a mistake in the command; a later one may be a program that
        // is just being replaced.
        let then = match self.started {
            0 => Then::Leave,
            _ => self.after_end(now, ExitStatus::Code(code), Duration::ZERO),
        };
        self.stop_leftovers(Stop::main_ended(&self.settings, now, then, false));
    }

    /// What is below outro without a main process is stopped; if nobody is, no child's end says so.
    fn stop_leftovers(&mut self, stop: Stop) {
        self.phase = Phase::Stopping(stop);
        self.actions.push_back(Action::Reap);
    }

    fn signal(&mut self, now: Moment, signal: Signal, sender: Sender) {
        // The terminal tells outro's own group, and so the main process too, if that is in it.
        if sender == Sender::Terminal && self.settings.group == Group::Shared {
            return;
        }
        let stops = self.settings.stop_signals;
        let suspends = Signal::JOB_CONTROL.contains(&signal);
        match self.settings.rewrites.apply(signal) {
            _ if suspends && self.settings.suspend == Suspend::Drop => {}
            Some(becomes) if stops.contains(signal) || stops.contains(becomes) => {
                self.ask_to_stop(now, signal, becomes, sender);
            }
            Some(becomes) => self.forward(becomes),
            None => {}
        }
        if suspends && self.settings.suspend == Suspend::StopToo {
            self.actions.push_back(Action::SuspendSelf);
        }
    }

    fn forward(&mut self, signal: Signal) {
        if let Main::Alive { pid, .. } = self.main {
            self.actions.push_back(match self.settings.forward {
                Forward::Group if self.settings.group == Group::Shared => {
                    Action::TellMain { signal }
                }
                Forward::Main => Action::TellMain { signal },
                Forward::Group => Action::TellGroup { group: pid, signal },
            });
        }
    }

    fn ask_to_stop(&mut self, now: Moment, came: Signal, signal: Signal, sender: Sender) {
        let note = Note::StopAsked { came, signal };
        match &mut self.phase {
            Phase::Running => {
                self.actions.push_back(Action::Note(note));
                self.phase = Phase::Stopping(Stop::asked(&self.settings, now, signal, sender));
            }
            // Nothing of the program's runs; but orphans of others may have been adopted.
            Phase::Pausing { .. } => {
                self.actions.push_back(Action::Note(note));
                let mut stop = Stop::asked(&self.settings, now, signal, sender);
                stop.end_delay(now);
                self.stop_leftovers(stop);
            }
            Phase::Stopping(stop) => {
                stop.then = Then::Leave;
                let note = match (stop.cause, sender) {
                    (_, Sender::Terminal) => match stop.key(now) {
                        Key::First => Note::PressAgain,
                        Key::Ended => return,
                    },
                    (Cause::MainEnded, Sender::Process) => {
                        stop.limit(&self.settings, now);
                        note
                    }
                    (Cause::Asked, Sender::Process)
                        if self.settings.repeat == Repeat::TellOthers && stop.signal != signal =>
                    {
                        return stop.tell_another(now, signal);
                    }
                    (Cause::Asked, Sender::Process) => Note::RepeatAbsorbed { signal },
                };
                self.actions.push_back(Action::Note(note));
            }
            Phase::Over => {}
        }
    }

    fn ended(&mut self, now: Moment, pid: Pid, status: ExitStatus) {
        self.ledger.reaped(pid, status, now);
        if let Phase::Stopping(stop) = &mut self.phase {
            stop.looks.hasten(now);
        }
        if let Main::Alive { pid: main, since } = self.main
            && main == pid
        {
            self.main_ended(now, pid, status, now.since(since));
        }
    }

    fn main_ended(&mut self, now: Moment, pid: Pid, status: ExitStatus, ran: Duration) {
        self.main = Main::Ended { pid, status, at: now };
        // From now on ^C is outro's to hear.
        self.actions.push_back(Action::TakeTerminal { from: pid });
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        let then = self.after_end(now, status, ran);
        if self.settings.farewell == Farewell::TellGroup
            && let Some(signal) = self.settings.rewrites.apply(Signal::TERM)
        {
            self.actions.push_back(Action::TellGroup { group: pid, signal });
        }
        let by_key = Signal::KEYBOARD.map(ExitStatus::Signal).contains(&status);
        self.phase = Phase::Stopping(Stop::main_ended(&self.settings, now, then, by_key));
    }

    fn after_end(&mut self, now: Moment, status: ExitStatus, ran: Duration) -> Then {
        let settings = &self.settings;
        match self.restarts.ended(&settings.restart, &settings.expected, status, ran) {
            Verdict::Again(pause) => {
                self.actions.push_back(Action::Note(Note::Restarting { status, pause }));
                Then::Restart { at: now + pause }
            }
            Verdict::Over => Then::Leave,
            Verdict::GivenUp(starts) => {
                self.actions.push_back(Action::Note(Note::GivenUp { status, starts }));
                Then::Leave
            }
        }
    }

    fn childless(&mut self, now: Moment) {
        if let Phase::Stopping(stop) = &self.phase {
            self.ledger.all_left(now);
            self.follow_up(now, stop.then);
        }
    }

    /// The stop is over.
    fn follow_up(&mut self, now: Moment, then: Then) {
        if let Phase::Stopping(stop) = &self.phase
            && stop.killed > NAMED_MAX
        {
            self.actions.push_back(Action::Note(Note::MoreKilled(stop.killed - NAMED_MAX)));
        }
        match then {
            Then::Leave => self.leave(),
            Then::Restart { at } => {
                self.ledger.clear();
                self.phase = Phase::Pausing { until: at.max(now) };
            }
        }
    }

    fn leave(&mut self) {
        if let Phase::Stopping(stop) = std::mem::replace(&mut self.phase, Phase::Over) {
            self.last_stop = Some(stop);
        }
        self.actions.push_back(Action::Leave { code: self.exit_code() });
    }
}
