//! What is fuzzed. To run a target, in the folder above this one, with what is found kept apart:
//!
//! ```text
//! mkdir -p target/corpus/duration
//! cargo +nightly fuzz run duration target/corpus/duration fuzz/corpus/duration -- \
//!     -max_total_time=60 -max_len=400 -close_fd_mask=2
//! ```
//!
//! The inputs in `corpus` are run by the ordinary tests as well (crates/outro-init/tests/corpus.rs).
//! The signals are blocked, as in outro itself, so end a run by its time, or by SIGKILL.

pub mod targets;
