//! outro's promises in hundreds of thousands of worlds.
//!
//! OUTRO_SIM_CASES says how many (200,000 if it is not set), OUTRO_SIM_SEED with which seed they
//! begin: a number, or `random`. Without it they are the same ones each time, so that a change is what
//! breaks a test, not the day; `OUTRO_SIM_SEED=random OUTRO_SIM_CASES=1000000` looks for new ones.

#![expect(clippy::print_stdout, reason = "the seed and the story of a case are for people")]
#![expect(clippy::disallowed_methods, reason = "how long it took is the real clock's to say")]

use outro_sim::generate::Case;
use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    panic,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Instant,
};

const CASES: u64 = 200_000;

/// Where they begin.
const SEED: u64 = 1_000_000;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What is wrong with a case, if anything is.
fn fault(seed: u64) -> Option<String> {
    let run = || {
        let outcome = Case::new(seed).run();
        outcome.broken.map(|broken| broken.to_string())
    };
    panic::catch_unwind(run).unwrap_or_else(|_| Some("it panicked".to_owned()))
}

#[test]
fn no_promise_is_broken_in_any_world() {
    let cases = variable("OUTRO_SIM_CASES").unwrap_or(CASES);
    let first = match std::env::var("OUTRO_SIM_SEED").as_deref() {
        Ok("random") => RandomState::new().build_hasher().finish() >> 16,
        _ => variable("OUTRO_SIM_SEED").unwrap_or(SEED),
    };
    println!("{cases} cases from OUTRO_SIM_SEED={first}");
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Relaxed);
            if index >= cases {
                return None;
            }
            let seed = first + index;
            if let Some(fault) = fault(seed) {
                // The others need not go on.
                next.store(cases, Relaxed);
                return Some((seed, fault));
            }
        }
    };
    let began = Instant::now();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let found = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().find_map(|thread| thread.join().expect("faults are caught"))
    });
    if let Some((seed, fault)) = found {
        println!("{}", story(seed));
        panic!(
            "case {seed}: {fault}\nto see it again:\n\
             OUTRO_SIM_SEED={seed} cargo test -p outro-sim --test simulation replay -- --nocapture"
        );
    }
    println!("{cases} cases in {:.1?}", began.elapsed());
}

/// A case, told line by line.
fn story(seed: u64) -> String {
    let case = Case::new(seed);
    let outcome = case.run();
    let broken = outcome.broken.map_or_else(String::new, |broken| broken.to_string());
    format!("{case}{}{broken}", outcome.history)
}

#[test]
fn replay() {
    let Some(seed) = variable("OUTRO_SIM_SEED") else { return };
    println!("{}", story(seed));
    assert_eq!(fault(seed), None);
}
