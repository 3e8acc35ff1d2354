//! How it ends, and whom outro names.

use super::{Promise, Promises, TURN, stop::Stop};
use crate::kernel::{Kernel, Serial};
use outro_core::{exit::ExitStatus, grace::reserve, machine::Note, process::Pid, signal::Signal};
use std::time::Duration;

impl Promises {
    /// outro tells people.
    pub(crate) fn notes(&mut self, note: &Note) {
        let Some(stop) = &mut self.stop else { return };
        match note {
            Note::Killed { pid, .. } => {
                stop.unnamed.remove(pid);
            }
            Note::LeftBehind { pid, .. } => {
                stop.left_behind.insert(*pid);
            }
            Note::MoreKilled(count) | Note::MoreLeftBehind(count) => stop.counted += count,
            Note::StopAsked { .. }
            | Note::RepeatAbsorbed { .. }
            | Note::Restarting { .. }
            | Note::GivenUp { .. }
            | Note::PressAgain
            | Note::Blind
            | Note::LeftBehindUnseen
            | Note::KilledBlindly { .. } => {}
        }
    }

    /// outro leaves.
    pub(crate) fn leaves(&mut self, kernel: &Kernel, code: u8) {
        self.longest_turn = self.longest_turn.max(kernel.now().since(self.woke_at));
        let main = self.main.map(|main| kernel.process(main));
        let expected = match (self.main_status, main) {
            (Some(status), _) => Some(self.settings.expected.apply(status.code())),
            (None, Some(main)) if main.is_alive() => Some(ExitStatus::Signal(Signal::KILL).code()),
            // It could not be started, or its end was never seen.
            (None, _) => None,
        };
        if expected.is_some_and(|expected| expected != code) {
            self.breaks(Promise::TheExitCodeIsMain, || format!("{code} and not {expected:?}"));
        }
        // When the time is over outro does not wait for what it has just killed.
        let is_over = |stop: &Stop| stop.kill_from.is_some_and(|from| from <= kernel.now());
        let lost = main.is_some_and(|main| !main.is_alive())
            && self.main_status.is_none()
            && !self.stop.as_ref().is_some_and(is_over);
        if lost {
            self.breaks(Promise::TheExitCodeIsMain, || "the main process's end is lost".to_owned());
        }
        self.is_on_time(kernel);
        let left: Vec<Serial> = kernel.living().collect();
        if left.is_empty() {
            self.leaves_nobody(kernel);
        } else {
            self.leaves_behind(kernel, &left);
        }
        self.has_named_the_killed();
    }

    fn leaves_behind(&mut self, kernel: &Kernel, left: &[Serial]) {
        let now = kernel.now();
        let Some(stop) = &self.stop else {
            let how = || "outro leaves, and nobody stops".to_owned();
            return self.breaks(Promise::NobodyIsCutOff, how);
        };
        let is_over = stop.kill_from.is_some_and(|from| from <= now);
        let named = |serial: &Serial| stop.left_behind.contains(&kernel.process(*serial).id.pid);
        let unnamed: Vec<Pid> = left
            .iter()
            .filter(|serial| stop.told.contains_key(serial) && !named(serial))
            .map(|serial| kernel.process(*serial).id.pid)
            .collect();
        let is_blind = self.is_blind;
        let excess = unnamed.len().saturating_sub(stop.counted);
        if !is_over {
            self.breaks(Promise::NobodyIsCutOff, || {
                format!("outro leaves while {} live", left.len())
            });
        } else if excess > 0 && !is_blind {
            self.breaks(Promise::NobodyIsCutOff, || {
                format!("outro leaves {unnamed:?} behind and does not name them")
            });
        }
    }

    fn leaves_nobody(&mut self, kernel: &Kernel) {
        let Some(stop) = &self.stop else { return };
        let last_end = kernel.history.last_end().unwrap_or_default();
        let since = last_end.max(stop.asked_at.unwrap_or_default()).max(stop.began);
        let waited = kernel.now().since(since);
        // The turns that were under way, and the pauses after costly rounds of reaping.
        let may_wait = self.longest_turn * 6 + TURN;
        let obeyed = self.obeys_within.map(|within| stop.held_until.max(stop.began) + within);
        if waited > may_wait {
            self.breaks(Promise::NoWaitForNobody, || format!("outro waited for {waited:?}"));
        } else if obeyed.is_some_and(|by| by < kernel.now()) {
            self.breaks(Promise::WhoObeysIsNotKilled, || "it took too long".to_owned());
        }
    }

    fn has_named_the_killed(&mut self) {
        let Some(stop) = &self.stop else { return };
        let unnamed = stop.unnamed.len().saturating_sub(stop.counted);
        if unnamed > 0 && !self.is_blind {
            let pids = stop.unnamed.clone();
            self.breaks(Promise::NobodyIsCutOff, || format!("{pids:?} were killed and not named"));
        }
    }

    fn is_on_time(&mut self, kernel: &Kernel) {
        let Some(stop) = &self.stop else { return };
        let now = kernel.now();
        // The linger is for those whom the main process left behind; if they are gone, outro may well
        // wait until it starts the program again.
        let is_anyone_left = kernel.living().next().is_some();
        let last_end = kernel.history.last_end().filter(|_| !is_anyone_left);
        // A look that was under way when the time to kill came, the look that kills, and the reaping.
        let late = self.longest_turn * 3 + TURN;
        // A quarter of the reserve is for the way out.
        let spare = self.settings.grace.map_or(Duration::ZERO, |grace| reserve(grace) / 4);
        let over = stop.gone_by.iter().find(|(by, why)| match *why {
            "the grace" => *by + late.saturating_sub(spare) < now,
            "the linger" => *by + late < last_end.unwrap_or(now),
            _ => *by + late < now,
        });
        if let Some((by, why)) = over.copied() {
            self.breaks(Promise::TheDeadlineHolds, || {
                format!("outro is there {:?} after the end of {why}", now.since(by))
            });
        }
    }

    /// The platform kills everyone.
    pub(crate) fn is_killed(&mut self, kernel: &Kernel) {
        self.is_on_time(kernel);
        if self.stop.is_some() && self.obeys_within.is_some() {
            self.breaks(Promise::WhoObeysIsNotKilled, || "the platform kills".to_owned());
        }
        if self.stop.is_some() && kernel.everyone().next().is_none() && !self.will_restart() {
            self.breaks(Promise::NoWaitForNobody, || "outro does not leave".to_owned());
        }
    }

    fn will_restart(&self) -> bool {
        self.settings.restart.policy != outro_core::restart::RestartPolicy::No
            && self.stop.as_ref().is_some_and(|stop| stop.asked_at.is_none())
    }

    /// Nobody will do anything any more.
    pub(crate) fn is_stuck(&mut self, kernel: &Kernel) {
        if kernel.living().next().is_none() {
            self.breaks(Promise::NoWaitForNobody, || "outro waits for ever".to_owned());
        } else if self.stop.is_some() && self.obeys_within.is_some() {
            self.breaks(Promise::WhoObeysIsNotKilled, || "nobody ends any more".to_owned());
        }
    }
}
