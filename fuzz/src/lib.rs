//! What is fuzzed. To run a target, in this folder's parent:
//!
//! ```text
//! cargo +nightly fuzz run duration -- -max_total_time=60
//! ```
//!
//! The inputs in `corpus` are run by the ordinary tests as well (crates/outro-init/tests/corpus.rs).

pub mod targets;
