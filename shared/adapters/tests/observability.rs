//! The documents, the code and the dashboard speak of the same metrics, and a line costs what docs/metrics.md says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};

use adapters::telemetry::metrics;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn the_table_of_the_document_is_the_table_of_the_code() {
    let rows = metrics::ALL.iter().map(|metric| {
        let dimensions: Vec<_> = metric.dimensions.iter().map(|name| format!("`{name}`")).collect();
        let dimensions = if dimensions.is_empty() { "none".to_owned() } else { dimensions.join(", ") };
        format!("| `{}` | {} | {dimensions} | {} |", metric.name, metric.unit.as_str(), metric.meaning)
    });
    let table = format!(
        "| metric | unit | dimensions | meaning |\n| --- | --- | --- | --- |\n{}\n\n",
        rows.collect::<Vec<_>>().join("\n")
    );
    assert!(document("docs/metrics.md").contains(&table), "docs/metrics.md lacks this table:\n{table}");
}

#[test]
fn every_metric_is_exported_to_prometheus() {
    let (document, names) = (document("docs/metrics.md"), metrics::ALL.iter().map(|metric| metric.name));
    let exported = document.split_once("apiVersion: v1alpha1").unwrap().1;
    for name in names {
        assert!(exported.contains(&format!("name: {name}")), "the configuration of YACE lacks {name}");
    }
}

/// All sources of the functions and of what they share.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_metric_is_emitted_by_code_that_is_no_test() {
    let mut found = Vec::new();
    sources(&root().join("functions"), &mut found);
    sources(&root().join("shared/adapters/src"), &mut found);
    let code: String = found.iter().map(|source| source.split("#[cfg(test)]").next().unwrap()).collect();
    let table = document("shared/adapters/src/telemetry/metrics.rs");
    for metric in metrics::ALL {
        let definition = table.lines().find(|line| line.contains(&format!(" \"{}\" ", metric.name))).unwrap();
        let constant = definition.trim().split(' ').next().unwrap();
        let uses =
            code.matches(&format!("&metrics::{constant}")).count() + code.matches(&format!("&{constant}")).count();
        assert!(uses > 0, "nothing emits {}", metric.name);
    }
}
