//! The front doors: outro by the name of another init, held row by row against what that init does.
//!
//! The same rows run against the originals, which proves that the expectations are facts:
//!
//! ```text
//! OUTRO_TEST_ORIGINALS=1 cargo test -p outro-test --test doors
//! ```
//!
//! Where outro differs on purpose a row names both sides. `docs/compat` is written from these
//! tables and names the test behind each claim.

mod catatonit;
mod dumb_init;
mod every_door;
mod leaving;
mod pages;
mod signals;
mod stage;
mod table;
mod terminals;
mod tini;
