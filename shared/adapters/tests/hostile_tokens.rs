//! Every hostile token is refused for the rule that it breaks; tests/suites sends the same table to every route.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use adapters::token::{ClaimNames, Jwks, KeySet, TokenConfig, TokenError, TokenVerifier};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hostile_tokens::{Issuer, MARKER, Rule, table};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};

/// An RSA key of 2,048 bits, for tests alone: making one takes seconds.
const RSA: &[u8] = include_bytes!("rsa-2048.der");

fn issuer() -> Issuer {
    Issuer::new(&[42; 32], "https://issuer.example", "orders", "own")
}

fn verifier(issuer: &Issuer, keys: &[Value]) -> TokenVerifier {
    let keys: KeySet = serde_json::from_value(json!({"keys": keys})).unwrap();
    TokenVerifier::new(TokenConfig {
        issuer: issuer.url.clone(),
        audience: issuer.audience.clone(),
        names: ClaimNames::default(),
        keys: Jwks::inline(keys),
    })
}

fn rsa() -> Value {
    let RsaPublicKeyComponents::<Vec<u8>> { n, e } = RsaKeyPair::from_der(RSA).unwrap().public_key().into();
    json!({"kty": "RSA", "kid": "rsa", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e)})
}

fn elliptic() -> Value {
    let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let key = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(kind, key.as_ref(), &random).unwrap();
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    json!({
        "kty": "EC", "crv": "P-256", "kid": "elliptic", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    })
}

fn broken(error: &TokenError) -> Rule {
    const CLAIMS: [&str; 9] = ["iss", "aud", "exp", "nbf", "iat", "sub", "tenant", "scope", "customer_id"];
    match error {
        TokenError::NotBearer => Rule::Bearer,
        TokenError::Malformed => Rule::Form,
        TokenError::Extension => Rule::Extension,
        TokenError::Algorithm => Rule::Algorithm,
        TokenError::UnknownKey => Rule::Key,
        TokenError::Signature => Rule::Signature,
        TokenError::Expired => Rule::Expiry,
        TokenError::Claim(name) => Rule::Claim(CLAIMS.into_iter().find(|claim| claim == name).unwrap()),
        TokenError::NoScope => Rule::Scope,
    }
}

#[tokio::test]
async fn every_hostile_token_is_refused_for_the_rule_that_it_breaks() {
    let (issuer, others) = (issuer(), [rsa(), elliptic()]);
    let table = table(&issuer);
    assert!(table.len() >= 80, "{}", table.len());
    let mut wrong = Vec::new();
    for keys in [vec![issuer.published()], [others.to_vec(), vec![issuer.published()]].concat()] {
        let verifier = verifier(&issuer, &keys);
        for token in &table {
            match verifier.verify(&token.authorization).await.map_err(|error| broken(&error)) {
                Err(rule) if rule == token.rule => {}
                other => wrong.push(format!("{}: {other:?} instead of {:?}", token.what, token.rule)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.len() * 2, wrong.join("\n"));
}

#[tokio::test]
async fn the_token_that_they_are_made_of_is_accepted() {
    let issuer = issuer();
    let verifier = verifier(&issuer, &[rsa(), issuer.published()]);
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
        let claims = verifier.verify(&format!("{scheme} {}", issuer.valid_token())).await.unwrap();
        assert_eq!((claims.tenant.as_str(), claims.subject.as_str()), ("t-hostile", "hostile"));
    }
}

#[tokio::test]
async fn what_cannot_even_stand_in_a_header_is_refused() {
    let issuer = issuer();
    let (verifier, token) = (verifier(&issuer, &[issuer.published()]), issuer.valid_token());
    for header in ["", " ", "\0", "Bearer \0", &format!("Bearer {token}\n"), &format!("Bearer\u{a0}{token}"), "🔑 🔑"]
    {
        assert!(verifier.verify(header).await.is_err(), "{header:?}");
    }
}

/// The public key of an RSA or an elliptic pair must not become a shared secret either.
#[tokio::test]
async fn no_public_key_is_a_shared_secret() {
    let issuer = issuer();
    let (rsa, elliptic) = (rsa(), elliptic());
    let verifier = verifier(&issuer, &[rsa.clone(), elliptic.clone()]);
    let pkcs1 = RsaKeyPair::from_der(RSA).unwrap().public_key().as_ref().to_vec();
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", STANDARD.encode(&pkcs1));
    let point = ["x", "y"].map(|axis| URL_SAFE_NO_PAD.decode(elliptic[axis].as_str().unwrap()).unwrap()).concat();
    let modulus = rsa["n"].as_str().unwrap();
    for (id, secret) in [
        ("rsa", pem.into_bytes()),
        ("rsa", pkcs1),
        ("rsa", rsa.to_string().into_bytes()),
        ("rsa", URL_SAFE_NO_PAD.decode(modulus).unwrap()),
        ("rsa", modulus.as_bytes().to_vec()),
        ("elliptic", elliptic.to_string().into_bytes()),
        ("elliptic", [&[4], point.as_slice()].concat()),
        ("elliptic", point),
    ] {
        let claims = issuer.valid_token().split('.').nth(1).unwrap().to_owned();
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "kid": id}).to_string());
        let message = format!("{header}.{claims}");
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        let header = format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(verifier.verify(&header).await.unwrap_err(), TokenError::Algorithm, "{id}");
    }
}

