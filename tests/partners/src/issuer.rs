//! The token issuer: any token for anyone, for local use only.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::state::{Partners, now_millis};

/// `aud` of every token.
const AUDIENCE: &str = "orders";

const KEY_ID: &str = "local";

const DEFAULT_LIFETIME_SECONDS: i64 = 24 * 3600;

/// Signs tokens with an Ed25519 key.
pub struct Issuer {
    url: String,
    seed: [u8; 32],
    key: Ed25519KeyPair,
}

impl Issuer {
    /// An issuer at this URL, with the key of this seed.
    pub fn new(url: String, seed: [u8; 32]) -> Result<Self, Failure> {
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| "the seed makes no key")?;
        Ok(Self { url, seed, key })
    }

    /// A random seed.
    pub fn new_seed() -> Result<[u8; 32], Failure> {
        let random = ring::rand::generate(&SystemRandom::new()).map_err(|_| "the system has no randomness")?;
        Ok(random.expose())
    }

    /// The seed of the signing key.
    pub const fn seed(&self) -> [u8; 32] {
        self.seed
    }

    fn sign(&self, body: &TokenBody) -> String {
        let now = i64::try_from(now_millis() / 1000).unwrap_or(i64::MAX);
        let expires = now.saturating_add(body.expires_in.unwrap_or(DEFAULT_LIFETIME_SECONDS));
        let mut claims = json!({
            "iss": self.url,
            "aud": AUDIENCE,
            "iat": now,
            "exp": expires,
            "tenant": body.tenant,
            "sub": body.sub,
            "scope": body.scope,
        });
        if let (Some(members), Some(customer)) = (claims.as_object_mut(), &body.customer_id) {
            members.insert("customer_id".to_owned(), json!(customer));
        }
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let header = json!({"typ": "JWT", "alg": "EdDSA", "kid": KEY_ID});
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// The public key as a JSON Web Key Set.
    fn keys(&self) -> Value {
        let point = URL_SAFE_NO_PAD.encode(self.key.public_key());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": KEY_ID, "x": point}]})
    }
}

/// Where tokens are made.
pub fn token_routes() -> Router<Partners> {
    Router::new().route("/token", post(post_token))
}

/// Where the keys are published.
pub fn key_routes() -> Router<Partners> {
    Router::new().route("/.well-known/jwks.json", get(get_keys))
}

#[derive(Deserialize)]
struct TokenBody {
    tenant: String,
    sub: String,
    scope: String,
    #[serde(default)]
    customer_id: Option<String>,
    /// Seconds; a negative number makes an expired token.
    #[serde(default)]
    expires_in: Option<i64>,
}

async fn post_token(State(partners): State<Partners>, Json(body): Json<TokenBody>) -> Json<Value> {
    Json(json!({"token": partners.issuer().sign(&body)}))
}

async fn get_keys(State(partners): State<Partners>) -> Json<Value> {
    Json(partners.issuer().keys())
}
