//! Identifiers: parsed once, then only passed on.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::invalid::{Invalid, InvalidCode};

/// Declares an identifier of 1 to 64 characters from `A-Z a-z 0-9 . _ -`, not all of them dots: safe in keys, paths and
/// query strings.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Parses 1 to 64 characters from `A-Z a-z 0-9 . _ -`, not all of them dots.
            ///
            /// # Errors
            /// [`Invalid`] when the value is empty, too long, holds another character or nothing but dots.
            pub fn parse(value: impl Into<String>) -> Result<Self, Invalid> {
                check_identifier(value.into()).map(Self)
            }

            /// An identifier as it was stored, whatever the rules were then.
            #[must_use]
            pub fn restore(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// A storefront: the owner of its orders. It comes from the caller's token alone.
    TenantId
}
identifier! {
    /// A customer, as the customer service knows it.
    CustomerId
}
identifier! {
    /// A product, as the inventory service knows it.
    ProductId
}

const MAX_IDENTIFIER: usize = 64;

fn check_identifier(value: String) -> Result<String, Invalid> {
    if value.is_empty() {
        return Err(Invalid::new(InvalidCode::Empty, "must not be empty"));
    }
    if value.len() > MAX_IDENTIFIER {
        return Err(Invalid::new(InvalidCode::TooLong, format_args!("must have at most {MAX_IDENTIFIER} characters")));
    }
    if !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return Err(Invalid::new(InvalidCode::Malformed, "may hold only letters, digits, '.', '_' and '-'"));
    }
    // `.` and `..` in a path mean another path (RFC 3986 §5.2.4).
    if value.bytes().all(|b| b == b'.') {
        return Err(Invalid::new(InvalidCode::Malformed, "must hold more than dots"));
    }
    Ok(value)
}

/// An order: UUIDv7 when the service chose it, UUIDv8 when it was derived from an idempotency key (RFC 9562).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId(Uuid);

impl OrderId {
    /// Takes a UUID as an order id.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Parses the hyphenated lower or upper case form, 36 characters.
    ///
    /// # Errors
    /// [`InvalidCode::Malformed`] for anything else.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        parse_uuid(value).map(Self)
    }

    /// The id of the order that this tenant creates with this key: the same key always names the same order, so
    /// the order item itself is the idempotency record. A caller who is confined to a customer has keys of its own: it
    /// can neither find nor take those of others.
    #[must_use]
    pub fn derive(tenant: &TenantId, confined_to: Option<&CustomerId>, key: &IdempotencyKey) -> Self {
        Self(match confined_to {
            None => hash_to_uuid(&["order", tenant.as_str(), key.as_str()]),
            Some(customer) => hash_to_uuid(&["order", tenant.as_str(), "customer", customer.as_str(), key.as_str()]),
        })
    }

    /// The UUID.
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// An export: UUIDv7 when the service chose it, UUIDv8 when it was derived from an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExportId(Uuid);

impl ExportId {
    /// Takes a UUID as the id of an export.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Parses the hyphenated form, as [`OrderId::parse`] does.
    ///
    /// # Errors
    /// [`InvalidCode::Malformed`] for anything else.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        parse_uuid(value).map(Self)
    }

    /// The id of the export that this tenant asks for with this key. No order has the same.
    #[must_use]
    pub fn derive(tenant: &TenantId, key: &IdempotencyKey) -> Self {
        Self(hash_to_uuid(&["export", tenant.as_str(), key.as_str()]))
    }
}

impl fmt::Display for ExportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

fn parse_uuid(value: &str) -> Result<Uuid, Invalid> {
    Some(value)
        .filter(|text| text.len() == uuid::fmt::Hyphenated::LENGTH)
        .and_then(|text| Uuid::try_parse(text).ok())
        .ok_or_else(|| Invalid::new(InvalidCode::Malformed, "must be a UUID"))
}

