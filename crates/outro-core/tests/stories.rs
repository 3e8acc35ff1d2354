//! What the machine decides, as short stories on a clock that the test sets.

use outro_core::{
    exit::ExitStatus,
    machine::{Action, Event, Machine, Note, Reason, Sender},
    process::{Condition, Details, Identity, Name, Pid, Pipe, Process, Shell, Sleep, Ticks, Tree},
    restart::{RestartPolicy, RestartSettings},
    settings::Settings,
    signal::{Signal, SignalSet},
    time::Moment,
};
use std::time::Duration;

const OUTRO: Pid = Pid(1);
const MAIN: Pid = Pid(2);
const KID: Pid = Pid(3);

/// A system that tells no more than the tree.
struct NoDetails;

impl Details for NoDetails {
    fn shell(&self, _: Pid) -> Option<Shell> {
        None
    }
    fn sleep(&self, _: Pid) -> Option<Sleep> {
        None
    }
    fn pipe(&self, _: Pid, _: u32) -> Option<Pipe> {
        None
    }
    fn command(&self, _: Pid) -> Option<String> {
        None
    }
}

fn id(pid: Pid) -> Identity {
    Identity { pid, start: Ticks(0) }
}

fn process(pid: Pid, parent: Pid, handles: &[Signal]) -> Process {
    Process {
        id: id(pid),
        parent,
        group: MAIN,
        condition: Condition::Alive,
        handled: handles.iter().fold(SignalSet::EMPTY, |set, signal| set.with(*signal)),
        ignored: SignalSet::EMPTY,
        name: Name::new(b"app"),
    }
}

/// A machine whose program was started, and the time.
struct Story {
    machine: Machine,
    now: Duration,
}

impl Story {
    fn of(settings: Settings) -> Self {
        let mut story = Self { machine: Machine::new(settings), now: Duration::from_secs(100) };
        assert_eq!(story.actions(), [Action::Start]);
        story.happens(Event::Started { pid: MAIN });
        story
    }

    fn moment(&self) -> Moment {
        Moment::at(self.now)
    }

    fn happens(&mut self, event: Event<'_>) {
        self.machine.handle(self.moment(), event);
    }

    fn signal(&mut self, signal: Signal, sender: Sender) {
        self.happens(Event::Signal { signal, sender });
    }

    fn main_ends(&mut self, status: ExitStatus) {
        self.happens(Event::Ended { pid: MAIN, status });
    }

    /// Time passes; says what is to be done then.
    fn after(&mut self, ms: u64) -> Vec<Action> {
        self.now += Duration::from_millis(ms);
        self.machine.handle_timeout(self.moment());
        self.actions()
    }

    fn looks(&mut self, processes: &[Process], took: Duration) -> Vec<Action> {
        let tree = Tree::new(OUTRO, processes.to_vec(), Ticks(1000));
        self.happens(Event::Seen { tree: &tree, details: &NoDetails, took });
        self.actions()
    }

    fn sees(&mut self, processes: &[Process]) -> Vec<Action> {
        self.looks(processes, Duration::from_micros(100))
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.machine.poll_action()).collect()
    }

    fn next(&self) -> Option<(u64, Reason)> {
        let (moment, reason) = self.machine.next_deadline()?;
        Some((moment.since(self.moment()).as_millis() as u64, reason))
    }
}

fn tell(pid: Pid, signal: Signal) -> Action {
    Action::Tell { id: id(pid), signal }
}

fn look(signal: Signal) -> Action {
    Action::Look { signal }
}

fn grace(ms: u64) -> Settings {
    Settings { grace: Some(Duration::from_millis(ms)), ..Settings::default() }
}

fn restarting() -> Settings {
    let restart = RestartSettings { policy: RestartPolicy::Always, ..RestartSettings::default() };
    Settings { restart, ..Settings::default() }
}

fn is_kill(action: &Action) -> bool {
    matches!(action, Action::Tell { signal: Signal::KILL, .. })
}

