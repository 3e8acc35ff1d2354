//! Programs by chance.

use super::{Dice, EVER, Temper};
use crate::{
    cast,
    program::{Program, Step},
};
use outro_core::{
    process::Shell,
    settings::stop_signals,
    signal::{Signal, SignalSet},
};
use std::time::Duration;

/// Where a program is to stand in its world.
#[derive(Clone, Copy, Debug)]
struct Spot {
    temper: Temper,
    /// Who stops it.
    by: By,
    /// How many generations it may have below it.
    depth: usize,
}

/// Who stops a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// outro, or a master.
    Any,
    /// A master, which knows nothing of traps that wait and of children of those who ignore it.
    Master,
}

impl Spot {
    fn below(self) -> Self {
        Self { by: By::Any, depth: self.depth.saturating_sub(1), ..self }
    }

    fn of_master(self) -> Self {
        Self { by: By::Master, ..self.below() }
    }

    fn alone(self) -> Self {
        Self { depth: 0, ..self }
    }
}

impl Dice {
    pub(super) fn main(&mut self, temper: Temper) -> Program {
        self.program(Spot { temper, by: By::Any, depth: 4 })
    }

    fn some(&mut self, most: usize, spot: Spot) -> Vec<Program> {
        let count = self.rng.usize(1..=most);
        (0..count).map(|_| self.program(spot)).collect()
    }

    fn program(&mut self, spot: Spot) -> Program {
        self.budget = self.budget.saturating_sub(1);
        let is_alone = spot.depth == 0 || self.budget == 0 || self.once_in(4);
        match (is_alone, spot.temper) {
            (true, Temper::Any) if self.once_in(3) => self.disobedient(),
            (true, _) => self.alone(spot),
            (false, Temper::Any) if self.once_in(6) => self.disobedient_with_children(spot),
            (false, _) if spot.by == By::Any && self.once_in(3) => self.needs_outro(spot),
            (false, _) => self.with_children(spot),
        }
    }

    /// A program without children, or with such as end by themselves.
    fn alone(&mut self, spot: Spot) -> Program {
        let time = self.ms(600);
        match self.rng.u32(0..15) {
            0 => cast::sleeper(&self.name("sleeper")),
            1 => cast::works(&self.name("works"), time * 2, self.rng.u8(0..5)),
            2 => cast::crashes(&self.name("crashes"), time * 2, Signal::QUIT),
            3 | 4 => cast::cleans_up(&self.name("cleans-up"), time),
            5 => cast::sets_up(&self.name("sets-up"), time, time),
            6 => cast::re_raises(&self.name("re-raises"), time),
            7 => {
                let helper = cast::works(&self.name("helper"), time, 0);
                cast::cleans_up_by(&self.name("cleans-up-by"), helper)
            }
            8 => cast::awaits(&self.name("awaits"), time),
            9 => cast::hangs(&self.name("hangs"), time),
            // A master that stops its worker is to continue it too.
            10 if spot.by == By::Any => cast::is_stopped(&self.name("is-stopped"), time),
            11 => {
                let width = self.rng.usize(1..=3);
                let pause = Duration::from_micros(self.rng.u64(100..=20_000));
                cast::storm(&self.name("storm"), width, 2, pause)
            }
            12 => {
                let time = Duration::from_millis(self.rng.u64(2..=60));
                cast::churns(&self.name("churns"), time)
            }
            13 => cast::node(&self.name("node"), time),
            _ => cast::worker(&self.name("worker"), time),
        }
    }

    /// A program that does not end by itself. What bash runs again and again is known again only if it
    /// is there at some look.
    fn lasting(&mut self) -> Program {
        let time = self.ms(600);
        match self.rng.u32(0..4) {
            0 => cast::sleeper(&self.name("sleeper")),
            1 => cast::cleans_up(&self.name("cleans-up"), time),
            2 => cast::re_raises(&self.name("re-raises"), time),
            _ => cast::awaits(&self.name("awaits"), time),
        }
    }

    /// Jobs in the background of a shell with a trap. Where `wait` looks like waiting for the
    /// foreground, nothing else may hide that they are in the background.
    fn jobs(&mut self, shell: Shell, spot: Spot) -> Vec<Program> {
        if shell == Shell::Ash {
            return self.some(3, spot.of_master());
        }
        let count = self.rng.usize(1..=3);
        (0..count)
            .map(|_| match self.rng.u32(0..3) {
                0 => cast::sleeper(&self.name("sleeper")),
                1 => cast::worker(&self.name("worker"), Duration::ZERO),
                _ => {
                    let time = self.ms(800);
                    cast::works(&self.name("works"), time, 0)
                }
            })
            .collect()
    }

    /// A program whose children depend on outro, even if it is told.
    fn needs_outro(&mut self, spot: Spot) -> Program {
        let shell = if self.once_in(2) { Shell::Ash } else { Shell::Other };
        match self.rng.u32(0..9) {
            8 => {
                let handler = self.trap(spot.temper);
                cast::substitution(shell, handler, self.program(spot.below()))
            }
            0 => cast::bash_line(self.program(spot.below())),
            1 => cast::bash_loop(self.lasting()),
            2 | 3 => {
                let handler = self.trap(spot.temper);
                cast::trapping_shell(shell, handler, self.program(spot.below()))
            }
            4 => cast::trapping_shell(
                Shell::Fish,
                self.trap(spot.temper),
                self.program(spot.below()),
            ),
            5 => self.pipeline(spot, true),
            6 => {
                let child = self.program(spot.below());
                cast::ignores_around(&self.name("ignores-around"), child)
            }
            _ => {
                let program = self.program(spot.below());
                let time = self.ms(400);
                cast::execs(&self.name("execs"), time, program)
            }
        }
    }

