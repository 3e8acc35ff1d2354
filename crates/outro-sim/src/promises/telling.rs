//! Who is told, and who is not.

use super::{
    FAILED_LOOKS, LOOKS, Promise, Promises, TURN,
    relations::{self, Telling},
};
use crate::kernel::{Kernel, Serial};
use outro_core::{
    filter::FILTER_PATIENCE,
    process::{Disposition, Identity},
    route::Route,
    settings::Repeat,
    signal::Signal,
    time::Moment,
};

impl Promises {
    pub(crate) fn look_begins(&mut self, kernel: &Kernel, signal: Signal) {
        let is_by_tree = self.is_by_tree();
        if let Some(stop) = &mut self.stop {
            self.before = Some(stop.snapshot(kernel, signal, is_by_tree));
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
        // A signal to one who has ended does nothing.
        if signal == Signal::CONT || !is_of_the_stop || !process.is_alive() {
            return;
        }
        let now = kernel.now();
        let handled = relations::takes(kernel, serial, stop.signal) == Disposition::Handles;
        let told = stop.told.entry(serial).or_insert_with(|| Telling {
            signals: Vec::new(),
            first_at: now,
            at: now,
            known: self
                .before
                .as_ref()
                .and_then(|before| before.get(serial))
                .is_some_and(|before| before.takes == Disposition::Handles),
            handled,
            children: self.before.as_ref().map_or_else(Vec::new, |before| before.below(serial)),
        });
        let told_before = told.signals.clone();
        told.signals.push(signal);
        told.at = now;
        told.handled |= handled;
        // It may be dead before the look is over.
        let read = relations::readers(kernel, serial);
        stop.fed.extend(read.into_iter().map(|reader| (reader, now)));
        if signal == Signal::KILL {
            stop.unnamed.insert(process.id.pid);
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
        let is_by_tree = self.is_by_tree();
        if let Some(stop) = &mut self.stop {
            stop.snapshot(kernel, before.signal, is_by_tree);
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
}
