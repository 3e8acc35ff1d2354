//! How a process goes on: signals first, then what it waits for, then the next step of its script.

use super::{
    Kernel, Life, Process, Serial,
    process::{Frame, Waiting, without},
};
use crate::{
    history::{By, Happening},
    program::{Birth, Child, Place, Plug, Program, Step},
};
use outro_core::{
    exit::ExitStatus,
    process::{Identity, Pipe},
    signal::{Signal, SignalSet},
};
use std::time::Duration;

impl Kernel {
    /// A process goes on, by one step.
    pub(super) fn go_on(&mut self, serial: Serial) {
        let process = self.process(serial);
        if !process.is_alive() {
            return;
        }
        if let Some(moment) = process.hangs_until.filter(|moment| *moment > self.now) {
            return self.wake_at(serial, moment);
        }
        let signal = process.deliverable();
        if let Some(signal) = signal.filter(|it| *it == Signal::KILL || !process.is_stopped) {
            self.deliver(serial, signal);
        } else if process.is_stopped {
            return;
        } else if process.life == Life::Starting {
            self.exec(serial);
        } else if !self.step(serial) {
            // It waits.
            self.process_mut(serial).sleeps += 1;
            return;
        }
        if self.process(serial).is_alive() {
            self.wake(serial);
        }
    }

    /// Takes the next step. Says whether there was one to take: else it waits.
    fn step(&mut self, serial: Serial) -> bool {
        let Some(frame) = self.process(serial).frames.last() else {
            self.end(serial, ExitStatus::Code(0));
            return true;
        };
        let waiting = frame.waiting.clone();
        if !self.is_over(serial, &waiting) {
            return false;
        }
        let process = self.process_mut(serial);
        let Some(frame) = process.frames.last_mut() else { return true };
        frame.waiting = Waiting::Nothing;
        if self.run_trap(serial) {
            return true;
        }
        let process = self.process_mut(serial);
        let Some(frame) = process.frames.last_mut() else { return true };
        let step = frame.script.get(frame.next).cloned();
        frame.next += 1;
        match (step, waiting) {
            (_, Waiting::OneOf(signals, script)) => {
                frame.next -= 1;
                let signal = Process::first_of(process.pending, signals);
                signal.into_iter().for_each(|signal| process.forget(signal));
                process.frames.push(Frame::new(&script, signal));
            }
            (Some(step), _) => self.take(serial, step),
            (None, _) => {
                process.frames.pop();
            }
        }
        true
    }

    /// Whether what the process waits for is there. Children that are waited for are reaped.
    fn is_over(&mut self, serial: Serial, waiting: &Waiting) -> bool {
        match waiting {
            Waiting::Nothing => true,
            Waiting::Until(moment) if *moment <= self.now => true,
            Waiting::Until(moment) => {
                self.wake_at(serial, *moment);
                false
            }
            Waiting::Signals => false,
            Waiting::OneOf(signals, _) => {
                Process::first_of(self.process(serial).pending, *signals).is_some()
            }
            Waiting::End => !self.has_input(serial),
            Waiting::EndOf(pipe) => self.writers(*pipe).all(|writer| writer == serial),
            Waiting::Front => {
                self.reap_children(serial, Some(Place::Front));
                !self.has_children_in_front(serial)
            }
            Waiting::Any => {
                self.process(serial).children.is_empty() || self.reap_children(serial, None) > 0
            }
            Waiting::All => {
                self.reap_children(serial, None);
                self.process(serial).children.is_empty()
            }
        }
    }

    /// Reaps children that have ended; says how many.
    fn reap_children(&mut self, serial: Serial, place: Option<Place>) -> usize {
        let ended: Vec<Serial> = self.process(serial).children.clone();
        let ended = ended.into_iter().filter(|child| {
            let child = self.process(*child);
            !child.is_alive() && place.is_none_or(|place| place == child.place)
        });
        let ended: Vec<Serial> = ended.collect();
        for child in &ended {
            self.reap(serial, *child);
        }
        ended.len()
    }

