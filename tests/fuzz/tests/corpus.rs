//! Every input that is known to be of interest, those that once broke something among them (corpus/).

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");

fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_target_takes_its_corpus() {
    for (name, target) in fuzz::TARGETS {
        let folder = Path::new(CORPUS).join(name);
        let inputs = names(&folder);
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            // Shown when the target panics.
            println!("{name}/{input}");
            target(&std::fs::read(folder.join(&input)).unwrap());
        }
    }
}

#[test]
fn every_folder_of_the_corpus_has_its_target() {
    assert_eq!(names(Path::new(CORPUS)), fuzz::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
}