#[test]
fn while_the_program_runs_there_is_no_deadline() {
    let mut story = Story::of(grace(10_000));
    assert_eq!(story.next(), None);
    story.signal(Signal::HUP, Sender::Process);
    assert_eq!(story.actions(), [Action::TellMain { signal: Signal::HUP }]);
    assert_eq!(story.next(), None);
}

#[test]
fn a_stop_tells_who_handles_it_and_leaves_when_nobody_is_left() {
    let mut story = Story::of(Settings::default());
    story.signal(Signal::TERM, Sender::Process);
    story.actions();
    assert_eq!(story.after(0), [look(Signal::TERM)]);
    let pool = [process(MAIN, OUTRO, &[Signal::TERM]), process(KID, MAIN, &[Signal::TERM])];
    assert_eq!(story.sees(&pool), [tell(MAIN, Signal::TERM)], "the worker is its master's");
    assert_eq!(story.next(), Some((5, Reason::Look)));
    story.main_ends(ExitStatus::Code(7));
    story.happens(Event::Childless);
    assert_eq!(story.actions().last(), Some(&Action::Leave { code: 7 }));
    assert_eq!(story.next(), None, "no timer is left");
}

#[test]
fn a_second_stop_signal_is_told_to_nobody() {
    let mut story = Story::of(Settings::default());
    story.signal(Signal::TERM, Sender::Process);
    story.after(0);
    story.sees(&[process(MAIN, OUTRO, &[Signal::TERM])]);
    story.signal(Signal::TERM, Sender::Process);
    let note = Action::Note(Note::RepeatAbsorbed { signal: Signal::TERM });
    assert_eq!(story.actions(), [note]);
    story.after(5);
    assert_eq!(story.sees(&[process(MAIN, OUTRO, &[Signal::TERM])]), []);
}

#[test]
fn a_second_control_c_during_the_delay_tells_before_anyone_is_killed() {
    let delay = Duration::from_secs(10);
    let mut story = Story::of(Settings { delay, ..Settings::default() });
    story.signal(Signal::INT, Sender::Terminal);
    story.actions();
    assert_eq!(story.next(), Some((10_000, Reason::Delay)));
    story.signal(Signal::INT, Sender::Terminal);
    assert_eq!(story.after(0), [look(Signal::INT)]);
    let main = [process(MAIN, OUTRO, &[Signal::INT])];
    assert_eq!(story.sees(&main), [tell(MAIN, Signal::INT)]);
    story.signal(Signal::INT, Sender::Terminal);
    assert_eq!(story.after(0), [look(Signal::INT)]);
    assert!(story.sees(&main).iter().any(is_kill), "the third one kills");
}

#[test]
fn the_first_control_c_after_the_program_ended_leaves_its_leftovers_their_linger() {
    let mut story = Story::of(Settings::default());
    story.main_ends(ExitStatus::Code(0));
    story.after(0);
    let left = [process(KID, OUTRO, &[Signal::TERM])];
    assert!(story.sees(&left).contains(&tell(KID, Signal::TERM)));
    story.signal(Signal::INT, Sender::Terminal);
    assert_eq!(story.actions(), [Action::Note(Note::PressAgain)]);
    story.after(5);
    assert!(!story.sees(&left).iter().any(is_kill));
    story.signal(Signal::INT, Sender::Terminal);
    story.after(0);
    assert!(story.sees(&left).iter().any(is_kill));
}

#[test]
fn a_stop_in_the_pause_between_two_runs_waits_for_an_orphan_that_came_meanwhile() {
    let mut story = Story::of(restarting());
    story.main_ends(ExitStatus::Code(1));
    story.happens(Event::Childless);
    story.actions();
    assert_eq!(story.next(), Some((1000, Reason::Restart)));
    story.signal(Signal::TERM, Sender::Process);
    let actions = story.actions();
    assert!(actions.contains(&Action::Reap), "nobody's end would say that nobody is there");
    assert!(!actions.iter().any(|action| matches!(action, Action::Leave { .. })));
    story.after(0);
    let orphan = [process(KID, OUTRO, &[Signal::TERM])];
    assert_eq!(story.sees(&orphan), [tell(KID, Signal::TERM)]);
    story.happens(Event::Childless);
    assert_eq!(story.actions(), [Action::Leave { code: 1 }], "and nothing is started again");
}

