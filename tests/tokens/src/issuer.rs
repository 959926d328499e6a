//! The issuer that hostile tokens lie about: an Ed25519 key, and whatever text is to be signed with it.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// An issuer with one key.
#[derive(Debug)]
pub struct Issuer {
    key: Ed25519KeyPair,
    /// `iss` of its tokens.
    pub url: String,
    /// `aud` of its tokens.
    pub audience: String,
    /// `kid` of its tokens.
    pub key_id: String,
}

impl Issuer {
    /// The issuer with the key of this seed.
    #[must_use]
    pub fn new(seed: &[u8; 32], url: &str, audience: &str, key_id: &str) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).expect("32 bytes are a seed");
        Self { key, url: url.to_owned(), audience: audience.to_owned(), key_id: key_id.to_owned() }
    }

    /// The public key as a JSON Web Key.
    #[must_use]
    pub fn published(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.key_id, "x": x})
    }

    /// The 32 bytes of the public key.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// A token of this header and payload, whatever they say, with a signature of this issuer.
    #[must_use]
    pub fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let message = unsigned(header, payload);
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// A token that is accepted: what the hostile ones are but for one thing.
    #[must_use]
    pub fn valid_token(&self) -> String {
        self.sign(self.header().to_string(), self.claims().to_string())
    }

    /// The header of a valid token.
    pub(crate) fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "JWT", "kid": self.key_id})
    }

    /// The header with another member, or without one that is `None`.
    pub(crate) fn header_with(&self, name: &str, value: Option<Value>) -> String {
        changed(self.header(), name, value)
    }

    /// The claims of a valid token.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": self.audience, "sub": "hostile", "tenant": "t-hostile",
            "scope": "orders:read orders:write", "iat": now(), "exp": now() + 3_600,
        })
    }

    /// A signed token with another claim, or without one that is `None`.
    pub(crate) fn token_with(&self, claim: &str, value: Option<Value>) -> String {
        self.sign(self.header().to_string(), changed(self.claims(), claim, value))
    }

    /// A signed token of which one claim has this JSON text.
    pub(crate) fn token_with_text(&self, claim: &str, text: &str) -> String {
        let others = changed(self.claims(), claim, None);
        let others = others.trim_start_matches('{');
        self.sign(self.header().to_string(), format!("{{\"{claim}\":{text},{others}"))
    }
}

/// Header and payload, without a signature.
pub(crate) fn unsigned(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

fn changed(mut object: Value, name: &str, value: Option<Value>) -> String {
    let members = object.as_object_mut().expect("an object");
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    object.to_string()
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs()
}