    /// A program that ends when it is told, with children below it.
    fn with_children(&mut self, spot: Spot) -> Program {
        let time = self.ms(400);
        let shell = if self.once_in(2) { Shell::Ash } else { Shell::Other };
        match self.rng.u32(0..14) {
            13 => {
                let child = self.program(spot.below());
                cast::listens(&self.name("listens"), child)
            }
            0 => cast::shell_loop(self.program(spot.below())),
            1 => cast::shell_line(self.program(spot.below())),
            2 => {
                let children = self.jobs(shell, spot);
                cast::stopping_shell(shell, children)
            }
            // Told before it has started its children it goes on, and they are never told.
            3 if spot.temper == Temper::Any => {
                let children = self.jobs(shell, spot);
                cast::forwarding_shell(shell, children)
            }
            3 | 4 => cast::background_shell(self.some(3, spot.below())),
            5 => self.pipeline(spot, false),
            6 => {
                let workers = self.some(4, spot.of_master().alone());
                let workers = workers.into_iter().map(Program::beside);
                cast::pool(&self.name("pool"), Signal::TERM, workers)
            }
            7 => {
                let count = self.rng.usize(1..=4);
                let workers: Vec<Program> =
                    (0..count).map(|_| cast::worker(&self.name("worker"), time)).collect();
                let forks = self.once_in(2);
                let workers = workers.into_iter().map(Program::beside);
                let workers = workers.map(|it| if forks { it.forked() } else { it });
                cast::pool(&self.name("pool"), cast::USR2, workers)
            }
            8 => {
                let workers = self.some(3, spot.of_master().alone());
                cast::awaiting_pool(&self.name("awaiting-pool"), Signal::TERM, workers)
            }
            9 => {
                let daemon = self.program(spot.below());
                let then = match self.rng.u32(0..3) {
                    0 => vec![Step::Pause],
                    1 => vec![Step::Exit(0)],
                    _ => vec![Step::Work(time), Step::Exit(3)],
                };
                cast::daemonises(&self.name("daemoniser"), daemon, then)
            }
            10 => {
                let child = self.program(spot.below());
                cast::leaves_behind(&self.name("leaves-behind"), child)
            }
            11 => {
                let child = self.program(spot.of_master().alone());
                cast::subreaper(&self.name("subreaper"), child)
            }
            _ => {
                let children = self.some(3, spot.of_master().alone());
                let shell = cast::mksh(children);
                Program { script: [&[Step::Lead], &*shell.script].concat().into(), ..shell }
            }
        }
    }

    /// What a trap does.
    fn trap(&mut self, temper: Temper) -> Vec<Step> {
        let time = self.ms(300);
        match self.rng.u32(0..4) {
            // The shell goes on, and what it starts then is never told.
            0 if temper == Temper::Any => vec![],
            0 | 1 => vec![Step::Exit(3)],
            2 => vec![Step::Print, Step::Work(time), Step::Exit(3)],
            _ => {
                let command = cast::works(&self.name("command"), time, 0);
                vec![Step::Start(command.in_front()), Step::WaitFront, Step::Exit(3)]
            }
        }
    }

    fn pipeline(&mut self, spot: Spot, traps: bool) -> Program {
        let writer = self.program(spot.below());
        let count = self.rng.usize(1..=3);
        let filters = (0..count)
            .map(|_| {
                let time = self.ms(700);
                match self.rng.u32(0..6) {
                    0 => cast::careful_filter(&self.name("careful-filter"), time),
                    1 => {
                        let time = Duration::from_millis(self.rng.u64(5..200));
                        cast::line_filter(&self.name("line-filter"), time)
                    }
                    _ => cast::filter(&self.name("filter"), time),
                }
            })
            .collect();
        let first = match traps {
            true => vec![Step::Catch(stop_signals(), self.trap(spot.temper).into())],
            false => vec![],
        };
        cast::pipeline(first, writer, filters)
    }

    fn disobedient(&mut self) -> Program {
        match self.rng.u32(0..7) {
            0 => cast::stubborn(&self.name("stubborn")),
            1 => cast::ignores(&self.name("ignores"), SignalSet::EMPTY.with(Signal::TERM)),
            2 => cast::hangs(&self.name("hangs"), EVER),
            3 => cast::sleeper(&self.name("guarded")).guarded(),
            4 => cast::cleans_up(&self.name("slow"), EVER),
            5 => {
                let pause = Duration::from_micros(self.rng.u64(10..=5_000));
                cast::storm(&self.name("storm"), 3, 3, pause)
            }
            _ => cast::leaves_behind(&self.name("heir"), cast::stubborn(&self.name("stubborn"))),
        }
    }

    fn disobedient_with_children(&mut self, spot: Spot) -> Program {
        let children = self.some(2, spot.below());
        // Its children do not inherit what it does with the signals.
        let mut script: Vec<Step> =
            children.into_iter().map(|child| Step::Start(child.beside())).collect();
        let signals = stop_signals();
        script.push(match self.rng.u32(0..3) {
            // Not those of the keyboard too: below a trap that would look like a job in the background.
            0 => Step::Ignore(SignalSet::EMPTY.with(Signal::TERM)),
            1 => Step::Catch(signals, [Step::Work(Duration::from_millis(1))].into()),
            _ => Step::Block(signals),
        });
        script.push(Step::Pause);
        Program::new(&self.name("careless"), script)
    }
}
