//! The compact form of a JSON Web Token (RFC 7515 §7.1): `header.claims.signature`, in unpadded base64url.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::TokenError;
use super::key_set::Key;

/// Members of a header that change how a token is to be read. None is supported, and a token that is read otherwise than
/// it was meant is not understood: `crit` (RFC 7515), `b64` (RFC 7797), `zip` and `enc` (RFC 7516).
const EXTENSIONS: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// A token taken apart; nothing of it has been checked.
#[derive(Debug)]
pub(super) struct CompactToken<'a> {
    header: Map<String, Value>,
    message: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> CompactToken<'a> {
    /// Takes the value of an `Authorization` header apart.
    pub fn of_header(authorization: &'a str) -> Result<Self, TokenError> {
        let (scheme, token) = authorization.split_once(' ').ok_or(TokenError::NotBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(TokenError::NotBearer);
        }
        Self::parse(token.trim_start_matches(' ')).ok_or(TokenError::Malformed)
    }

    fn parse(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let is_part = |part: &str| !part.is_empty() && !part.contains('.');
        if ![header, claims, signature].into_iter().all(is_part) {
            return None;
        }
        Some(Self { header: object(header)?, message, claims, signature })
    }

    /// Whether it asks for processing that this service does not do.
    pub fn is_extended(&self) -> bool {
        EXTENSIONS.iter().any(|name| self.header.contains_key(*name))
    }

    /// The name of its key, if it gives one.
    pub fn key_id(&self) -> Result<Option<&str>, TokenError> {
        self.header.get("kid").map(|id| id.as_str().ok_or(TokenError::Malformed)).transpose()
    }

    /// The claims, once algorithm and signature are those of the key.
    pub fn verified_by(&self, key: &Key) -> Result<Map<String, Value>, TokenError> {
        if self.header.get("alg").and_then(Value::as_str) != Some(key.algorithm_name()) {
            return Err(TokenError::Algorithm);
        }
        if URL_SAFE_NO_PAD.decode(self.signature).is_err() {
            return Err(TokenError::Malformed);
        }
        let message = self.message.as_bytes();
        match jsonwebtoken::crypto::verify(self.signature, message, &key.decoding, key.algorithm) {
            Ok(true) => object(self.claims).ok_or(TokenError::Malformed),
            Ok(false) | Err(_) => Err(TokenError::Signature),
        }
    }
}

/// A JSON object in base64url.
fn object(part: &str) -> Option<Map<String, Value>> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice::<Object>(&json).ok().map(|Object(members)| members)
}

/// A JSON object that names each member once: who reads another value for a name than the issuer meant is misled
/// (RFC 7519 §4).
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members).map(Object)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = object.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(members)
    }
}
