//! What a look leads to: who is told, who is killed, who is left behind.

use super::{Action, Machine, Main, NAMED_MAX, Note, Phase, Sight};
use crate::{
    ledger::{Telling, TrappingShell, Why},
    process::{Condition, Details, Disposition, Tree},
    route::{self, Route, Walk},
    settings::{Detail, Group},
    signal::Signal,
    time::Moment,
};
use std::time::Duration;

/// How many looks in a row may show nobody before outro takes it that somebody is hidden from it. One
/// or two can be between a child's end and its SIGCHLD.
const EMPTY_LOOKS_MAX: u32 = 4;

/// How many looks may fail before outro does without.
const FAILED_LOOKS_MAX: u32 = 3;

/// What a look that failed is taken to have cost.
const BLIND_LOOK: Duration = Duration::from_millis(10);

/// How many command lines are looked up for the exit report.
const DETAILED_MAX: usize = 200;

impl Machine {
    pub(super) fn seen(&mut self, now: Moment, tree: &Tree, details: &dyn Details, took: Duration) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        if let Main::Alive { pid, .. } = self.main
            && tree.find(pid).is_none()
        {
            return self.blind(now);
        }
        if tree.processes().iter().all(|process| process.condition == Condition::Zombie) {
            stop.empty_looks += 1;
            // Nobody is to be seen, and yet there are children: outro may not see them.
            if stop.empty_looks >= EMPTY_LOOKS_MAX {
                return self.go_blind();
            }
        } else {
            stop.empty_looks = 0;
        }
        let killing = stop.killing;
        self.ledger.seen(tree, now);
        let told =
            if killing { self.kill(now, tree, details) } else { self.tell(now, tree, details) };
        if let Phase::Stopping(stop) = &mut self.phase {
            stop.looks.seen(now, took, told > 0);
        }
    }

    /// Tells those whom the stop concerns; says how many that were.
    fn tell(&mut self, now: Moment, tree: &Tree, details: &dyn Details) -> usize {
        let Phase::Stopping(stop) = &mut self.phase else { return 0 };
        let signal = stop.signal;
        let main = match self.main {
            Main::Alive { pid, .. } => Some(pid),
            Main::Starting | Main::Ended { .. } | Main::NotStarted(_) => None,
        };
        // What the main process left behind is stopped by the tree, whatever the route is.
        let route = if main.is_some() { self.settings.route } else { Route::Tree };
        let by_route = |index: usize| {
            let disposition = tree.processes()[index].disposition(signal);
            route::Tell { index, signal, why: Why::Route, disposition }
        };
        let untold = |index: &usize| {
            let process = &tree.processes()[*index];
            process.condition != Condition::Zombie
                && !route::is_newborn(process, tree.now())
                && !self.ledger.was_told(process.id, signal)
        };
        let all = (0..tree.processes().len()).filter(untold);
        let tells: Vec<route::Tell> = match (route, main) {
            (Route::All, _) => all.map(by_route).collect(),
            (Route::Main, Some(main)) => {
                all.filter(|index| tree.processes()[*index].id.pid == main).map(by_route).collect()
            }
            (Route::Group, Some(main)) => {
                let group = tree.find(main).map(|main| main.group);
                all.filter(|index| Some(tree.processes()[*index].group) == group)
                    .map(by_route)
                    .collect()
            }
            (Route::Tree, _) | (Route::Main | Route::Group, None) => {
                let ledger = &self.ledger;
                let walk = Walk { tree, details, ledger, signal, now };
                route::plan(&walk, &mut self.memory)
            }
        };
        if !tells.is_empty() {
            stop.told_first = stop.told_first.or(Some(now));
        }
        for tell in &tells {
            self.tell_one(now, tree, details, *tell);
        }
        // A stopped process hears of the signal only when it goes on.
        for process in tree.processes() {
            let was_told = || self.ledger.get(process.id).is_some();
            if process.condition == Condition::Stopped && was_told() {
                self.actions.push_back(Action::Tell { id: process.id, signal: Signal::CONT });
            }
        }
        tells.len()
    }

    fn tell_one(&mut self, now: Moment, tree: &Tree, details: &dyn Details, tell: route::Tell) {
        let process = &tree.processes()[tell.index];
        let telling = Telling { signal: tell.signal, at: now, why: tell.why };
        let detailed = self.settings.detail == Detail::All && self.ledger.len() < DETAILED_MAX;
        let entry = self.ledger.tell(tree, process, telling, tell.disposition);
        // A shell that loops is known by what it runs again.
        let detailed = detailed || tell.why == Why::TrappingShell;
        if detailed && entry.command.is_none() {
            entry.command = details.command(process.id.pid);
        }
        // A shell without a child is held up by none.
        let children = tree.children(tell.index);
        if entry.disposition == Disposition::Handles
            && entry.shell.is_none()
            && !children.is_empty()
            && let Some(kind) = details.shell(process.id.pid)
        {
            let shell = TrappingShell::now(kind, process.id.pid, children, tell.signal, details);
            entry.shell = Some(shell);
        }
        if tell.why != Why::ItsShell {
            self.actions.push_back(Action::Tell { id: process.id, signal: tell.signal });
        }
    }

    /// Kills everyone who is left; says how many that were.
    fn kill(&mut self, now: Moment, tree: &Tree, details: &dyn Details) -> usize {
        let mut killed = 0;
        for process in tree.processes() {
            if process.condition == Condition::Zombie
                || self.ledger.was_told(process.id, Signal::KILL)
            {
                continue;
            }
            let telling = Telling { signal: Signal::KILL, at: now, why: Why::Deadline };
            let told = self.ledger.get(process.id).and_then(|entry| entry.last_told(now));
            self.ledger.tell(tree, process, telling, Disposition::Default);
            self.actions.push_back(Action::Tell { id: process.id, signal: Signal::KILL });
            if let Phase::Stopping(stop) = &mut self.phase {
                stop.killed += 1;
                if stop.killed <= NAMED_MAX {
                    let command = details.command(process.id.pid);
                    self.ledger.name(process.id, command.clone());
                    let name = command.unwrap_or_else(|| process.name.to_string());
                    self.actions.push_back(Action::Note(Note::Killed {
                        pid: process.id.pid,
                        name,
                        age: Duration::from_millis(tree.age_ms(process.id)),
                        told,
                        ignores: (process.disposition(stop.signal) == Disposition::Ignores)
                            .then_some(stop.signal),
                    }));
                }
            }
            killed += 1;
        }
        killed
    }

    /// A look failed.
    pub(super) fn blind(&mut self, now: Moment) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        stop.failed_looks += 1;
        // Someone was seen and told before, and the group's signal would tell those again.
        let would_tell_twice = !self.ledger.is_empty() && !stop.killing;
        if would_tell_twice || stop.failed_looks < FAILED_LOOKS_MAX {
            // The next one may not fail.
            return stop.looks.seen(now, BLIND_LOOK, true);
        }
        self.go_blind();
    }

    /// From now on the main process's group stands for everyone.
    fn go_blind(&mut self) {
        if self.sight == Sight::Clear {
            self.sight = Sight::Blind;
            self.actions.push_back(Action::Note(Note::Blind));
        }
        self.act_blindly();
    }

    /// What can be done without a readable `/proc`: the main process's group is told.
    pub(super) fn act_blindly(&mut self) {
        let Phase::Stopping(stop) = &mut self.phase else { return };
        stop.looks.pause();
        let signal = if stop.killing { Signal::KILL } else { stop.signal };
        if stop.told_blindly.contains(signal) {
            return;
        }
        stop.told_blindly = stop.told_blindly.with(signal);
        if stop.killing {
            // Those who were seen before are held still.
            let alive = self.ledger.iter().filter(|(_, entry)| entry.left.is_none());
            self.actions.extend(alive.map(|(id, _)| Action::Tell { id, signal }));
        }
        let main_alone = self.settings.group == Group::Shared
            || self.settings.route == Route::Main && !stop.killing;
        match self.main {
            Main::Alive { .. } if main_alone => {
                self.actions.push_back(Action::TellMain { signal });
            }
            Main::Alive { pid, .. } | Main::Ended { pid, .. } if !main_alone => {
                self.actions.push_back(Action::TellGroup { group: pid, signal });
                if stop.killing {
                    stop.killed += 1;
                    self.actions.push_back(Action::Note(Note::KilledBlindly { group: pid }));
                }
            }
            Main::Alive { .. } | Main::Ended { .. } | Main::Starting | Main::NotStarted(_) => {}
        }
    }

    /// outro has to go, whoever is left.
    pub(super) fn leave_behind(&mut self, now: Moment) {
        let mut left_behind = 0;
        for (id, entry) in self.ledger.iter().filter(|(_, entry)| entry.left.is_none()) {
            left_behind += 1;
            if left_behind <= NAMED_MAX {
                self.actions.push_back(Action::Note(Note::LeftBehind {
                    pid: id.pid,
                    name: entry.title(),
                    told: entry.last_told(now),
                    refused: entry.refused,
                }));
            }
        }
        if left_behind > NAMED_MAX {
            self.actions.push_back(Action::Note(Note::MoreLeftBehind(left_behind - NAMED_MAX)));
        }
        if self.sight == Sight::Blind {
            self.actions.push_back(Action::Note(Note::LeftBehindUnseen));
        }
        if let Phase::Stopping(stop) = &self.phase {
            self.follow_up(now, stop.then);
        }
    }
}
