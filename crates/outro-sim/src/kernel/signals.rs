//! Signals: sending, and what becomes of them (signal(7)).

use super::{
    Kernel, Life, Serial,
    process::{Frame, Waiting, without},
};
use crate::history::{By, Happening};
use outro_core::{
    exit::ExitStatus,
    signal::{DefaultAction, Signal, SignalSet},
};

/// What stops a process, and is undone by SIGCONT.
const STOPS: SignalSet =
    SignalSet::EMPTY.with(Signal::STOP).with(Signal::TSTP).with(Signal::TTIN).with(Signal::TTOU);

impl Kernel {
    /// Signals a process. Nothing happens to one that has ended.
    pub fn send(&mut self, by: By, serial: Serial, signal: Signal) {
        self.tell(Happening::Told { by, serial, signal });
        if !self.process(serial).is_alive() {
            return;
        }
        if signal == Signal::CONT {
            self.process_mut(serial).pending = without(self.process(serial).pending, STOPS);
            self.process_mut(serial).is_stopped = false;
            self.wake(serial);
        }
        if signal == Signal::STOP {
            self.process_mut(serial).is_stopped = true;
            return;
        }
        let process = self.process_mut(serial);
        let is_dropped = !process.blocked().contains(signal)
            && process.handler(signal).is_none()
            && (process.ignored.contains(signal)
                || signal.default_action() == DefaultAction::Ignore);
        if is_dropped && signal != Signal::KILL {
            return;
        }
        process.pending = process.pending.with(signal);
        self.wake(serial);
    }

    /// Delivers a signal.
    pub(super) fn deliver(&mut self, serial: Serial, signal: Signal) {
        self.process_mut(serial).forget(signal);
        if signal == Signal::KILL {
            return self.end(serial, ExitStatus::Signal(signal));
        }
        let process = self.process(serial);
        if let Some(handler) = process.handler(signal).cloned() {
            // A shell notes the signal, and runs the trap when nothing is in its foreground.
            if self.keeps_traps_waiting(serial) {
                self.process_mut(serial).traps.push(signal);
            } else {
                self.process_mut(serial).front_status = None;
                self.run_handler(serial, signal, &handler);
            }
            return;
        }
        if process.ignored.contains(signal) {
            return;
        }
        match signal.default_action() {
            DefaultAction::Terminate => self.end(serial, ExitStatus::Signal(signal)),
            DefaultAction::Stop => self.process_mut(serial).is_stopped = true,
            DefaultAction::Ignore => {}
        }
    }

    /// Runs the traps that waited, if the foreground is empty.
    pub(super) fn run_trap(&mut self, serial: Serial) -> bool {
        if self.process(serial).traps.is_empty() || self.keeps_traps_waiting(serial) {
            return false;
        }
        let signal = self.process_mut(serial).traps.remove(0);
        let Some(handler) = self.process(serial).handler(signal).cloned() else { return false };
        self.run_handler(serial, signal, &handler);
        true
    }

    fn run_handler(&mut self, serial: Serial, signal: Signal, handler: &crate::program::Script) {
        self.tell(Happening::Handles { serial, signal });
        let process = self.process_mut(serial);
        let is_shell = process.program.shell.is_some();
        if let Some(frame) = process.frames.last_mut()
            && is_shell
            && matches!(frame.waiting, Waiting::Any | Waiting::All)
        {
            // A trap ends the `wait` of a shell.
            frame.waiting = Waiting::Nothing;
        }
        process.frames.push(Frame::new(handler, Some(signal)));
    }

    /// Ends by a signal as if it had never been caught, blocked or ignored.
    pub(super) fn die_of(&mut self, serial: Serial, signal: Signal) {
        debug_assert!(self.process(serial).life == Life::Running);
        self.end(serial, ExitStatus::Signal(signal));
    }
}
