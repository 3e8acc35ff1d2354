//! The loop: the core's machine on a real system. One thread, no file descriptor, and no timer
//! while the program runs; it sleeps in one system call.

mod terminal;

use crate::{
    bare::{self, Essentials},
    flags,
    look::{Look, ProcDetails},
    plan::{Adoption, Directory, InheritedFiles, Plan, TerminalChoice},
    report, voice,
};
use outro_core::{
    exit::ExitStatus,
    machine::{Action, Event, Machine, Main, Note, Sender},
    process::Pid,
    restart::RestartPolicy,
    settings::Farewell,
    signal::Signal,
    time::{Moment, Spoken},
};
use outro_sys::{
    Errno, clock, inherited, own,
    signals::{self, Awaited, Received},
    spawn::{Handover, Membership, Program, Setup},
    terminal::Terminal,
    wait::{self, Waited},
};
use std::{
    ops::ControlFlow,
    os::fd::{AsRawFd, OwnedFd},
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

/// Runs the plan to the end of the process.
pub fn run(plan: Plan) -> ! {
    inherited::block_again();
    let mut essentials = Essentials::default();
    panic::set_hook(Box::new(|info| voice::say(&format!("internal error: {info}"))));
    let result =
        panic::catch_unwind(AssertUnwindSafe(|| match Init::new(plan, &mut essentials).run() {
            ControlFlow::Break(code) => code,
            ControlFlow::Continue(()) => 0,
        }));
    match result {
        Ok(code) => own::leave(code),
        Err(_) => bare::run(essentials),
    }
}

struct Init<'a> {
    plan: Plan,
    program: Program,
    machine: Machine,
    essentials: &'a mut Essentials,
    terminal: Option<Terminal>,
    /// The last look: the processes in it are held until the next.
    look: Look,
    open_files: Option<own::OpenFiles>,
    /// Where the program is started, if outro itself stands elsewhere.
    directory: Option<OwnedFd>,
    /// When to hear of children again.
    reap_next: Option<Moment>,
    /// A child that was stopped.
    stopped: Option<(Pid, Signal)>,
    /// dumb-init: signals by which the kernel tells of the terminal that outro gave up.
    handoff: Vec<Signal>,
}

/// wait(2) looks at every child to find one that has ended. With thousands of them that ends up as
/// most of what a stop costs, so after a round that took this long the next one waits, and
/// finds more at once.
const COSTLY_REAP: Duration = Duration::from_micros(100);

/// How long it waits, in rounds.
const REAP_PAUSE_FACTOR: u32 = 4;

/// How long it waits at most.
const REAP_PAUSE_MAX: Duration = Duration::from_millis(20);

/// Goes on, or leaves with an exit code.
type Flow = ControlFlow<u8>;

impl<'a> Init<'a> {
    fn new(plan: Plan, essentials: &'a mut Essentials) -> Self {
        let mut program = Program::new(&plan.command);
        // Ours are ours: another outro below this one is to go by its own.
        program.keep_variables(|name| !flags::is_variable(name));
        let is_for_us = |value: String| value.trim() == own::pid().to_string();
        if plan.passes_listen_pid && std::env::var("LISTEN_PID").is_ok_and(is_for_us) {
            program.with_listen_pid();
        }
        let machine = Machine::new(plan.settings.clone());
        Self {
            plan,
            program,
            machine,
            essentials,
            terminal: None,
            look: Look::default(),
            open_files: None,
            directory: None,
            reap_next: None,
            stopped: None,
            handoff: Vec::new(),
        }
    }

    fn run(mut self) -> Flow {
        self.adopt();
        if self.plan.is_pause {
            return self.pause();
        }
        self.take_note_of_terminal();
        if self.plan.directory == Directory::Root {
            self.leave_directory();
        }
        loop {
            self.act()?;
            let deadline = self.machine.next_deadline().map(|(moment, _)| moment);
            let received = match self.reap_next {
                None => {
                    let timeout = deadline.map(|moment| moment.since(clock::now()));
                    signals::wait(Awaited::All, timeout)
                }
                Some(reap_next) => {
                    let next = deadline.map_or(reap_next, |deadline| deadline.min(reap_next));
                    let received =
                        signals::wait(Awaited::AllButChild, Some(next.since(clock::now())));
                    self.reap_next = self.reap_next.filter(|reap_next| *reap_next > clock::now());
                    received
                }
            };
            if let Some(received) = received {
                self.take(received)?;
            }
            self.machine.handle_timeout(clock::now());
        }
    }