#[test]
fn the_kill_begins_earlier_by_what_a_look_costs() {
    let mut story = Story::of(grace(10_000));
    story.signal(Signal::TERM, Sender::Process);
    story.after(0);
    let stubborn = [process(MAIN, OUTRO, &[Signal::TERM])];
    story.looks(&stubborn, Duration::from_millis(400));
    // 10 s, less the reserve of half a second, less two looks.
    let deadlines = std::iter::from_fn(|| {
        let (ms, reason) = story.next()?;
        let actions = story.after(ms);
        if actions.contains(&look(Signal::TERM)) {
            let kills = story.looks(&stubborn, Duration::from_millis(400)).iter().any(is_kill);
            return Some((kills, reason));
        }
        Some((false, reason))
    });
    assert!(deadlines.take(100).any(|(kills, _)| kills));
    assert_eq!(story.now, Duration::from_millis(100_000 + 10_000 - 500 - 800));
}

#[test]
fn a_leftover_that_cannot_be_killed_is_named_and_the_program_is_started_again() {
    let mut story = Story::of(restarting());
    story.main_ends(ExitStatus::Code(1));
    story.after(0);
    let left = [process(KID, OUTRO, &[])];
    story.sees(&left);
    story.after(10_000);
    story.sees(&left);
    let actions = story.after(1_000);
    let named = |action: &Action| matches!(action, Action::Note(Note::LeftBehind { pid: KID, .. }));
    assert!(actions.iter().any(named), "{actions:?}");
    assert!(story.after(0).contains(&Action::Start));
}

#[test]
fn a_look_that_fails_once_blinds_nobody() {
    let mut story = Story::of(Settings::default());
    story.signal(Signal::TERM, Sender::Process);
    story.after(0);
    story.happens(Event::Blind);
    assert_eq!(story.actions(), []);
    assert_eq!(story.after(50), [look(Signal::TERM)]);
    let main = [process(MAIN, OUTRO, &[Signal::TERM])];
    assert_eq!(story.sees(&main), [tell(MAIN, Signal::TERM)]);
}

#[test]
fn without_proc_the_group_is_told_once_and_one_line_says_so() {
    let mut story = Story::of(Settings::default());
    story.signal(Signal::TERM, Sender::Process);
    story.actions();
    let mut all = Vec::new();
    for _ in 0..5 {
        all.extend(story.after(50));
        story.happens(Event::Blind);
        all.extend(story.actions());
    }
    let count = |wanted: &Action| all.iter().filter(|action| *action == wanted).count();
    assert_eq!(count(&Action::TellGroup { group: MAIN, signal: Signal::TERM }), 1, "{all:?}");
    assert_eq!(count(&Action::Note(Note::Blind)), 1);
}

#[test]
fn a_stopped_child_that_was_not_told_is_not_continued() {
    let mut story = Story::of(Settings::default());
    story.signal(Signal::TERM, Sender::Process);
    story.after(0);
    let worker = Process { condition: Condition::Stopped, ..process(KID, MAIN, &[]) };
    let pool = [process(MAIN, OUTRO, &[Signal::TERM]), worker];
    assert_eq!(story.sees(&pool), [tell(MAIN, Signal::TERM)]);
}

#[test]
fn an_orphan_of_a_handler_that_is_gone_is_told() {
    let mut story = Story::of(Settings::default());
    story.signal(Signal::TERM, Sender::Process);
    story.after(0);
    story.sees(&[process(MAIN, OUTRO, &[Signal::TERM]), process(KID, MAIN, &[])]);
    story.main_ends(ExitStatus::Signal(Signal::TERM));
    story.after(5);
    assert_eq!(story.sees(&[process(KID, OUTRO, &[])]), [tell(KID, Signal::TERM)]);
}
