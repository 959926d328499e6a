//! The token issuer: any token for anyone, for local use only.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::state::{Partners, now_millis};

/// `aud` of every token.
const AUDIENCE: &str = "orders";

const KEY_ID: &str = "local";

const DEFAULT_LIFETIME_SECONDS: i64 = 24 * 3600;

/// What precedes the 32 secret bytes of an Ed25519 key in PKCS #8 (RFC 8410 §7).
const ED25519_PKCS8_HEADER: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Signs tokens with an Ed25519 key.
pub struct Issuer {
    url: String,
    seed: [u8; 32],
    key: EncodingKey,
    keys: JwkSet,
}

impl Issuer {
    /// An issuer at this URL, with the key of this seed.
    pub fn new(url: String, seed: [u8; 32]) -> Result<Self, Failure> {
        let key = EncodingKey::from_ed_der(&[&ED25519_PKCS8_HEADER[..], &seed].concat());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA)?;
        public.common.key_id = Some(KEY_ID.to_owned());
        Ok(Self { url, seed, key, keys: JwkSet { keys: vec![public] } })
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

    fn sign(&self, body: &TokenBody) -> Result<String, jsonwebtoken::errors::Error> {
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
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(KEY_ID.to_owned());
        jsonwebtoken::encode(&header, &claims, &self.key)
    }
}

/// The issuer's routes.
pub fn routes() -> Router<Partners> {
    Router::new().route("/token", post(post_token)).route("/.well-known/jwks.json", get(get_keys))
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

async fn post_token(
    State(partners): State<Partners>,
    Json(body): Json<TokenBody>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let token = partners.issuer().sign(&body);
    let token = token.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(json!({"token": token})))
}

async fn get_keys(State(partners): State<Partners>) -> Json<JwkSet> {
    Json(partners.issuer().keys.clone())
}
