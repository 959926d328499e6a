//! Tells whether two requests under one idempotency key ask for the same order.

use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::draft::OrderDraft;
use crate::text::Text;

/// The first 128 bits of SHA-256 over an [`OrderDraft`]: equal for requests that mean the same, however they are
/// spelled in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The fingerprint of a draft.
    #[must_use]
    pub fn of(draft: &OrderDraft) -> Self {
        let OrderDraft { customer, lines, shipping_address, metadata, external_reference, notes } = draft;
        let mut hash = FieldHash(Sha256::new());
        hash.field("customer", Some(customer.as_str()));
        for (product, quantity) in lines.iter() {
            hash.field("line", Some(product.as_str()));
            hash.field("quantity", Some(&quantity.get().to_string()));
        }
        if let Some(address) = shipping_address {
            hash.address(address);
        }
        for (key, value) in metadata.as_map() {
            hash.field("key", Some(key));
            hash.field("value", Some(value));
        }
        hash.text("reference", external_reference.as_ref());
        hash.text("notes", notes.as_ref());
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

    fn text<const MAX: usize>(&mut self, name: &str, text: Option<&Text<MAX>>) {
        self.field(name, text.map(Text::as_str));
    }

    fn address(&mut self, address: &Address) {
        let Address { name, line1, line2, city, state, postal_code, country, phone } = address;
        self.text("name", name.as_ref());
        self.text("line1", Some(line1));
        self.text("line2", line2.as_ref());
        self.text("city", Some(city));
        self.text("state", state.as_ref());
        self.text("postal_code", postal_code.as_ref());
        self.field("country", Some(country.as_str()));
        self.text("phone", phone.as_ref());
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
