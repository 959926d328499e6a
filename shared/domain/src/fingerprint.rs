//! Tells whether two requests under one idempotency key ask for the same order.

use crate::draft::OrderDraft;
use crate::field_hash::FieldHash;

/// The first 128 bits of SHA-256 over an [`OrderDraft`]: equal for requests that mean the same, however they are
/// spelled in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The fingerprint of a draft.
    #[must_use]
    pub fn of(draft: &OrderDraft) -> Self {
        let OrderDraft { customer, lines, details } = draft;
        let mut hash = FieldHash::default();
        hash.field("customer", Some(customer.as_str()));
        for (product, quantity) in lines.iter() {
            hash.field("line", Some(product.as_str()));
            hash.field("quantity", Some(&quantity.get().to_string()));
        }
        details.add_to(&mut hash);
        Self(hash.finish())
    }
}
