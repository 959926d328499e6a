//! Tells whether two requests under one idempotency key ask for the same order.

use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::order::OrderDraft;

/// The first 128 bits of SHA-256 over an [`OrderDraft`]: equal for requests that mean the same, however they are
/// spelled in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The fingerprint of a draft.
    #[must_use]
    pub fn of(draft: &OrderDraft) -> Self {
        let mut hash = FieldHash(Sha256::new());
        hash.field("customer", Some(draft.customer.as_str()));
        for (product, quantity) in draft.lines.iter() {
            hash.field("line", Some(product.as_str()));
            hash.field("quantity", Some(&quantity.get().to_string()));
        }
        if let Some(address) = &draft.shipping_address {
            hash.address(address);
        }
        for (key, value) in draft.metadata.as_map() {
            hash.field("key", Some(key));
            hash.field("value", Some(value));
        }
        hash.field("reference", draft.external_reference.as_ref().map(|text| text.as_str()));
        hash.field("notes", draft.notes.as_ref().map(|text| text.as_str()));
        hash.finish()
    }
}

/// Hashes named fields, each name and value preceded by its length, so that no two drafts share a byte sequence.
struct FieldHash(Sha256);

impl FieldHash {
    fn field(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            for part in [name, value] {
                self.0.update((part.len() as u64).to_be_bytes());
                self.0.update(part.as_bytes());
            }
        }
    }

    fn address(&mut self, address: &Address) {
        self.field("name", address.name.as_ref().map(|text| text.as_str()));
        self.field("line1", Some(address.line1.as_str()));
        self.field("line2", address.line2.as_ref().map(|text| text.as_str()));
        self.field("city", Some(address.city.as_str()));
        self.field("state", address.state.as_ref().map(|text| text.as_str()));
        self.field("postal_code", address.postal_code.as_ref().map(|text| text.as_str()));
        self.field("country", Some(address.country.as_str()));
        self.field("phone", address.phone.as_ref().map(|text| text.as_str()));
    }

    fn finish(self) -> Fingerprint {
        let digest: [u8; 32] = self.0.finalize().into();
        let mut first = [0; 16];
        for (to, from) in first.iter_mut().zip(digest) {
            *to = from;
        }
        Fingerprint(first)
    }
}
