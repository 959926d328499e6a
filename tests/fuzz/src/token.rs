//! What a bearer and an identity provider send.

use std::sync::LazyLock;

use adapters::token::{ClaimNames, Claims, Jwks, KeySet, TokenConfig, TokenVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use hostile_tokens::Issuer;
use serde_json::{Map, Value};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "orders";
const HEADER: &str = r#"{"alg":"EdDSA","kid":"own"}"#;

/// Claims that are accepted, until 2100.
const CLAIMS: &str =
    r#"{"iss":"https://issuer.example","aud":"orders","sub":"s","tenant":"t","scope":"orders:read","exp":4102444800}"#;

/// The issuer whose tokens are accepted. Making keys takes longer than checking tokens, so it is made once.
static OWN: LazyLock<Issuer> = LazyLock::new(|| Issuer::new(&[42; 32], ISSUER, AUDIENCE, "own"));

static VERIFIER: LazyLock<TokenVerifier> = LazyLock::new(|| {
    let keys = serde_json::json!({"keys": [OWN.published()]});
    verifier(serde_json::from_value(keys).unwrap())
});

fn verifier(keys: KeySet) -> TokenVerifier {
    TokenVerifier::new(TokenConfig {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        names: ClaimNames::default(),
        keys: Jwks::inline(keys),
    })
}

/// An `Authorization` header, the parts of a token, and what the issuer signed: a header, claims, and claims added to those
/// that every token needs. Only what was signed can be accepted, and means then what it says.
pub fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert_eq!(claims(&VERIFIER, &text), None);
    assert_eq!(claims(&VERIFIER, &format!("Bearer {text}")), None);
    let mut parts = data.split(|byte| *byte == b'\n').map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut part = || parts.next().unwrap_or_default();
    assert_eq!(claims(&VERIFIER, &format!("Bearer {}.{}.{}", part(), part(), part())), None);
    // What is no object is no header and no claims, whoever signed it: the parts above are refused for that.
    let Ok(Value::Object(said)) = serde_json::from_slice(data) else { return };
    signed_header(data, &said);
    signed_claims(&OWN.sign(HEADER, data), &said);
    let Value::Object(mut all) = serde_json::from_str(CLAIMS).unwrap() else { return };
    all.extend(said);
    signed_claims(&OWN.sign(HEADER, Value::from(all.clone()).to_string()), &all);
}

/// A header is accepted when it names the algorithm and the key, and asks for nothing more.
fn signed_header(data: &[u8], said: &Map<String, Value>) {
    if claims(&VERIFIER, &format!("Bearer {}", OWN.sign(data, CLAIMS))).is_some() {
        assert_eq!((text(said, "alg"), text(said, "kid")), (Some("EdDSA"), Some("own")));
        assert!(["crit", "b64", "zip", "enc"].iter().all(|name| !said.contains_key(*name)));
    }
}

fn signed_claims(token: &str, said: &Map<String, Value>) {
    let Some(claims) = claims(&VERIFIER, &format!("Bearer {token}")) else { return };
    assert_eq!(text(said, "iss"), Some(ISSUER));
    let is_meant = |audience: &Value| audience == AUDIENCE;
    assert!(said.get("aud").is_some_and(|aud| is_meant(aud) || aud.as_array().unwrap().iter().any(is_meant)));
    assert_eq!(text(said, "tenant"), Some(claims.tenant.as_str()));
    assert_eq!(text(said, "sub"), Some(claims.subject.as_str()));
    assert_eq!(said.get("exp").and_then(Value::as_i64), Some(claims.expires_at));
    assert!(!claims.scopes.is_empty());
    match claims.customer {
        None => assert!(!said.contains_key("customer_id")),
        Some(customer) => assert_eq!(text(said, "customer_id"), Some(customer.as_str())),
    }
}

fn text<'a>(said: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    said.get(name).and_then(Value::as_str)
}

/// Tokens with a signature that nobody made, for each algorithm and key id, and each length of a signature.
static FORGED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut forged = Vec::new();
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        for id in [r#","kid":"k""#, r#","kid":"""#, ""] {
            let header = format!(r#"{{"alg":"{algorithm}"{id}}}"#);
            let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(CLAIMS));
            for length in [0, 64, 256] {
                let signature = URL_SAFE_NO_PAD.encode(vec![1; length]);
                forged.push(format!("Bearer {message}.{signature}"));
            }
        }
    }
    forged
});

/// A key set. Whatever keys it holds, none of them verifies a signature that nobody made.
pub fn key_set(data: &[u8]) {
    let Ok(keys) = serde_json::from_slice::<KeySet>(data) else { return };
    // A set without a key refuses every token, which the target `token` shows.
    if keys.is_empty() {
        return;
    }
    let verifier = verifier(keys);
    for forged in FORGED.iter() {
        assert_eq!(claims(&verifier, forged), None);
    }
}

/// Keys that are given are there at once.
fn claims(verifier: &TokenVerifier, authorization: &str) -> Option<Claims> {
    verifier.verify(authorization).now_or_never().unwrap().ok()
}