    /// Makes orphans outro's own.
    fn adopt(&mut self) {
        let voice = self.plan.voice;
        if let Some(signal) = self.plan.parent_death
            && let Err(errno) = own::set_parent_death_signal(signal)
        {
            voice::say(&format!("no signal when the parent ends: {errno}"));
        }
        if own::pid().0 == 1 {
            return;
        }
        match self.plan.adoption {
            Adoption::Always => match own::become_subreaper() {
                Ok(()) => voice.became_subreaper(),
                Err(errno) => voice::say(&format!("orphans cannot be waited for: {errno}")),
            },
            Adoption::OnlyAsPid1 if own::is_subreaper() => {}
            Adoption::OnlyAsPid1 => voice.not_a_reaper(),
        }
    }

    /// No program: leave at a stop signal, reap until then.
    fn pause(&mut self) -> Flow {
        loop {
            match signals::wait(Awaited::All, None).map(|received| received.signal) {
                Some(Signal::TERM | Signal::INT) => return ControlFlow::Break(0),
                Some(Signal::CHLD) => {
                    while !matches!(wait::next(), Waited::Nothing | Waited::Childless) {}
                }
                Some(_) | None => {}
            }
        }
    }

    /// Carries out what the machine wants.
    fn act(&mut self) -> Flow {
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Start => self.start(),
                Action::Look { signal } => self.look(signal),
                Action::Tell { id, signal } => {
                    if self.look.send(id, signal) == Err(Errno::PERM) {
                        self.machine.handle(clock::now(), Event::Refused { id });
                    }
                }
                Action::TellMain { signal } => {
                    if let Main::Alive { pid, .. } = self.machine.main() {
                        // Gone in this very moment: its SIGCHLD is on its way.
                        let _gone = signals::send(pid, signal);
                    }
                }
                Action::TellGroup { group, signal } => {
                    let _gone = signals::send_group(group, signal);
                }
                Action::TakeTerminal { from } => {
                    if let Some(terminal) = &self.terminal
                        && terminal.is_given_to(from)
                    {
                        // The terminal may have hung up; then there is none to take.
                        let _gone = terminal.take();
                    }
                }
                Action::Reap => self.reap()?,
                Action::SuspendSelf => {
                    self.plan.voice.suspending();
                    own::suspend();
                }
                Action::Note(note) => {
                    self.tell_of_grace(&note);
                    if let Some(sentence) = voice::sentence(&note, self.plan.is_verbose) {
                        voice::say(&sentence);
                    }
                }
                Action::Leave { code } => return self.leave(code),
            }
        }
        ControlFlow::Continue(())
    }

    /// A grace that nobody has set is told of when somebody is killed for it.
    fn tell_of_grace(&mut self, note: &Note) {
        let is_kill = matches!(note, Note::Killed { .. } | Note::KilledBlindly { .. });
        let is_asked = self.plan.is_verbose && matches!(note, Note::StopAsked { .. });
        if (is_kill || is_asked)
            && let Some(platform) = self.plan.platform.take()
        {
            voice::say(&format!(
                "the grace is {}, {}'s default; --grace says another",
                Spoken(platform.grace),
                platform.name
            ));
        }
    }

    fn start(&mut self) {
        let handover = match (self.plan.terminal, &self.terminal) {
            (TerminalChoice::NewSession, _) => Handover::Controlling,
            // At a later start outro may be a job in the background.
            (_, Some(terminal)) if terminal.is_ours() => Handover::Foreground(terminal.raw()),
            (_, Some(_) | None) => Handover::Keep,
        };
        let setup = Setup {
            membership: self.plan.membership,
            handover,
            blocked: self.plan.blocked,
            directory: self.directory.as_ref().map(AsRawFd::as_raw_fd),
            open_files: self.open_files,
        };
        let voice = self.plan.voice;
        let name = self
            .plan
            .command
            .first()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let event = match self.program.start(&setup) {
            Ok(pid) => {
                *self.essentials = Essentials { main: Some(pid), ..Essentials::default() };
                voice.started(&name, pid);
                if setup.membership == Membership::Session {
                    voice.dumb_init(format_args!("setsid complete."));
                }
                Event::Started { pid }
            }
            Err(errno) => {
                voice.not_started(&name, errno);
                Event::NotStarted { code: (self.plan.start_failure)(errno) }
            }
        };
        self.machine.handle(clock::now(), event);
        // A program that is started again needs what this one got.
        if self.plan.settings.restart.policy == RestartPolicy::No {
            self.directory = None;
            if self.plan.inherited_files == InheritedFiles::Close {
                own::close_inherited(self.terminal.as_ref().map(Terminal::raw));
            }
        }
    }

    fn leave_directory(&mut self) {
        match own::leave_directory() {
            Ok(before) => self.directory = before,
            Err(errno) => self
                .plan
                .voice
                .dumb_init(format_args!("Unable to chdir(\"/\") (errno={} {errno})", errno.0)),
        }
    }

    fn look(&mut self, signal: Signal) {
        let began = clock::now();
        if self.open_files.is_none() {
            self.open_files = own::raise_open_files();
        }
        // What it holds is given back first: there are only so many descriptors.
        self.look = Look::default();
        match Look::now(signal) {
            Some(look) => {
                self.look = look;
                let now = clock::now();
                let took = now.since(began);
                let tree = &self.look.tree;
                self.machine.handle(now, Event::Seen { tree, details: &ProcDetails, took });
            }
            None => self.machine.handle(clock::now(), Event::Blind),
        }
    }

    fn take(&mut self, received: Received) -> Flow {
        let Received { signal, sender, from_kernel } = received;
        // outro's own write: to a pipe that nobody reads, or to a file that may not grow.
        if [Signal::PIPE, Signal::XFSZ].contains(&signal) && sender == own::pid() {
            return ControlFlow::Continue(());
        }
        let voice = self.plan.voice;
        if signal == Signal::CHLD {
            voice.received(signal, &self.plan.settings.rewrites);
            let began = clock::now();
            self.reap()?;
            let took = clock::now().since(began);
            if took > COSTLY_REAP {
                let pause = (took * REAP_PAUSE_FACTOR).min(REAP_PAUSE_MAX);
                self.reap_next = Some(clock::now() + pause);
            }
            // Only now: it may last for hours.
            if let Some((pid, signal)) = self.stopped.take() {
                self.follow(pid, signal);
            }
            return ControlFlow::Continue(());
        }
        if let Some(index) = self.handoff.iter().position(|expected| *expected == signal) {
            self.handoff.remove(index);
            voice.dumb_init(format_args!("Ignoring tty hand-off signal {}.", signal.number()));
            return ControlFlow::Continue(());
        }
        if self.plan.deaf_to.contains(&signal) {
            return ControlFlow::Continue(());
        }
        voice.received(signal, &self.plan.settings.rewrites);
        let is_key = Signal::KEYBOARD.contains(&signal);
        let sender = if from_kernel && is_key { Sender::Terminal } else { Sender::Process };
        self.essentials.pending = Some(signal);
        panic_if_a_test_asks();
        self.machine.handle(clock::now(), Event::Signal { signal, sender });
        self.act()?;
        self.essentials.pending = None;
        ControlFlow::Continue(())
    }

    /// Takes the wait status of everyone who has ended.
    fn reap(&mut self) -> Flow {
        // A farewell to the group is said while the group's number is still its own.
        if self.plan.settings.farewell == Farewell::TellGroup
            && let Main::Alive { pid, .. } = self.machine.main()
            && let Some(status) = wait::peek_ended(pid)
        {
            self.ended(pid, status);
            self.act()?;
        }
        loop {
            match wait::next() {
                Waited::Ended { pid, status } => {
                    let is_main = self.essentials.main == Some(pid);
                    if is_main {
                        // Whatever happens next: the number may be another's from now on.
                        self.essentials.main = None;
                    }
                    if !is_main || self.essentials.status.is_none() {
                        self.ended(pid, status);
                    }
                }
                Waited::Stopped { pid, signal } => self.stopped = Some((pid, signal)),
                Waited::Nothing => {
                    self.plan.voice.reaped_all(true);
                    return ControlFlow::Continue(());
                }
                Waited::Childless => {
                    self.plan.voice.reaped_all(false);
                    self.machine.handle(clock::now(), Event::Childless);
                    return ControlFlow::Continue(());
                }
            }
        }
    }

    fn ended(&mut self, pid: Pid, status: ExitStatus) {
        let is_main = matches!(self.machine.main(), Main::Alive { pid: main, .. } if main == pid);
        if is_main {
            self.essentials.status = Some(status);
        }
        self.plan.voice.reaped(pid, status, is_main, &self.plan.settings.rewrites);
        self.machine.handle(clock::now(), Event::Ended { pid, status });
    }

    fn leave(&mut self, code: u8) -> Flow {
        let asked = self.plan.is_verbose || self.plan.report.is_some();
        if asked {
            let report = self.machine.report(clock::now());
            if self.plan.is_verbose {
                report::print(&report);
            }
            if let Some(path) = &self.plan.report {
                report::write(&report, &self.plan.command, path);
            }
        }
        if !matches!(self.machine.main(), Main::NotStarted(_)) {
            self.plan.voice.leaving(code);
        }
        ControlFlow::Break(code)
    }
}

/// What a fault in the core does is tested by a debug build that is told to have one.
fn panic_if_a_test_asks() {
    #[cfg(debug_assertions)]
    assert!(std::env::var_os("OUTRO_TEST_PANIC").is_none(), "a test asked for it");
}
