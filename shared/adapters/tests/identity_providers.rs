//! Tokens and key sets in the shapes of the common identity providers, with the settings that docs/identity.md names.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::{SystemTime, UNIX_EPOCH};

use adapters::token::{ClaimNames, Claims, Jwks, KeySet, TokenConfig, TokenError, TokenVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// An RSA key of 2,048 bits, for tests alone: making one takes seconds.
const RSA: &[u8] = include_bytes!("rsa-2048.der");

/// What a provider signs with.
enum Signer {
    Rsa(RsaKeyPair),
    Elliptic(EcdsaKeyPair),
}

impl Signer {
    fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_der(RSA).unwrap())
    }

    fn elliptic() -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self::Elliptic(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap())
    }

    /// The public key as this provider publishes it.
    fn published(&self, members: &Value) -> Value {
        let mut key = match self {
            Self::Rsa(pair) => {
                let RsaPublicKeyComponents::<Vec<u8>> { n, e } = pair.public_key().into();
                json!({"kty": "RSA", "n": base64(&n), "e": base64(&e)})
            }
            Self::Elliptic(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": base64(x), "y": base64(y)})
            }
        };
        key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        key
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut all = json!({"iat": now, "exp": now + 3_600});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let mut complete = json!({"typ": "JWT", "alg": self.algorithm()});
        complete.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
        let message = format!("{}.{}", base64(complete.to_string()), base64(all.to_string()));
        format!("{message}.{}", base64(self.signature(message.as_bytes())))
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Elliptic(_) => "ES256",
        }
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::Elliptic(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
        }
    }
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

async fn verdict(
    issuer: &str,
    audience: &str,
    names: ClaimNames,
    keys: Value,
    token: &str,
) -> Result<Claims, TokenError> {
    let keys = Jwks::inline(serde_json::from_value::<KeySet>(keys).unwrap());
    let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
    TokenVerifier::new(TokenConfig { issuer, audience, names, keys }).verify(&format!("Bearer {token}")).await
}

/// Tenant, scopes and customer of a token that is accepted.
fn said(claims: Result<Claims, TokenError>) -> (String, String, Option<String>) {
    let Claims { tenant, scopes, customer, .. } = claims.unwrap();
    let scope = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    (tenant.as_str().to_owned(), scope, customer.map(|customer| customer.as_str().to_owned()))
}

fn storefront(scope: &str) -> (String, String, Option<String>) {
    ("acme".to_owned(), scope.to_owned(), None)
}

#[tokio::test]
async fn an_access_token_of_amazon_cognito() {
    let (rsa, issuer) = (Signer::rsa(), "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf");
    let other = Signer::rsa().published(&json!({"kid": "other=", "alg": "RS256", "use": "sig"}));
    let keys = json!({"keys": [other, rsa.published(&json!({"kid": "1234example=", "alg": "RS256", "use": "sig"}))]});
    let claims = json!({
        "iss": issuer, "sub": "aaaa-bbbb", "client_id": "xxxxxxxxexample", "token_use": "access", "version": 2,
        "scope": "https://api.shop.example/orders:read https://api.shop.example/orders:write aws.cognito.signin.user.admin",
        "jti": "j", "origin_jti": "o", "auth_time": 1, "cognito:groups": ["g"], "tenant": "acme",
    });
    let token = rsa.sign(&json!({"kid": "1234example="}), &claims);
    let names = ClaimNames {
        audience: "client_id".to_owned(),
        scope_prefix: "https://api.shop.example/".to_owned(),
        ..ClaimNames::default()
    };
    let accepted = verdict(issuer, "xxxxxxxxexample", names.clone(), keys.clone(), &token).await;
    assert_eq!(said(accepted), storefront("orders:read orders:write"));
    let other_client = verdict(issuer, "another", names, keys, &token).await;
    assert!(matches!(other_client, Err(TokenError::Claim(claim)) if claim == "client_id"));
}

