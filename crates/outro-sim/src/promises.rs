//! What must hold at every step, from what really happens: the machine's own books are not asked.
//!
//! Where outro cannot know better the promise gives way by what outro could see. A look takes time,
//! and what changes during it counts from the next look on: "before" is the state when the look
//! began.

mod leaving;
mod relations;
mod stop;
mod telling;

use crate::kernel::{Kernel, Serial};
use outro_core::{
    exit::ExitStatus,
    grace::reserve,
    machine::{Reason, Sender},
    settings::{Repeat, Settings},
    signal::Signal,
    time::Moment,
};
use relations::Snapshot;
use std::{fmt, time::Duration};
use stop::{Cause, Stop};

/// A promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// P1: outro does not leave while a descendant lives, unless the time is over; then it names whom.
    NobodyIsCutOff,
    /// P2: everyone is told, or has a living ancestor that handles the signal.
    NobodyIsForgotten,
    /// P3: nobody is told twice, and who has a master is told by that one.
    NobodyIsToldTwice,
    /// P5: a signal reaches the process that was seen, or nobody.
    NoMistakenIdentity,
    /// P6: outro is gone before the platform kills.
    TheDeadlineHolds,
    /// P7: after a stop signal nothing is started.
    AStopBeatsARestart,
    /// A stop that is held back is held back.
    TheDelayHolds,
    /// A filter is told only when nobody writes to it any more.
    FiltersAreSpared,
    /// Nobody is killed before the time is over.
    NobodyIsKilledEarly,
    /// Where everyone obeys, everyone is gone in time, and nobody is killed.
    WhoObeysIsNotKilled,
    /// When nobody is left outro leaves at once.
    NoWaitForNobody,
    /// While the program runs outro sleeps.
    NoIdleWakeUp,
    /// outro's exit code is the main process's.
    TheExitCodeIsMain,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Which.
    pub promise: Promise,
    /// How.
    pub how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.promise, self.how)
    }
}

/// After its KILL nobody is waited for longer than this, where only the linger or a key says so.
const AFTER_KILL: Duration = Duration::from_secs(1);

/// What outro may need to see that a filter's writers are gone, and that the filter is still there.
const LOOKS: Duration = Duration::from_millis(400);

/// What outro allows for a look that fails, and one more.
const FAILED_LOOKS: Duration = Duration::from_millis(20);

/// What a turn of outro's loop takes beyond its looks.
const TURN: Duration = Duration::from_millis(2);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Promises {
    settings: Settings,
    obeys_within: Option<Duration>,
    stop: Option<Stop>,
    main: Option<Serial>,
    main_status: Option<ExitStatus>,
    /// How things were when the look began.
    before: Option<Snapshot>,
    woke_at: Moment,
    longest_turn: Duration,
    /// `/proc` could not be read, so nobody can be named.
    is_blind: bool,
    broken: Option<Broken>,
}

impl Promises {
    pub(crate) fn new(settings: &Settings, obeys_within: Option<Duration>) -> Self {
        Self {
            settings: settings.clone(),
            obeys_within,
            stop: None,
            main: None,
            main_status: None,
            before: None,
            woke_at: Moment::default(),
            longest_turn: Duration::ZERO,
            is_blind: false,
            broken: None,
        }
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    pub(crate) fn broken(self) -> Option<Broken> {
        self.broken
    }

    fn breaks(&mut self, promise: Promise, how: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(Broken { promise, how: how() });
        }
    }

    /// outro starts its program.
    pub(crate) fn starts(&mut self, kernel: &Kernel) {
        if self.stop.as_ref().is_some_and(|stop| stop.asked_at.is_some()) {
            self.breaks(Promise::AStopBeatsARestart, || "the program is started again".to_owned());
        }
        let is_over = |stop: &Stop| stop.kill_from.is_some_and(|from| from <= kernel.now());
        if kernel.living().next().is_some() && !self.stop.as_ref().is_some_and(is_over) {
            self.breaks(Promise::NobodyIsCutOff, || {
                "the program is started again while someone of the last run lives".to_owned()
            });
        }
        self.stop = None;
        self.before = None;
        self.main = None;
        self.main_status = None;
    }

    /// It did.
    pub(crate) fn has_started(&mut self, main: Serial) {
        self.main = Some(main);
    }

    /// It could not, and `code` says so.
    pub(crate) fn has_not_started(&mut self, kernel: &Kernel, code: u8) {
        self.main_ended(kernel, ExitStatus::Code(code));
    }

    /// outro gets a signal.
    pub(crate) fn gets(&mut self, kernel: &Kernel, signal: Signal, sender: Sender) {
        let now = kernel.now();
        let Some(becomes) = self.settings.rewrites.apply(signal) else { return };
        let stops = self.settings.stop_signals;
        if !stops.contains(signal) && !stops.contains(becomes) {
            return;
        }
        let grace = self.settings.grace;
        let of_grace = grace.map(|grace| (now + grace.saturating_sub(reserve(grace)), now + grace));
        let repeat = self.settings.repeat;
        let Some(stop) = &mut self.stop else {
            let mut stop = Stop::new(Cause::Asked, now, becomes);
            stop.asked_at = Some(now);
            stop.held_until = now + self.settings.delay;
            stop.keys = u32::from(sender == Sender::Terminal);
            if let Some((kill_from, gone_by)) = of_grace {
                stop.limit(kill_from, gone_by, "the grace");
            }
            self.stop = Some(stop);
            return;
        };
        if sender == Sender::Terminal {
            stop.press(now);
        }
        // No platform kills after a key.
        if sender == Sender::Process {
            match (stop.cause, of_grace) {
                (Cause::MainEnded, Some((kill_from, gone_by))) => {
                    stop.limit(kill_from, gone_by, "the grace");
                }
                (Cause::Asked, _) if repeat == Repeat::TellOthers => {
                    stop.signal = becomes;
                    stop.held_until = stop.held_until.min(now);
                }
                (Cause::MainEnded, None) | (Cause::Asked, _) => {}
            }
        }
        stop.asked_at.get_or_insert(now);
    }

    /// The main process has ended, and outro sees it.
    pub(crate) fn main_ended(&mut self, kernel: &Kernel, status: ExitStatus) {
        let now = kernel.now();
        self.main_status = Some(status);
        if let Some(stop) = &mut self.stop {
            // What it left behind serves nobody, so nothing is held back.
            stop.held_until = stop.held_until.min(now);
            return;
        }
        let mut stop = Stop::new(Cause::MainEnded, now, Signal::TERM);
        let is_by_key = [Signal::INT, Signal::QUIT].map(ExitStatus::Signal).contains(&status);
        stop.keys = u32::from(is_by_key);
        let kill_from = now + self.settings.linger;
        stop.limit(kill_from, kill_from + AFTER_KILL, "the linger");
        self.stop = Some(stop);
    }

    /// outro is about to sleep.
    pub(crate) fn sleeps(&mut self, kernel: &Kernel, deadline: Option<(Moment, Reason)>) {
        self.longest_turn = self.longest_turn.max(kernel.now().since(self.woke_at));
        if self.woke_at == Moment::default() {
            self.longest_turn = Duration::ZERO;
        }
        if self.stop.is_none()
            && self.main.is_some()
            && let Some((_, reason)) = deadline
        {
            self.breaks(Promise::NoIdleWakeUp, || {
                format!("nobody stops, and there is a deadline for {reason:?}")
            });
        }
    }

    /// outro wakes up.
    pub(crate) fn wakes(&mut self, now: Moment) {
        self.woke_at = now;
    }

    pub(crate) fn is_blind(&mut self) {
        self.is_blind = true;
    }
}
