//! One function per parser: it must take any bytes without a panic, and keep what it promises about those it accepts.

#![expect(clippy::unwrap_used, reason = "a broken promise must fail")]

mod http;
mod store;
mod token;

/// A parser under test.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder in `corpus`.
pub const TARGETS: [(&str, Target); 9] = [
    ("body", http::body),
    ("cursor", http::cursor),
    ("entity_tags", http::entity_tags),
    ("idempotency_key", http::idempotency_key),
    ("key_set", token::key_set),
    ("query", http::query),
    ("stored_item", store::item),
    ("stream_record", store::stream_record),
    ("token", token::token),
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
