//! Where the programs of the tests are.

use std::env;
use std::path::{Path, PathBuf};

/// The PATH of everything that runs in a test: Debian's, so that no version manager's shim (a
/// shell script that starts slowly) stands in for a program.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The binary under test.
#[must_use]
pub fn outro() -> String {
    let path =
        env::var_os("OUTRO").map_or_else(|| workspace().join("target/debug/outro"), PathBuf::from);
    let path = path.canonicalize().unwrap_or_else(|e| {
        panic!(
            "{}: {e}; build it first (cargo build), or say where it is by $OUTRO",
            path.display()
        )
    });
    path.to_str().expect("the workspace has a plain path").to_owned()
}

/// A file of this crate's `fixtures` folder.
#[must_use]
pub fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    assert!(path.exists(), "there is no fixture {name}");
    path.to_str().expect("the workspace has a plain path").to_owned()
}

/// The command of a bare Python that starts in some 15 ms.
#[must_use]
pub fn python() -> &'static str {
    "/usr/bin/python3 -BES"
}

/// The command of a witness, to be followed by its name and options.
#[must_use]
pub fn witness() -> String {
    format!("{} {}", python(), fixture("witness.py"))
}

/// The path of a program that Debian brings. One that is absent fails the test: a scenario that is
/// skipped in silence proves nothing.
pub fn require(program: &str) -> String {
    PATH.split(':')
        .map(|folder| format!("{folder}/{program}"))
        .find(|path| Path::new(path).exists())
        .unwrap_or_else(|| panic!("{program} is not installed; run tests/setup"))
}

/// The path of a program in the virtual environment of Python packages.
#[must_use]
pub fn venv(program: &str) -> String {
    let path = workspace().join("tests/.cache/venv/bin").join(program);
    assert!(path.exists(), "{program} is not in tests/.cache/venv; run crates/outro-test/venv");
    // Not canonical: the interpreter knows its environment by the link that it was started by.
    let folder = workspace().canonicalize().expect("this is the workspace");
    folder.join("tests/.cache/venv/bin").join(program).to_str().expect("a plain path").to_owned()
}
