//! The programs that one meets, as scripts.
//!
//! Names are the caller's; what each does in a stop is in its comment. Where nothing else is said a
//! program handles SIGTERM, SIGINT and SIGQUIT in the same way.

use crate::program::{Child, Place, Plug, Program, Script, Step};
use outro_core::{
    process::Shell,
    settings::stop_signals,
    signal::{Signal, SignalSet},
};
use std::time::Duration;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn catch(script: impl Into<Script>) -> Step {
    Step::Catch(stop_signals(), script.into())
}

/// Dies of the signal.
#[must_use]
pub fn sleeper(name: &str) -> Program {
    Program::new(name, [Step::Pause])
}

/// Works for so long and exits.
#[must_use]
pub fn works(name: &str, time: Duration, code: u8) -> Program {
    Program::new(name, [Step::Work(time), Step::Exit(code)])
}

/// Works for so long, and then dies of a signal.
#[must_use]
pub fn crashes(name: &str, time: Duration, signal: Signal) -> Program {
    Program::new(name, [Step::Work(time), Step::DieOf(signal)])
}

/// Cleans up for so long, says so, and exits with 0.
#[must_use]
pub fn cleans_up(name: &str, time: Duration) -> Program {
    let handler = [Step::Print, Step::Work(time), Step::Print, Step::Exit(0)];
    Program::new(name, [catch(handler), Step::Pause])
}

/// The same, but it takes so long until the handler is there.
#[must_use]
pub fn sets_up(name: &str, set_up: Duration, time: Duration) -> Program {
    let handler = [Step::Print, Step::Work(time), Step::Print, Step::Exit(0)];
    Program::new(name, [Step::Work(set_up), catch(handler), Step::Pause])
}

/// Cleans up, and then dies of the signal as if it had no handler, as Go and Node do.
#[must_use]
pub fn re_raises(name: &str, time: Duration) -> Program {
    Program::new(name, [catch([Step::Work(time), Step::DieOfIt]), Step::Pause])
}

/// Cleans up by running another program.
#[must_use]
pub fn cleans_up_by(name: &str, helper: Program) -> Program {
    let handler = [Step::Start(helper.beside()), Step::WaitAll, Step::Exit(0)];
    Program::new(name, [catch(handler), Step::Pause])
}

/// Starts a child as its last act, and leaves it behind.
#[must_use]
pub fn leaves_behind(name: &str, child: Program) -> Program {
    Program::new(name, [catch([Step::Start(child.beside()), Step::Exit(0)]), Step::Pause])
}

/// Waits for blocked signals (sigwait, signalfd), and cleans up for so long.
#[must_use]
pub fn awaits(name: &str, time: Duration) -> Program {
    let handler: Script = [Step::Work(time), Step::Exit(0)].into();
    let signals = stop_signals();
    // A parent may have ignored it.
    let reset = Step::Reset(SignalSet::EMPTY.with(Signal::TERM));
    Program::new(name, [reset, Step::Block(signals), Step::Await(signals, handler)])
}

/// Handles the signal and goes on for ever.
#[must_use]
pub fn stubborn(name: &str) -> Program {
    Program::new(name, [catch([Step::Work(ms(1))]), Step::Pause])
}

/// Ignores these signals, for ever.
#[must_use]
pub fn ignores(name: &str, signals: SignalSet) -> Program {
    Program::new(name, [Step::Ignore(signals), Step::Pause])
}

/// Ignores SIGTERM once its child is started, and ends with it.
#[must_use]
pub fn ignores_around(name: &str, child: Program) -> Program {
    let script = [
        Step::Start(child.in_front()),
        Step::Ignore(SignalSet::EMPTY.with(Signal::TERM)),
        Step::WaitFront,
        Step::Exit(0),
    ];
    Program::new(name, script)
}

/// Sleeps where nothing wakes it, for so long, and then dies of the signal.
#[must_use]
pub fn hangs(name: &str, time: Duration) -> Program {
    Program::new(name, [Step::Hang(time), Step::Pause])
}

/// Was stopped by ^Z.
#[must_use]
pub fn is_stopped(name: &str, time: Duration) -> Program {
    Program::new(name, [catch([Step::Work(time), Step::Exit(0)]), Step::StopItself, Step::Pause])
}

/// A master with a pool: it tells its workers itself, by `signal`, and waits for them.
#[must_use]
pub fn pool(name: &str, signal: Signal, workers: impl IntoIterator<Item = Child>) -> Program {
    let mut script = vec![catch([Step::Tell(signal), Step::WaitAll, Step::Exit(0)])];
    script.extend(workers.into_iter().map(Step::Start));
    script.push(Step::Pause);
    Program::new(name, script)
}

/// A worker that takes the signal of its master alone (SIGUSR2) for its end; by any of the others
/// it is cut off.
#[must_use]
pub fn worker(name: &str, time: Duration) -> Program {
    let handler: Script = [Step::Work(time), Step::Exit(0)].into();
    let signals = SignalSet::EMPTY.with(USR2);
    Program::new(name, [Step::Catch(signals, handler), Step::Pause])
}

