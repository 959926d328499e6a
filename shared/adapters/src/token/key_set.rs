//! A JSON Web Key Set (RFC 7517) as identity providers publish it: what is no key for signatures of this service is left out.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::TokenError;

/// The keys of an issuer that can have signed a token. A key of an unknown type or algorithm, for encryption, or damaged
/// does not hide the others.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Published")]
pub struct KeySet {
    keys: Vec<Key>,
    /// The same as they were published, without what is not used of them.
    published: Vec<Value>,
}

/// A public key with the one algorithm that it is for.
#[derive(Clone)]
pub struct Key {
    id: Option<String>,
    /// Chosen by the key, never by a token: RS256, ES256 or EdDSA.
    pub algorithm: Algorithm,
    /// The public key.
    pub decoding: DecodingKey,
}

/// A key set before its keys are looked at one by one.
#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

impl KeySet {
    /// The key of this id. A token names its key, unless the issuer has one key and gave it no id.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`].
    pub fn find(&self, id: Option<&str>) -> Result<Key, TokenError> {
        let found = match (id, self.keys.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
            (None, [only]) if only.id.is_none() => Some(only),
            (None, _) => None,
        };
        found.cloned().ok_or(TokenError::UnknownKey)
    }

    /// The JSON document of these keys: what else was published is left out, their certificates too.
    pub(super) fn document(&self) -> String {
        json!({"keys": self.published}).to_string()
    }

    /// Whether it holds no usable key.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl From<Published> for KeySet {
    fn from(published: Published) -> Self {
        let usable = |mut published: Value| {
            if let Some(members) = published.as_object_mut() {
                members.retain(|name, _| !name.starts_with("x5"));
            }
            Some((Key::read(published.clone())?, published))
        };
        let (keys, published) = published.keys.into_iter().filter_map(usable).unzip();
        Self { keys, published }
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| (&key.id, key.algorithm))).finish()
    }
}

impl Key {
    /// The algorithm as the header of a token names it, the one spelling that there is.
    pub(super) const fn algorithm_name(&self) -> &'static str {
        match self.algorithm {
            Algorithm::RS256 => "RS256",
            Algorithm::ES256 => "ES256",
            _ => "EdDSA",
        }
    }

    fn read(published: Value) -> Option<Self> {
        let key: Jwk = serde_json::from_value(published).ok()?;
        let is_for_signatures = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let operations = key.common.key_operations.as_deref();
        let may_verify = operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !is_for_signatures || !may_verify {
            return None;
        }
        let (algorithm, name) = match &key.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            _ => return None,
        };
        if key.common.key_algorithm.is_some_and(|own| own != name) {
            return None;
        }
        let decoding = DecodingKey::from_jwk(&key).ok()?;
        Some(Self { id: key.common.key_id, algorithm, decoding })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    fn rsa(id: &str, changes: Value) -> Value {
        let mut key = json!({"kty": "RSA", "kid": id, "n": MODULUS, "e": "AQAB"});
        key.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        key
    }

    fn set(keys: &[Value]) -> KeySet {
        serde_json::from_value(json!({"keys": keys})).unwrap()
    }

    fn usable(keys: &[Value]) -> Vec<Option<String>> {
        set(keys).keys.into_iter().map(|key| key.id).collect()
    }

    #[test]
    fn keys_that_cannot_have_signed_a_token_hide_no_other() {
        let keys = [
            json!("not a key"),
            json!({"kty": "quantum", "kid": "1"}),
            json!({"kty": "oct", "kid": "2", "k": "c2VjcmV0"}),
            json!({"kty": "EC", "crv": "P-521", "kid": "3", "x": "AA", "y": "AA"}),
            json!({"kty": "OKP", "crv": "X25519", "kid": "4", "x": "AA"}),
            rsa("5", json!({"use": "enc"})),
            rsa("6", json!({"alg": "RSA-OAEP"})),
            rsa("7", json!({"alg": "RS512"})),
            rsa("8", json!({"alg": "ES256"})),
            rsa("9", json!({"key_ops": ["encrypt"]})),
            rsa("10", json!({"n": "not base64!"})),
            rsa("good", json!({"use": "sig", "alg": "RS256", "x5t": "abc", "x5c": ["MIIC"]})),
            rsa("bare", json!({})),
        ];
        assert_eq!(usable(&keys), [Some("good".to_owned()), Some("bare".to_owned())]);
    }

    #[test]
    fn what_is_not_a_key_set_is_an_error() {
        for document in ["", "<html>", "[]", "{}", r#"{"keys": {}}"#] {
            assert!(serde_json::from_str::<KeySet>(document).is_err(), "{document}");
        }
    }

    #[test]
    fn a_token_that_names_no_key_is_checked_with_the_only_one_that_has_no_name() {
        let nameless = || rsa("1", json!({"kid": null}));
        assert!(set(&[nameless()]).find(None).is_ok());
        assert!(set(&[nameless(), rsa("2", json!({}))]).find(None).is_err());
        assert!(set(&[rsa("1", json!({}))]).find(None).is_err());
        assert!(set(&[rsa("1", json!({}))]).find(Some("2")).is_err());
        assert!(set(&[nameless()]).find(Some("")).is_err());
    }
}
