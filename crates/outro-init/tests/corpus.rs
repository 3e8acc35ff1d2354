//! What the fuzzer has found worth keeping, run through the same functions as under the fuzzer.

#![expect(clippy::print_stdout, reason = "a test says which input it was")]

#[path = "../../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "the module is a library's where it is fuzzed")]
mod targets;

use std::{fs, path::PathBuf};

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

#[test]
fn every_input_of_the_corpus_keeps_its_properties() {
    for (name, target) in targets::TARGETS {
        let folder = corpus().join(name);
        let inputs = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut count = 0;
        for input in inputs {
            let path = input.expect("the folder can be read").path();
            println!("{}", path.display());
            target(&fs::read(&path).expect("the file can be read"));
            count += 1;
        }
        assert!(count > 0, "{name} has no input");
    }
}

#[test]
fn every_folder_of_the_corpus_has_its_target() {
    for folder in fs::read_dir(corpus()).expect("it is there") {
        let name = folder.expect("it can be read").file_name();
        let is_known = targets::TARGETS.iter().any(|(target, _)| name == *target);
        assert!(is_known, "{}", name.display());
    }
}