#[tokio::test]
async fn an_access_token_of_auth0() {
    let (rsa, issuer) = (Signer::rsa(), "https://shop.eu.auth0.com/");
    let published =
        json!({"kid": "k1", "alg": "RS256", "use": "sig", "x5t": "dGh1bWI", "x5c": ["MIIDBTCCAe2gAwIBAgIJ"]});
    let keys = json!({"keys": [rsa.published(&published)]});
    let claims = json!({
        "iss": issuer, "sub": "client@clients", "aud": ["https://orders.shop.example", "https://shop.eu.auth0.com/userinfo"],
        "azp": "client", "gty": "client-credentials", "scope": "orders:read orders:admin", "https://shop.example/tenant": "acme",
    });
    let names = ClaimNames { tenant: "https://shop.example/tenant".to_owned(), ..ClaimNames::default() };
    let token = rsa.sign(&json!({"kid": "k1"}), &claims);
    let accepted = verdict(issuer, "https://orders.shop.example", names, keys, &token).await;
    assert_eq!(said(accepted), storefront("orders:read orders:admin"));
}

#[tokio::test]
async fn an_access_token_of_okta() {
    let (rsa, issuer) = (Signer::rsa(), "https://shop.okta.com/oauth2/default");
    let keys = json!({"keys": [rsa.published(&json!({"kid": "okta", "alg": "RS256", "use": "sig"}))]});
    let claims = json!({
        "ver": 1, "jti": "AT.x", "iss": issuer, "aud": "api://default", "cid": "0oa", "sub": "0oa",
        "scp": ["orders:read", "orders:write"], "tenant": "acme", "customer": "cust-7",
    });
    let names = ClaimNames { scope: "scp".to_owned(), customer: "customer".to_owned(), ..ClaimNames::default() };
    let token = rsa.sign(&json!({"kid": "okta"}), &claims);
    let (tenant, scope, customer) = said(verdict(issuer, "api://default", names, keys, &token).await);
    assert_eq!(
        (tenant.as_str(), scope.as_str(), customer.as_deref()),
        ("acme", "orders:read orders:write", Some("cust-7"))
    );
}

