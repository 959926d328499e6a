//! The documents say what the code does.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use adapters::problem::Code;
use domain::history::EventKind;
use domain::status::Status;

fn document(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_api_guide_shows_the_state_machine_as_it_is() {
    let moves = Status::ALL.iter().filter(|from| !from.allowed().is_empty()).map(|from| {
        let allowed: Vec<_> = from.allowed().iter().map(|to| to.as_str()).collect();
        format!("`{from} -> {}`", allowed.join(" | "))
    });
    let expected = format!("Statuses move {}.", moves.collect::<Vec<_>>().join(", "));
    assert!(document("docs/api.md").contains(&expected), "docs/api.md lacks: {expected}");
}

#[test]
fn the_diagram_of_an_orders_life_shows_the_state_machine_as_it_is() {
    let architecture = document("ARCHITECTURE.md");
    let diagram = architecture.split_once("stateDiagram-v2\n").unwrap().1.split_once("```").unwrap().0;
    let shown: BTreeSet<_> = diagram.lines().map(str::trim).filter(|line| !line.contains("[*]")).collect();
    let moves = |from: &Status| from.allowed().iter().map(|to| format!("{from} --> {to}")).collect::<Vec<_>>();
    let expected: BTreeSet<_> = Status::ALL.iter().flat_map(moves).collect();
    assert_eq!(shown.into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn every_error_code_is_described_with_its_status() {
    let errors = document("docs/errors.md");
    for code in Code::ALL {
        let row = format!("| {} | `{}` |", code.status().as_u16(), code.as_str());
        assert!(errors.contains(&row), "docs/errors.md lacks: {row}");
    }
}

#[test]
fn every_event_is_described() {
    let events = document("docs/events.md");
    for kind in EventKind::ALL {
        assert!(events.contains(&format!("`{}`", kind.as_str())), "docs/events.md lacks {}", kind.as_str());
    }
}

/// Names of files and of commands of the Makefile in backquotes.
fn named(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_file =
        |name: &str| ["functions/", "scripts/", "shared/", "tests/"].iter().any(|root| name.starts_with(root));
    quoted.filter(|name| is_file(name) || name.starts_with("make ")).collect()
}

#[test]
fn every_threat_names_what_shows_that_it_is_stopped() {
    let security = document("docs/security.md");
    let table = security.split_once("| which test shows it |\n").unwrap().1;
    let rows: Vec<_> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 15, "{}", rows.len());
    for row in rows {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(shown == "the same" || !named(shown).is_empty(), "nothing shows that this is stopped: {row}");
    }
}

#[test]
fn every_file_and_command_that_the_document_of_security_names_is_there() {
    let (security, makefile) = (document("docs/security.md"), document("Makefile"));
    for name in named(&security) {
        let is_there = match name.strip_prefix("make ") {
            Some(command) => makefile.contains(&format!("\n{}:", command.split(' ').next().unwrap())),
            None => std::fs::exists(format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap(),
        };
        assert!(is_there, "there is no {name}");
    }
}