/// The signal between a master and its workers.
pub const USR2: Signal = match Signal::new(12) {
    Some(signal) => signal,
    None => Signal::HUP,
};

/// `while true; do CHILD; sleep 1; done`
#[must_use]
pub fn shell_loop(child: Program) -> Program {
    let script = [
        Step::Start(child.in_front()),
        Step::WaitFront,
        Step::Start(works("sleep", ms(1000), 0).in_front()),
        Step::WaitFront,
        Step::Again,
    ];
    Program::new("sh", script).as_shell(Shell::Ash)
}

/// `CHILD; true`
#[must_use]
pub fn shell_line(child: Program) -> Program {
    Program::new("sh", [Step::Start(child.in_front()), Step::WaitFront]).as_shell(Shell::Ash)
}

/// `trap HANDLER TERM INT QUIT; CHILD; exit 7`: the trap waits for the child.
#[must_use]
pub fn trapping_shell(shell: Shell, handler: impl Into<Script>, child: Program) -> Program {
    let script = [catch(handler), Step::Start(child.in_front()), Step::WaitFront, Step::Exit(7)];
    Program::new(shell_name(shell), script).as_shell(shell)
}

/// `trap 'kill -TERM $pids; wait; exit 4' TERM INT QUIT; CHILD & …; wait`
#[must_use]
pub fn stopping_shell(shell: Shell, children: impl IntoIterator<Item = Program>) -> Program {
    let mut script = vec![catch([Step::Tell(Signal::TERM), Step::WaitAll, Step::Exit(4)])];
    script.extend(children.into_iter().map(|child| Step::Start(child.in_background())));
    script.extend([Step::WaitAll, Step::Exit(0)]);
    Program::new(shell_name(shell), script).as_shell(shell)
}

/// `trap 'kill -TERM $pid' TERM INT QUIT; CHILD & pid=$!; wait; wait; exit 4`. A signal that comes
/// before the last child is started never reaches that one.
#[must_use]
pub fn forwarding_shell(shell: Shell, children: impl IntoIterator<Item = Program>) -> Program {
    let mut script = vec![catch([Step::Tell(Signal::TERM)])];
    script.extend(children.into_iter().map(|child| Step::Start(child.in_background())));
    script.extend([Step::WaitAll, Step::WaitAll, Step::Exit(4)]);
    Program::new(shell_name(shell), script).as_shell(shell)
}

/// `A & B & wait`, without a trap.
#[must_use]
pub fn background_shell(children: impl IntoIterator<Item = Program>) -> Program {
    let mut script: Vec<Step> =
        children.into_iter().map(|child| Step::Start(child.in_background())).collect();
    script.push(Step::WaitAll);
    Program::new("sh", script).as_shell(Shell::Ash)
}

/// bash, which handles SIGINT while a child is in its foreground, and dies of it if the child did.
#[must_use]
pub fn bash_line(child: Program) -> Program {
    let script = [bash_int(), Step::Start(child.in_front()), Step::WaitFront];
    Program::new("bash", script).as_shell(Shell::Other)
}

/// `while true; do CHILD; sleep 1; done` in bash. Under SIGINT it goes on if the child left by
/// itself.
#[must_use]
pub fn bash_loop(child: Program) -> Program {
    let script = [
        bash_int(),
        Step::Start(child.in_front()),
        Step::WaitFront,
        Step::Start(works("sleep", ms(1000), 0).in_front()),
        Step::WaitFront,
        Step::Again,
    ];
    Program::new("bash", script).as_shell(Shell::Other)
}

fn bash_int() -> Step {
    Step::Catch(SignalSet::EMPTY.with(Signal::INT), [Step::DieAsChildDid].into())
}

/// A program that takes back what `&` ignores, as Node does, and cleans up.
#[must_use]
pub fn node(name: &str, time: Duration) -> Program {
    let keyboard = SignalSet::EMPTY.with(Signal::INT).with(Signal::QUIT);
    let handler = [Step::Work(time), Step::Exit(0)];
    Program::new(name, [Step::Reset(keyboard), catch(handler), Step::Pause])
}

/// A master like [`pool`], which waits for blocked signals.
#[must_use]
pub fn awaiting_pool(name: &str, signal: Signal, workers: Vec<Program>) -> Program {
    let mut script = vec![Step::Reset(SignalSet::EMPTY.with(Signal::TERM))];
    script.extend(workers.into_iter().map(|worker| Step::Start(worker.beside())));
    let handler: Script = [Step::Tell(signal), Step::WaitAll, Step::Exit(0)].into();
    script.extend([Step::Block(stop_signals()), Step::Await(stop_signals(), handler)]);
    Program::new(name, script)
}

/// Runs one short program after the other.
#[must_use]
pub fn churns(name: &str, time: Duration) -> Program {
    let script = [Step::Start(works("short", time, 0).beside()), Step::WaitAll, Step::Again];
    Program::new(name, script)
}