#[tokio::test]
async fn an_access_token_of_microsoft_entra_id() {
    let (rsa, issuer) = (Signer::rsa(), "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    // Entra ID publishes no `alg`, and the issuer of each key.
    let keys = json!({"keys": [
        rsa.published(&json!({"kid": "entra", "use": "sig", "x5t": "entra", "x5c": ["MIID"], "issuer": issuer})),
    ]});
    let claims = json!({
        "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "iss": issuer, "azp": "a", "oid": "o", "sub": "o",
        "tid": "9188040d", "ver": "2.0", "roles": ["orders:read", "orders:write"], "extension_tenant": "acme",
    });
    let names =
        ClaimNames { tenant: "extension_tenant".to_owned(), scope: "roles".to_owned(), ..ClaimNames::default() };
    let token = rsa.sign(&json!({"kid": "entra", "x5t": "entra"}), &claims);
    let accepted = verdict(issuer, "6e74172b-be56-4843-9ff4-e66a39bb12e3", names, keys, &token).await;
    assert_eq!(said(accepted), storefront("orders:read orders:write"));
}

#[tokio::test]
async fn an_access_token_of_keycloak() {
    let (elliptic, issuer) = (Signer::elliptic(), "https://id.shop.example/realms/shop");
    let encryption = Signer::rsa().published(&json!({"kid": "enc", "alg": "RSA-OAEP", "use": "enc", "x5c": ["MIIC"]}));
    let signing = elliptic.published(&json!({"kid": "sig", "alg": "ES256", "use": "sig"}));
    let keys = json!({"keys": [encryption, signing]});
    let claims = json!({
        "iss": issuer, "aud": ["orders", "account"], "sub": "f:1:shop", "typ": "Bearer", "azp": "shop", "acr": "1",
        "realm_access": {"roles": ["offline_access"]}, "scope": "email orders:read profile", "tenant": "acme",
    });
    let token = elliptic.sign(&json!({"kid": "sig"}), &claims);
    let accepted = verdict(issuer, "orders", ClaimNames::default(), keys, &token).await;
    assert_eq!(said(accepted), storefront("orders:read"));
}

/// A token of the plainest kind, changed; the name of the rule that it breaks.
async fn refusal(header: Value, claims: Value) -> String {
    let elliptic = Signer::elliptic();
    let keys = json!({"keys": [elliptic.published(&json!({"kid": "k"}))]});
    let mut all =
        json!({"iss": "https://id.example", "aud": "orders", "sub": "shop", "tenant": "acme", "scope": "orders:read"});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let mut named = json!({"kid": "k"});
    named.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    let token = elliptic.sign(&named, &all);
    match verdict("https://id.example", "orders", ClaimNames::default(), keys, &token).await {
        Ok(_) => "accepted".to_owned(),
        Err(TokenError::Claim(name)) => name,
        Err(TokenError::Extension) => "crit".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    assert_eq!(refusal(json!({}), json!({})).await, "accepted");
    assert_eq!(refusal(json!({"crit": ["exp"]}), json!({})).await, "crit");
    assert_eq!(refusal(json!({"crit": []}), json!({})).await, "crit");
    for (claim, values) in [
        ("iss", vec![json!(["https://id.example"]), json!("https://id.example/"), Value::Null]),
        ("aud", vec![json!("other"), json!(["other"]), json!([]), json!({"0": "orders"}), Value::Null]),
        ("tenant", vec![json!(""), json!("a#b"), json!("a/b"), json!(["acme"]), json!(7), Value::Null]),
        ("customer_id", vec![json!(""), json!(["cust-1"]), json!(1), json!("a b"), json!(false), Value::Null]),
        ("scope", vec![json!(1), json!(["orders:read", 1]), json!({}), Value::Null]),
    ] {
        for value in values {
            assert_eq!(refusal(json!({}), json!({claim: value})).await, claim, "{claim}: {value}");
        }
    }
}

#[tokio::test]
async fn a_token_signed_with_another_algorithm_than_its_keys_is_refused() {
    let (rsa, elliptic) = (Signer::rsa(), Signer::elliptic());
    let keys = json!({"keys": [rsa.published(&json!({"kid": "k"}))]});
    let claims =
        json!({"iss": "https://id.example", "aud": "orders", "sub": "shop", "tenant": "acme", "scope": "orders:read"});
    let token = elliptic.sign(&json!({"kid": "k"}), &claims);
    let outcome = verdict("https://id.example", "orders", ClaimNames::default(), keys, &token).await;
    assert!(matches!(outcome, Err(TokenError::Algorithm)));
}

/// The verdict on a token of this algorithm, under a key set that holds this one key.
async fn verdict_under(key: Value, algorithm: &str, signer: &Signer) -> Result<Claims, TokenError> {
    let claims =
        json!({"iss": "https://id.example", "aud": "orders", "sub": "shop", "tenant": "acme", "scope": "orders:read"});
    let token = signer.sign(&json!({"kid": "k", "alg": algorithm}), &claims);
    verdict("https://id.example", "orders", ClaimNames::default(), json!({"keys": [key]}), &token).await
}

#[tokio::test]
async fn a_published_key_that_is_no_key_accepts_nothing() {
    let small = json!({"kty": "RSA", "kid": "k", "n": base64([0xc3; 128]), "e": "AQAB"});
    for (key, algorithm, signer) in [
        (json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "AA"}), "EdDSA", Signer::elliptic()),
        (json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": ""}), "EdDSA", Signer::elliptic()),
        (json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": "AA", "y": "AA"}), "ES256", Signer::elliptic()),
        (json!({"kty": "RSA", "kid": "k", "n": "", "e": ""}), "RS256", Signer::rsa()),
        (json!({"kty": "RSA", "kid": "k", "n": "AAAA", "e": "AA"}), "RS256", Signer::rsa()),
        (small, "RS256", Signer::rsa()),
    ] {
        let outcome = verdict_under(key.clone(), algorithm, &signer).await;
        assert!(matches!(outcome, Err(TokenError::Signature)), "{key}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_modulus_after_a_zero_byte_is_the_same_key() {
    let rsa = Signer::rsa();
    let mut key = rsa.published(&json!({"kid": "k"}));
    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    key["n"] = base64([&[0], modulus.as_slice()].concat()).into();
    assert!(verdict_under(key, "RS256", &rsa).await.is_ok());
}
