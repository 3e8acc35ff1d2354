//! One stop: from the request, or from the main process's own end, to the last one's leaving.

use super::{Reason, Sender, looks::Looks};
use crate::{
    grace::reserve,
    report::StopSummary,
    settings::Settings,
    signal::{Signal, SignalSet},
    time::Moment,
};
use std::time::Duration;

/// What began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A stop signal.
    Asked,
    /// The main process ended by itself.
    MainEnded,
}

/// What follows when nobody is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Leave,
    Restart { at: Moment },
}

/// When those who are left are killed, and when outro leaves whoever is left.
#[derive(Clone, Copy, Debug)]
struct End {
    kill_at: Moment,
    leave_by: Moment,
    reason: Reason,
}

/// How long after its KILL a process is waited for where no platform's kill is near.
const AFTER_LINGER: Duration = Duration::from_secs(1);

/// After a second ^C.
const AFTER_KEYBOARD: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) cause: Cause,
    pub(super) signal: Signal,
    pub(super) then: Then,
    pub(super) looks: Looks,
    pub(super) killing: bool,
    /// How many were killed.
    pub(super) killed: usize,
    /// How many looks showed nobody, though there are children.
    pub(super) empty_looks: u32,
    /// When the first telling was.
    pub(super) told_first: Option<Moment>,
    /// How many looks failed.
    pub(super) failed_looks: u32,
    /// How often ^C was pressed for it.
    keypresses: u32,
    /// What the group was told, where nobody can be seen.
    pub(super) told_blindly: SignalSet,
    began: Moment,
    delayed_until: Option<Moment>,
    end: Option<End>,
}

/// What a press of ^C came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Nothing yet; one more will end the grace.
    First,
    /// It ended the delay, or the grace.
    Ended,
}

/// What a stop wants done when time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Look,
    Leave,
}

impl Stop {
    /// A stop signal came.
    pub(super) fn asked(settings: &Settings, now: Moment, signal: Signal, sender: Sender) -> Self {
        let delayed_until = (settings.delay > Duration::ZERO).then(|| now + settings.delay);
        Self {
            delayed_until,
            end: settings.grace.map(|grace| End::of_grace(now, grace)),
            looks: Looks::from(delayed_until.unwrap_or(now)),
            keypresses: u32::from(sender == Sender::Terminal),
            ..Self::new(Cause::Asked, now, signal, Then::Leave)
        }
    }

    /// The main process ended by itself; of the terminal's ^C, if that is what `by_key` says.
    pub(super) fn main_ended(settings: &Settings, now: Moment, then: Then, by_key: bool) -> Self {
        let kill_at = now + settings.linger;
        let leave_by = kill_at + AFTER_LINGER;
        Self {
            keypresses: u32::from(by_key),
            end: Some(End { kill_at, leave_by, reason: Reason::Linger }),
            ..Self::new(Cause::MainEnded, now, Signal::TERM, then)
        }
    }

    fn new(cause: Cause, now: Moment, signal: Signal, then: Then) -> Self {
        Self {
            cause,
            signal,
            then,
            looks: Looks::from(now),
            killing: false,
            killed: 0,
            empty_looks: 0,
            failed_looks: 0,
            keypresses: 0,
            told_first: None,
            told_blindly: SignalSet::EMPTY,
            began: now,
            delayed_until: None,
            end: None,
        }
    }

    /// A stop signal came while what the main process left behind is being stopped: the grace
    /// counts as well, whichever ends first.
    pub(super) fn limit(&mut self, settings: &Settings, now: Moment) {
        if let Some(grace) = settings.grace {
            self.end_by(End::of_grace(now, grace));
        }
    }

    /// ^C was pressed: it ends the delay, or, as the second one, the grace.
    pub(super) fn key(&mut self, now: Moment) -> Key {
        self.keypresses += 1;
        if self.delayed_until.is_some() {
            self.end_delay(now);
        } else if self.keypresses < 2 {
            return Key::First;
        } else {
            self.end_grace(now);
        }
        Key::Ended
    }

    /// The delay, if there is one, ends now.
    pub(super) fn end_delay(&mut self, now: Moment) {
        if self.delayed_until.take().is_some() {
            self.looks.at(now);
        }
    }

    /// The grace ends now.
    fn end_grace(&mut self, now: Moment) {
        let leave_by = now + AFTER_KEYBOARD;
        self.end_by(End { kill_at: now, leave_by, reason: Reason::Grace });
    }

    /// Another end, of killing and of leaving: whichever comes first.
    fn end_by(&mut self, other: End) {
        self.end = Some(match self.end {
            None => other,
            Some(own) => End {
                leave_by: own.leave_by.min(other.leave_by),
                ..if other.kill_at < own.kill_at { other } else { own }
            },
        });
    }

    /// Another stop signal, for a peer's contract.
    pub(super) fn tell_another(&mut self, now: Moment, signal: Signal) {
        self.signal = signal;
        self.delayed_until = None;
        self.looks.at(now);
    }

    pub(super) fn next_deadline(&self) -> Option<(Moment, Reason)> {
        let look_reason = if self.delayed_until.is_some() { Reason::Delay } else { Reason::Look };
        let look = self.looks.next().map(|next| (next, look_reason));
        let end = self.end.map(|end| match self.killing {
            false => (self.kill_at(end), end.reason),
            true => (end.leave_by, Reason::Leave),
        });
        [look, end].into_iter().flatten().min_by_key(|(moment, _)| *moment)
    }

    pub(super) fn handle_timeout(&mut self, now: Moment) -> Due {
        if let Some(end) = self.end {
            if self.killing && end.leave_by <= now {
                return Due::Leave;
            }
            if !self.killing && self.kill_at(end) <= now {
                self.killing = true;
                self.looks.at(now);
            }
        }
        if !self.looks.take_due(now) {
            return Due::Nothing;
        }
        self.delayed_until = None;
        Due::Look
    }

    /// When the look for the kill begins: with thousands of processes it takes its time, and another
    /// one may be under way.
    fn kill_at(&self, end: End) -> Moment {
        (end.kill_at - self.looks.cost() * 2).max(self.began)
    }

    pub(super) fn summary(&self, settings: &Settings, now: Moment) -> StopSummary {
        let ms = |moment: Moment| moment.since(self.began).as_millis() as u64;
        StopSummary {
            signal: self.signal,
            asked: self.cause == Cause::Asked,
            route: settings.route,
            began: self.began,
            delay_ms: settings.delay.as_millis() as u64,
            grace_ms: settings.grace.map(|grace| grace.as_millis() as u64),
            deadline_ms: self.end.map(|end| ms(end.kill_at)),
            told_ms: self.told_first.map(ms),
            took_ms: ms(now),
            killed: self.killed,
        }
    }
}

impl End {
    /// The reserve is for the kill, its lines and the way out; a quarter of it stays unused.
    fn of_grace(now: Moment, grace: Duration) -> Self {
        let reserve = reserve(grace);
        let kill_at = now + grace.saturating_sub(reserve);
        Self { kill_at, leave_by: kill_at + reserve * 3 / 4, reason: Reason::Grace }
    }
}