    fn wait_for(&mut self, serial: Serial, waiting: Waiting) {
        if let Some(frame) = self.process_mut(serial).frames.last_mut() {
            frame.waiting = waiting;
        }
    }

    fn take(&mut self, serial: Serial, step: Step) {
        match step {
            Step::Work(time) => self.wait_for(serial, Waiting::Until(self.now + time)),
            Step::Hang(time) => self.process_mut(serial).hangs_until = Some(self.now + time),
            Step::Print => self.print(serial),
            Step::Pause => self.wait_for(serial, Waiting::Signals),
            Step::WaitFront => self.wait_for(serial, Waiting::Front),
            Step::WaitAny => self.wait_for(serial, Waiting::Any),
            Step::WaitAll => self.wait_for(serial, Waiting::All),
            Step::Pipe => self.make_pipe(serial),
            Step::Start(child) => self.fork(serial, child),
            Step::Catch(signals, script) => {
                let process = self.process_mut(serial);
                let signals = process.own(signals);
                process.ignored = without(process.ignored, signals);
                process.caught.push((signals, script));
            }
            Step::Ignore(signals) => {
                self.reset(serial, signals);
                let process = self.process_mut(serial);
                process.ignored = process.ignored.union(signals);
                process.pending = without(process.pending, without(signals, process.blocked));
            }
            Step::Reset(signals) => self.reset(serial, signals),
            Step::Block(signals) => {
                let process = self.process_mut(serial);
                process.blocked = process.blocked.union(signals);
            }
            Step::Await(signals, script) => {
                self.wait_for(serial, Waiting::OneOf(signals, script));
            }
            Step::Tell(signal) => {
                for child in self.process(serial).children.clone() {
                    self.send(By::Process(serial), child, signal);
                }
            }
            Step::TellGroup(signal) => {
                let group = self.process(serial).group;
                let members: Vec<Serial> =
                    self.living().filter(|member| self.process(*member).group == group).collect();
                for member in members {
                    self.process_mut(member).heard_from_group = true;
                    self.send(By::Process(serial), member, signal);
                }
            }
            Step::StopItself => self.process_mut(serial).is_stopped = true,
            Step::Lead => {
                let process = self.process_mut(serial);
                process.group = process.id.pid;
                process.group_leader = serial;
            }
            Step::Adopt => self.process_mut(serial).adopts = true,
            Step::Become(program) => self.become_program(serial, program),
            Step::ReadToEnd => {
                if self.has_input(serial) {
                    self.wait_for(serial, Waiting::End);
                }
            }
            Step::Listen => {
                if let Some(pipe) = self.process(serial).pipes.last().copied() {
                    self.process_mut(serial).listens_to = Some(pipe);
                    self.wait_for(serial, Waiting::EndOf(pipe));
                }
            }
            Step::DieOfIt => {
                let signal = self.process(serial).frames.last().and_then(|frame| frame.signal);
                self.die_of(serial, signal.unwrap_or(Signal::TERM));
            }
            Step::DieAsChildDid => {
                let process = self.process(serial);
                let signal = process.frames.last().and_then(|frame| frame.signal);
                if let Some(signal) = signal
                    && process.front_status.is_none_or(|it| it == ExitStatus::Signal(signal))
                {
                    self.die_of(serial, signal);
                }
            }
            Step::DieOf(signal) => self.die_of(serial, signal),
            Step::Exit(code) => self.end(serial, ExitStatus::Code(code)),
            Step::ExitIfAlone(code) => {
                if self.process(serial).children.is_empty() {
                    self.end(serial, ExitStatus::Code(code));
                }
            }
            Step::AgainUnlessEnd if !self.has_input(serial) => {}
            Step::Again | Step::AgainUnlessEnd => {
                if let Some(frame) = self.process_mut(serial).frames.last_mut() {
                    frame.next = 0;
                }
            }
        }
    }

    /// Whether its standard input is a pipe that is not at its end.
    fn has_input(&self, serial: Serial) -> bool {
        let input = self.process(serial).input;
        input.is_some_and(|pipe| self.writers(pipe).any(|writer| writer != serial))
    }

