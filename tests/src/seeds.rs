//! What the suites say of people. It stands in every order, so that `tests/local/test_logs.py` finds a log that repeats it.

use serde_json::{Value, json};

/// The name that every person here has, in names, addresses, notes and metadata.
pub const PERSON: &str = "Quillfeather";

/// The fields of an order that speak of people.
#[must_use]
pub fn personal() -> Value {
    json!({
        "shipping_address": {
            "name": format!("Ada {PERSON}"), "line1": format!("1 {PERSON} Lane"), "line2": format!("c/o {PERSON}"),
            "city": format!("{PERSON} End"), "postal_code": "QF1 4JH", "country": "GB",
        },
        "notes": format!("Ring twice for {PERSON}"),
        "metadata": {"gift": format!("from {PERSON}")},
    })
}