/// UUIDv8 from the first 16 bytes of SHA-256 over the parts, each preceded by its length so that no two lists of
/// parts share a hash.
pub(crate) fn hash_to_uuid(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The `Idempotency-Key` of a request: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a header value, bare or as a quoted string (RFC 9651 §3.3.3).
    ///
    /// # Errors
    /// [`Invalid`] when it is empty, too long or holds anything but visible ASCII.
    pub fn parse(header: &str) -> Result<Self, Invalid> {
        let header = header.trim();
        let key = header.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(header);
        if key.is_empty() {
            return Err(Invalid::new(InvalidCode::Empty, "must not be empty"));
        }
        if key.len() > 255 {
            return Err(Invalid::new(InvalidCode::TooLong, "must have at most 255 characters"));
        }
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid::new(InvalidCode::Malformed, "may hold only visible ASCII characters"));
        }
        Ok(Self(key.to_owned()))
    }

    /// The key of an order in a batch that was sent under this key: of the fingerprint of what it asks for, and of how many
    /// equal ones are before it. So it is the same wherever the order stands. It holds a space, which no key of a client
    /// does, so that no other request can have it.
    #[must_use]
    pub fn of_item(&self, fingerprint: [u8; 16], equal_before: usize) -> Self {
        Self(format!("{} {:032x} {equal_before}", self.0, u128::from_be_bytes(fingerprint)))
    }

    /// The key without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[test]
    fn a_quoted_and_a_bare_key_are_the_same_key() {
        assert_eq!(IdempotencyKey::parse("\"abc\""), IdempotencyKey::parse("abc"));
    }

    #[test]
    fn keys_outside_1_to_255_visible_ascii_characters_are_refused() {
        for bad in ["", "\"\"", "a b", "ä", &"x".repeat(256)] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
        }
        assert!(IdempotencyKey::parse(&"x".repeat(255)).is_ok());
    }

    #[test]
    fn the_key_of_an_item_is_no_key_that_a_client_can_send() {
        let key = IdempotencyKey::parse("k").unwrap();
        let (one, other) = ([1; 16], [2; 16]);
        assert_eq!(key.of_item(one, 0), key.of_item(one, 0));
        assert_ne!(key.of_item(one, 0), key.of_item(one, 1));
        assert_ne!(key.of_item(one, 0), key.of_item(other, 0));
        assert_ne!(key.of_item(one, 0), IdempotencyKey::parse("k1").unwrap().of_item(one, 0));
        assert!(IdempotencyKey::parse(key.of_item(one, 0).as_str()).is_err());
    }

    #[test]
    fn one_key_names_one_order_per_tenant() {
        let key = IdempotencyKey::parse("k").unwrap();
        assert_eq!(OrderId::derive(&tenant("a"), None, &key), OrderId::derive(&tenant("a"), None, &key));
        assert_ne!(OrderId::derive(&tenant("a"), None, &key), OrderId::derive(&tenant("b"), None, &key));
        assert_eq!(OrderId::derive(&tenant("a"), None, &key).as_uuid().get_version_num(), 8);
        let of = |customer: &str| OrderId::derive(&tenant("a"), Some(&CustomerId::parse(customer).unwrap()), &key);
        assert_eq!(of("one"), of("one"));
        assert_ne!(of("one"), of("other"));
        assert_ne!(of("one"), OrderId::derive(&tenant("a"), None, &key));
    }

    #[test]
    fn tenant_and_key_cannot_be_shifted_into_each_other() {
        let ab = OrderId::derive(&tenant("a"), None, &IdempotencyKey::parse("bc").unwrap());
        let ac = OrderId::derive(&tenant("ab"), None, &IdempotencyKey::parse("c").unwrap());
        assert_ne!(ab, ac);
    }

    #[test]
    fn identifiers_never_hold_a_key_separator() {
        for bad in ["", "a#b", "a,b", "a/b", "ä", &"x".repeat(65)] {
            assert!(TenantId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn identifiers_are_more_than_dots() {
        for bad in [".", "..", "..."] {
            assert_eq!(CustomerId::parse(bad).unwrap_err().code, InvalidCode::Malformed, "{bad}");
        }
        for good in [".a", "a.", "..a", "a.b", "-", "_"] {
            assert!(CustomerId::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn an_order_id_is_read_in_hyphenated_form_only() {
        assert!(OrderId::parse("0192f0c1-7a3e-7cc0-8000-000000000001").is_ok());
        assert!(OrderId::parse("0192f0c17a3e7cc08000000000000001").is_err());
        assert!(OrderId::parse("not-a-uuid").is_err());
    }
}