    fn print(&mut self, serial: Serial) {
        let Some(pipe) = self.process(serial).output else { return };
        if self.readers(pipe).next().is_none() {
            self.send(By::Process(serial), serial, Signal::PIPE);
        }
    }

    fn make_pipe(&mut self, serial: Serial) {
        self.pipes += 1;
        let pipe = Pipe::Fifo(0, self.pipes);
        self.process_mut(serial).pipes.push(pipe);
    }

    fn reset(&mut self, serial: Serial, signals: SignalSet) {
        let process = self.process_mut(serial);
        let signals = process.own(signals);
        process.ignored = without(process.ignored, signals);
        process.caught.iter_mut().for_each(|(set, _)| *set = without(*set, signals));
    }

    fn fork(&mut self, parent: Serial, child: Child) {
        let Some(pid) = self.free_pid() else {
            self.tell(Happening::NoPid { serial: parent });
            return;
        };
        let serial = Serial(self.processes.len() as u32);
        let of = self.process(parent);
        let plug = |plug, inherited| -> Option<Pipe> {
            let newest = of.pipes.len();
            match plug {
                Plug::Inherited => inherited,
                Plug::Newest => of.pipes.get(newest.wrapping_sub(1)).copied(),
                Plug::Before => of.pipes.get(newest.wrapping_sub(2)).copied(),
            }
        };
        let keyboard = SignalSet::EMPTY.with(Signal::INT).with(Signal::QUIT);
        let process = Process {
            id: Identity { pid, start: Process::start_ticks(self.now) },
            parent: Some(parent),
            life: match child.birth {
                Birth::Exec => Life::Starting,
                Birth::Fork => Life::Running,
            },
            ended_at: None,
            place: child.place,
            is_stopped: false,
            adopts: false,
            children: Vec::new(),
            input: plug(child.input, of.input),
            output: plug(child.output, of.output),
            ignored: match child.place {
                Place::Background => of.ignored.union(keyboard),
                Place::Front | Place::Beside => of.ignored,
            },
            pending: SignalSet::EMPTY,
            frames: vec![Frame::new(&child.program.script, None)],
            traps: Vec::new(),
            pipes: Vec::new(),
            front_status: None,
            hangs_until: None,
            wakes_at: None,
            listens_to: None,
            has_null_input: match (child.place, child.input) {
                (Place::Background, Plug::Inherited) => true,
                (Place::Front | Place::Beside, Plug::Inherited) => of.has_null_input,
                (_, Plug::Newest | Plug::Before) => false,
            },
            sleeps: 0,
            adopted_at: None,
            front_ended_at: None,
            heard_from_group: false,
            name: of.name.clone(),
            program: child.program,
            // The group, what is caught and what is blocked.
            ..of.clone()
        };
        self.processes.push(process);
        self.by_pid.insert(pid, serial);
        self.process_mut(parent).children.push(serial);
        self.tell(Happening::Started { serial, pid, parent: Some(parent) });
        if child.birth == Birth::Fork {
            self.process_mut(serial).name = self.process(serial).program.name.clone();
            self.tell(Happening::Runs { serial, name: self.name(serial) });
        }
        let until_exec = self.chance(Duration::from_micros(20), Duration::from_millis(2));
        self.wake_at(serial, self.now + until_exec);
    }

    /// The end of the moment between fork and exec.
    fn exec(&mut self, serial: Serial) {
        let process = self.process_mut(serial);
        process.life = Life::Running;
        process.caught.clear();
        process.ignored_on_entry = process.ignored;
        process.name = process.program.name.clone();
        self.tell(Happening::Runs { serial, name: self.name(serial) });
    }

    fn become_program(&mut self, serial: Serial, program: Program) {
        let process = self.process_mut(serial);
        process.frames = vec![Frame::new(&program.script, None)];
        process.traps.clear();
        process.program = program;
        self.exec(serial);
    }
}

impl Process {
    /// The first of these signals that is pending.
    fn first_of(pending: SignalSet, signals: SignalSet) -> Option<Signal> {
        Signal::new((pending.mask() & signals.mask()).trailing_zeros() as i32 + 1)
    }
}