/// A key of 1,024 bits, which can be broken, and a token that was signed with it (RFC 7518 §3.3).
#[tokio::test]
async fn a_short_key_verifies_nothing() {
    const MODULUS: &str = "o3-p3kYf5Wht7ColnA2PWE2ivqQqaw4cDT1kSJJbX4CEaFZpKFKvOCSalWtX5BPaCJrSbeXIKyGAXITKiXulV1DA9Kr1X33mzQwk7haV_R16OF0PPYRdsrcdUqwp8HwfIhPWDM8OHne1xo5Fc76GzfISi27eakfCnNwsINpJ1qs";
    const SIGNATURE: &str = "TsdPYRGh-KCq9gi7fkDXP-PlBSMNLSKSdSLV8ePjzLLM-AJImOcADsr76ra-NNOg6YJ1Cu_jQmUiYOWyqvyBYRI4mfe6BO_uSLOeCSOt6yeG9DFHxU5-r2CzsKwxprg3gUOfBtMKQr9fI9dNuuuI34zGZsamefZL26qQCfmyqnI";
    let message = [
        r#"{"alg":"RS256","kid":"short"}"#,
        r#"{"iss":"https://issuer.example","aud":"orders","sub":"s","tenant":"t","scope":"orders:read","exp":4102444800}"#,
    ]
    .map(|part| URL_SAFE_NO_PAD.encode(part))
    .join(".");
    let verifier = verifier(&issuer(), &[json!({"kty": "RSA", "kid": "short", "n": MODULUS, "e": "AQAB"})]);
    let refused = verifier.verify(&format!("Bearer {message}.{SIGNATURE}")).await;
    assert_eq!(refused.unwrap_err(), TokenError::Signature);
}

/// Signatures that a careless implementation of ECDSA accepts for every message (CVE-2022-21449).
#[tokio::test]
async fn no_empty_signature_is_one_of_an_elliptic_key() {
    let issuer = issuer();
    let verifier = verifier(&issuer, &[elliptic()]);
    let claims = issuer.valid_token().split('.').nth(1).unwrap().to_owned();
    let message =
        format!("{}.{claims}", URL_SAFE_NO_PAD.encode(json!({"alg": "ES256", "kid": "elliptic"}).to_string()));
    for signature in [vec![0; 64], vec![0xff; 64], vec![0; 1], [vec![0; 63], vec![1]].concat(), vec![0x30, 0]] {
        let header = format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(&signature));
        assert_eq!(verifier.verify(&header).await.unwrap_err(), TokenError::Signature, "{signature:?}");
    }
}

#[tokio::test]
async fn no_refusal_repeats_what_the_token_says() {
    let issuer = issuer();
    let verifier = verifier(&issuer, &[issuer.published()]);
    for token in table(&issuer) {
        let error = verifier.verify(&token.authorization).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(MARKER), "{}: {error:?}", token.what);
    }
}
