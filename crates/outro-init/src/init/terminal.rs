//! The terminal: who has it, and what ^Z does.

use super::Init;
use crate::plan::{JobControl, TerminalChoice};
use outro_core::{process::Pid, signal::Signal};
use outro_sys::{
    own, signals,
    terminal::{Detached, Terminal, detach},
};

impl Init<'_> {
    pub(super) fn take_note_of_terminal(&mut self) {
        match self.plan.terminal {
            TerminalChoice::Input => self.terminal = Terminal::in_foreground(),
            TerminalChoice::Controlling => {
                self.terminal = Terminal::controlling().or_else(Terminal::in_foreground);
            }
            TerminalChoice::NewSession => self.detach(),
            TerminalChoice::Leave => {}
        }
    }

    fn detach(&mut self) {
        let voice = self.plan.voice;
        match detach() {
            Detached::Failed(errno) => voice.dumb_init(format_args!(
                "Unable to detach from controlling tty (errno={} {errno}).",
                errno.0
            )),
            Detached::AsSessionLeader => {
                self.handoff = vec![Signal::HUP, Signal::CONT];
                voice.dumb_init(
                    format_args!("Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive."));
            }
            Detached::AsMember => {
                voice.dumb_init(format_args!(
                    "Detached from controlling tty, but was not session leader."
                ));
            }
        }
    }

    /// The program was stopped by ^Z: outro stops too, so that the shell that started it goes on,
    /// and both are continued together. As PID 1 there is no such shell.
    pub(super) fn follow(&mut self, pid: Pid, signal: Signal) {
        let Some(terminal) = &self.terminal else { return };
        let by_terminal = Signal::JOB_CONTROL.contains(&signal);
        let follows = self.plan.job_control == JobControl::Follow && own::pid().0 != 1;
        if !follows || !by_terminal || self.essentials.main != Some(pid) {
            return;
        }
        let _gone = terminal.take();
        own::suspend();
        if Terminal::in_foreground().is_some() {
            let _gone = terminal.give(pid);
        }
        let _gone = signals::send_group(pid, Signal::CONT);
    }
}
