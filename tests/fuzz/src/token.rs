//! What a bearer and an identity provider send.

use adapters::testing::TestIssuer;
use adapters::token::{ClaimNames, Claims, Jwks, KeySet, TokenConfig, TokenVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use serde_json::Value;

/// An `Authorization` header, the parts of a token, and claims that the issuer signed. Only the last can be accepted, and
/// says then what was signed.
pub fn token(data: &[u8]) {
    let verifier = TestIssuer::verifier();
    let text = String::from_utf8_lossy(data);
    assert_eq!(claims(&verifier, &text), None);
    assert_eq!(claims(&verifier, &format!("Bearer {text}")), None);
    let mut parts = data.split(|byte| *byte == b'\n').map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut part = || parts.next().unwrap_or_default();
    assert_eq!(claims(&verifier, &format!("Bearer {}.{}.{}", part(), part(), part())), None);

    let Ok(said) = serde_json::from_slice::<Value>(data) else { return };
    if !said.is_object() {
        return;
    }
    if let Some(claims) = claims(&verifier, &format!("Bearer {}", TestIssuer::token(&said))) {
        let named = |name: &str| said.get(name).and_then(Value::as_str);
        assert_eq!(named("tenant"), Some(claims.tenant.as_str()));
        assert_eq!(named("sub"), Some(claims.subject.as_str()));
        assert_eq!(named("customer_id"), claims.customer.as_ref().map(|customer| customer.as_str()));
    }
}

/// A key set. Whatever keys it holds, none of them verifies a signature that nobody made.
pub fn key_set(data: &[u8]) {
    let Ok(keys) = serde_json::from_slice::<KeySet>(data) else { return };
    let verifier = TokenVerifier::new(TokenConfig {
        issuer: "https://issuer.example".to_owned(),
        audience: "orders".to_owned(),
        names: ClaimNames::default(),
        keys: Jwks::inline(keys),
    });
    let said = r#"{"iss":"https://issuer.example","aud":"orders","sub":"s","tenant":"t","scope":"orders:read","exp":4102444800}"#;
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        for id in [r#","kid":"k""#, r#","kid":"""#, ""] {
            let header = format!(r#"{{"alg":"{algorithm}"{id}}}"#);
            let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(said));
            for length in [0, 64, 256] {
                let signature = URL_SAFE_NO_PAD.encode(vec![1; length]);
                assert_eq!(claims(&verifier, &format!("Bearer {message}.{signature}")), None);
            }
        }
    }
}

/// Keys that are given are there at once.
fn claims(verifier: &TokenVerifier, authorization: &str) -> Option<Claims> {
    verifier.verify(authorization).now_or_never().unwrap().ok()
}