/// mksh with background jobs and without a trap: it passes SIGTERM on to its whole group, and dies
/// of it.
#[must_use]
pub fn mksh(children: impl IntoIterator<Item = Program>) -> Program {
    let signals = SignalSet::EMPTY.with(Signal::TERM);
    let handler = [Step::Reset(signals), Step::TellGroup(Signal::TERM), Step::Pause];
    let mut script = vec![Step::Catch(signals, handler.into())];
    script.extend(children.into_iter().map(|child| Step::Start(child.in_background())));
    script.push(Step::WaitAll);
    Program::new("mksh", script).as_shell(Shell::Mksh)
}

fn shell_name(shell: Shell) -> &'static str {
    match shell {
        Shell::Ash => "dash",
        Shell::Fish => "fish",
        Shell::Mksh => "mksh",
        Shell::Other => "bash",
    }
}

/// `WRITER | FILTER | FILTER …`, in a shell's foreground, with `first` before it.
#[must_use]
pub fn pipeline(
    first: impl IntoIterator<Item = Step>,
    writer: Program,
    filters: Vec<Program>,
) -> Program {
    let mut script: Vec<Step> = first.into_iter().collect();
    script.push(Step::Pipe);
    script.push(Step::Start(writer.in_front().writes(Plug::Newest)));
    let last = filters.len().saturating_sub(1);
    for (index, filter) in filters.into_iter().enumerate() {
        let filter = filter.in_front();
        if index == last {
            script.push(Step::Start(filter.reads(Plug::Newest)));
        } else {
            script.push(Step::Pipe);
            script.push(Step::Start(filter.reads(Plug::Before).writes(Plug::Newest)));
        }
    }
    script.push(Step::WaitFront);
    Program::new("sh", script).as_shell(Shell::Ash)
}

/// Reads up to the end, works on what it has read for so long, and exits.
#[must_use]
pub fn filter(name: &str, time: Duration) -> Program {
    Program::new(name, [Step::ReadToEnd, Step::Work(time), Step::Print, Step::Exit(0)])
}

/// The same, with a handler that tidies up and dies, as gzip has it.
#[must_use]
pub fn careful_filter(name: &str, time: Duration) -> Program {
    let script = [
        catch([Step::Work(ms(1)), Step::DieOfIt]),
        Step::ReadToEnd,
        Step::Work(time),
        Step::Print,
        Step::Exit(0),
    ];
    Program::new(name, script)
}

/// `while read -r line; do …; done`: a shell that runs a command for each line.
#[must_use]
pub fn line_filter(name: &str, time: Duration) -> Program {
    let script = [
        Step::Start(works("line", time, 0).in_front()),
        Step::WaitFront,
        Step::Print,
        Step::AgainUnlessEnd,
        Step::Exit(0),
    ];
    Program::new(name, script).as_shell(Shell::Ash)
}

/// Reads what its own child writes, as one that uses Popen(stdout=PIPE) does.
#[must_use]
pub fn listens(name: &str, child: Program) -> Program {
    let child = child.beside().writes(Plug::Newest);
    Program::new(name, [Step::Pipe, Step::Start(child), Step::Listen, Step::WaitAll, Step::Exit(0)])
}

/// `trap HANDLER TERM INT QUIT; x=$(CHILD); exit 7`
#[must_use]
pub fn substitution(shell: Shell, handler: impl Into<Script>, child: Program) -> Program {
    let script = [
        catch(handler),
        Step::Pipe,
        Step::Start(child.in_front().writes(Plug::Newest)),
        Step::Listen,
        Step::WaitFront,
        Step::Exit(7),
    ];
    Program::new(shell_name(shell), script).as_shell(shell)
}

/// Becomes a daemon by a double fork, and then goes on as `then`.
#[must_use]
pub fn daemonises(name: &str, daemon: Program, then: impl IntoIterator<Item = Step>) -> Program {
    let middle = [Step::Lead, Step::Start(daemon.beside()), Step::Exit(0)];
    let child = Program::new(name, middle).at(Place::Front);
    let mut script = vec![Step::Start(child), Step::WaitFront];
    script.extend(then);
    Program::new(name, script)
}

/// Starts so many children, one every `pause`, each of which does the same with `depth` less.
#[must_use]
pub fn storm(name: &str, width: usize, depth: usize, pause: Duration) -> Program {
    let mut script = Vec::new();
    for _ in 0..if depth > 0 { width } else { 0 } {
        script.push(Step::Start(storm(name, width, depth - 1, pause).beside()));
        script.push(Step::Work(pause));
    }
    script.push(Step::Pause);
    Program::new(name, script)
}

/// Runs another program in its place after a while: `exec CHILD`.
#[must_use]
pub fn execs(name: &str, after: Duration, program: Program) -> Program {
    Program::new(name, [Step::Work(after), Step::Become(program)])
}

/// Takes orphans below it (a subreaper), tells its children by SIGTERM, those that it is given later
/// as well, and waits for everyone.
#[must_use]
pub fn subreaper(name: &str, child: Program) -> Program {
    let script = [
        Step::Adopt,
        catch([Step::ExitIfAlone(0), Step::Tell(Signal::TERM), Step::WaitAny, Step::Again]),
        Step::Start(child.beside()),
        Step::WaitAll,
        Step::Exit(0),
    ];
    Program::new(name, script)
}
