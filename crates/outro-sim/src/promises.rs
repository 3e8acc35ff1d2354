//! What must hold at every step, from what really happens: the machine's own books are not asked.
//!
//! Where outro cannot know better the promise gives way by what outro could see. A look takes time,
//! and what changes during it counts from the next look on: "before" is the state when the look
//! began.

mod relations;

use crate::kernel::{Kernel, Serial};
use outro_core::{
    exit::ExitStatus,
    filter::FILTER_PATIENCE,
    grace::reserve,
    machine::{Note, Reason, Sender},
    process::{Disposition, Identity, Pid},
    route::Route,
    settings::{Repeat, Settings},
    signal::Signal,
    time::Moment,
};
use relations::{Snapshot, Telling, Told};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

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

/// What a stop began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Asked,
    MainEnded,
}

/// What is known of the stop that goes on.
#[derive(Clone, Debug)]
struct Stop {
    cause: Cause,
    signal: Signal,
    /// When a stop signal came; `None` while only the main process has ended.
    asked_at: Option<Moment>,
    began: Moment,
    /// From when on outro may kill.
    kill_from: Option<Moment>,
    /// When outro has to be gone, and why.
    gone_by: Vec<(Moment, &'static str)>,
    /// Until when nobody is told.
    held_until: Moment,
    /// How often a key was pressed for it.
    keys: u32,
    told: Told,
    /// When a filter was fed last, as far as looks show.
    fed: BTreeMap<Serial, Moment>,
    /// Those who were killed by outro, and are not named yet.
    unnamed: BTreeSet<Pid>,
    /// Those who were named as left behind, and how many others were counted.
    left_behind: BTreeSet<Pid>,
    counted: usize,
    /// Those whom outro may not signal, and since when it knows.
    refused: BTreeMap<Serial, Moment>,
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

    pub(crate) fn look_begins(&mut self, kernel: &Kernel, signal: Signal) {
        if let Some(stop) = &mut self.stop {
            self.before = Some(stop.snapshot(kernel, signal));
        }
    }

    /// outro is about to signal a process; `meant` says which one it means to reach.
    pub(crate) fn tells(
        &mut self,
        kernel: &Kernel,
        serial: Serial,
        signal: Signal,
        meant: Option<Identity>,
    ) {
        let process = kernel.process(serial);
        let who = kernel.who(serial);
        if meant.is_some_and(|meant| meant != process.id) {
            self.breaks(Promise::NoMistakenIdentity, || {
                format!("{who} is told {signal}, and another process was meant")
            });
        }
        if meant.is_none() && self.main != Some(process.group_leader) && self.main != Some(serial) {
            self.breaks(Promise::NoMistakenIdentity, || {
                format!("{who} is told {signal}, and is not of the main process's group")
            });
        }
        let Some(stop) = &mut self.stop else { return };
        let is_of_the_stop = meant.is_some() || signal == stop.signal || signal == Signal::KILL;
        if signal == Signal::CONT || !is_of_the_stop {
            return;
        }
        let now = kernel.now();
        let handled = relations::takes(kernel, serial, stop.signal) == Disposition::Handles;
        let told = stop.told.entry(serial).or_insert_with(|| Telling {
            signals: Vec::new(),
            at: now,
            handled,
            children: self.before.as_ref().map_or_else(Vec::new, |before| before.below(serial)),
        });
        let told_before = told.signals.clone();
        told.signals.push(signal);
        told.at = now;
        // It may be dead before the look is over.
        let read = relations::readers(kernel, serial);
        stop.fed.extend(read.into_iter().map(|reader| (reader, now)));
        if signal == Signal::KILL {
            if process.is_alive() {
                stop.unnamed.insert(process.id.pid);
            }
            // The look for the kill may begin earlier by what looks cost; one that fails is taken to
            // cost something too.
            let of_looks = if self.is_blind { FAILED_LOOKS } else { self.longest_turn * 2 };
            let is_early = stop.kill_from.is_none_or(|from| now + of_looks + TURN < from);
            // Who cannot be seen is killed with its group, and once more by itself.
            if told_before.contains(&Signal::KILL) && !self.is_blind {
                self.breaks(Promise::NobodyIsToldTwice, || format!("{who} is killed twice"));
            }
            if is_early {
                self.breaks(Promise::NobodyIsKilledEarly, || format!("{who} is killed"));
            }
            if self.obeys_within.is_some() {
                self.breaks(Promise::WhoObeysIsNotKilled, || format!("{who} is killed"));
            }
            return;
        }
        let held_until = stop.held_until;
        // A shell that takes ^C for its program's affair, and goes on with its loop, hears SIGTERM too.
        let loops_on = process.program.shell.is_some() && signal == Signal::TERM;
        let only_one = self.settings.repeat == Repeat::Absorb && !loops_on;
        if told_before.contains(&signal) || only_one && !told_before.is_empty() {
            self.breaks(Promise::NobodyIsToldTwice, || {
                format!("{who} is told {signal}, and was told {told_before:?} before")
            });
        }
        if now < held_until {
            self.breaks(Promise::TheDelayHolds, || format!("{who} is told {signal}"));
        }
        // What the main process leaves behind goes by the tree whatever the route is, but then some of
        // it may have been told before by another rule.
        if self.settings.route == Route::Tree && meant.is_some() {
            self.tells_by_tree(kernel, serial, &who);
        }
    }

    /// Whether the rules of the tree hold now.
    fn is_by_tree(&self) -> bool {
        self.settings.route == Route::Tree || self.main_status.is_some()
    }

    fn tells_by_tree(&mut self, kernel: &Kernel, serial: Serial, who: &str) {
        let Some(before) = &self.before else { return };
        let (Some(stop), Some(was)) = (&self.stop, before.get(serial)) else { return };
        let now = relations::of(kernel, serial, stop.signal, &stop.told);
        if was.master.is_some() && now.master == was.master {
            self.breaks(Promise::NobodyIsToldTwice, || {
                format!("{who} is told, and {:?} above it handles the signal", now.master)
            });
        }
    }

    /// outro may not signal this process.
    pub(crate) fn is_refused(&mut self, kernel: &Kernel, serial: Serial) {
        if let Some(stop) = &mut self.stop {
            stop.refused.entry(serial).or_insert(kernel.now());
        }
    }

    /// What a look brought is done.
    pub(crate) fn look_is_over(&mut self, kernel: &Kernel) {
        let Some(before) = self.before.take() else { return };
        if let Some(stop) = &mut self.stop {
            stop.snapshot(kernel, before.signal);
        }
        let Some(stop) = &self.stop else { return };
        let soon = kernel.now() + self.longest_turn * 2 + TURN;
        if !self.is_by_tree() || stop.kill_from.is_some_and(|from| from <= soon) {
            return;
        }
        // A filter that is told while someone who handles the signal still writes to it.
        if let Some((filter, writer)) = before.told_filter(kernel, &stop.told)
            && self.settings.route == Route::Tree
        {
            let how = format!("{} is told, and reads what {writer:?} writes", kernel.who(filter));
            return self.breaks(Promise::FiltersAreSpared, || how);
        }
        // Twice told by the peers' rules: what the first signal did is not followed up.
        if stop.signal != before.signal {
            return;
        }
        if stop.told.iter().any(|(shell, telling)| telling.came_too_late(kernel, *shell)) {
            self.obeys_within = None;
        }
        for (serial, was) in before.iter() {
            let process = kernel.process(serial);
            let same_place = || kernel.above(serial).eq(was.above.iter().copied());
            if !process.is_alive() || was.has_excuse || !same_place() {
                continue;
            }
            let had_enough = |fed: &Moment| kernel.now().since(*fed) >= FILTER_PATIENCE + LOOKS;
            let is_patient = stop.fed.get(&serial).is_some_and(|fed| !had_enough(fed));
            // outro learns in this very look that a master may not be told.
            let learns =
                |above: &Serial| stop.refused.get(above).is_some_and(|at| *at >= before.at);
            if is_patient || was.above.iter().any(learns) {
                continue;
            }
            if relations::of(kernel, serial, stop.signal, &stop.told).has_excuse {
                continue;
            }
            let how = format!("{} was there, and was not told", kernel.who(serial));
            return self.breaks(Promise::NobodyIsForgotten, || how);
        }
    }

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

impl Stop {
    fn new(cause: Cause, now: Moment, signal: Signal) -> Self {
        Self {
            cause,
            signal,
            asked_at: None,
            began: now,
            kill_from: None,
            gone_by: Vec::new(),
            held_until: now,
            keys: 0,
            told: BTreeMap::new(),
            fed: BTreeMap::new(),
            unnamed: BTreeSet::new(),
            left_behind: BTreeSet::new(),
            counted: 0,
            refused: BTreeMap::new(),
        }
    }

    /// A key is pressed while the stop goes on: it ends the delay, and the second one the grace.
    fn press(&mut self, now: Moment) {
        self.keys += 1;
        if now < self.held_until {
            self.held_until = now;
        } else if self.keys > 1 {
            self.limit(now, now + AFTER_KILL, "a second key");
        }
    }

    /// How everyone stands now.
    fn snapshot(&mut self, kernel: &Kernel, signal: Signal) -> Snapshot {
        let snapshot = Snapshot::of(kernel, signal, &self.told);
        for (serial, relations) in snapshot.iter() {
            if relations.is_fed {
                self.fed.insert(serial, kernel.now());
            } else if kernel.process(serial).input.is_some() {
                // Whoever reads a pipe gets its time, though nobody was seen to write to it.
                self.fed.entry(serial).or_insert(kernel.now());
            }
        }
        snapshot
    }

    /// Another end of the time, whichever comes first.
    fn limit(&mut self, kill_from: Moment, gone_by: Moment, why: &'static str) {
        self.kill_from = Some(self.kill_from.map_or(kill_from, |other| other.min(kill_from)));
        self.gone_by.push((gone_by, why));
    }
}
