//! A digest of named fields, for [`crate::fingerprint`].

use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::text::Text;

/// Hashes named fields, each name and value preceded by its length, so that no two drafts share a byte sequence.
#[derive(Default)]
pub(crate) struct FieldHash(Sha256);

impl FieldHash {
    pub(crate) fn field(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            for part in [name, value] {
                self.0.update((part.len() as u64).to_be_bytes());
                self.0.update(part.as_bytes());
            }
        }
    }

    pub(crate) fn text<const MAX: usize>(&mut self, name: &str, text: Option<&Text<MAX>>) {
        self.field(name, text.map(Text::as_str));
    }

    pub(crate) fn address(&mut self, address: &Address) {
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

    pub(crate) fn finish(self) -> [u8; 16] {
        let digest: [u8; 32] = self.0.finalize().into();
        let mut first = [0; 16];
        for (to, from) in first.iter_mut().zip(digest) {
            *to = from;
        }
        first
    }
}
