//! Tokens whose header lies about the algorithm.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value, json};

use crate::issuer::unsigned as message_of;
use crate::{Hostile, Issuer, MARKER, Rule};

/// `none` in every spelling, with no signature and with a genuine one.
pub(crate) fn unsigned(issuer: &Issuer) -> Vec<Hostile> {
    let spellings = ["none", "None", "NONE", "nOnE", "none ", " none", "none\0", "null", ""];
    let of = |spelling: &&str| {
        let (header, claims) = (issuer.header_with("alg", Some(json!(spelling))), issuer.claims().to_string());
        let bare = format!("{}.", message_of(&header, &claims));
        [
            Hostile::new(format!("alg {spelling:?} and no signature"), &bare, Rule::Form),
            Hostile::new(format!("alg {spelling:?}, signed"), &issuer.sign(header, claims), Rule::Algorithm),
        ]
    };
    spellings.iter().flat_map(of).collect()
}

/// A genuine signature under the name of another algorithm, or of none that exists.
pub(crate) fn misnamed(issuer: &Issuer) -> Vec<Hostile> {
    let names = [
        "eddsa", "EDDSA", "Ed25519", "Ed448", "RS256", "RS384", "RS512", "PS256", "PS512", "ES256", "ES384", "ES512",
        "ES256K", "HS256", "dir", "RSA1_5", MARKER,
    ];
    let mut values: Vec<Option<Value>> = names.iter().map(|name| Some(json!(name))).collect();
    values.extend([None, Some(Value::Null), Some(json!(0)), Some(json!(true)), Some(json!(["EdDSA"]))]);
    values.push(Some(json!({"alg": "EdDSA"})));
    let of = |alg: Option<Value>| {
        let what = format!("alg {alg:?} for a key of EdDSA");
        Hostile::new(what, &issuer.sign(issuer.header_with("alg", alg), issuer.claims().to_string()), Rule::Algorithm)
    };
    values.into_iter().map(of).collect()
}

/// Signed with a shared secret that everybody knows: the public key in each of its forms.
pub(crate) fn symmetric(issuer: &Issuer) -> Vec<Hostile> {
    let raw = issuer.public_key().to_vec();
    // SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4).
    let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], raw.as_slice()].concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
    let secrets = [
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last line break", pem.trim_end().as_bytes().to_vec()),
        ("DER", der),
        ("the raw bytes", raw.clone()),
        ("base64url", URL_SAFE_NO_PAD.encode(&raw).into_bytes()),
        ("JWK", issuer.published().to_string().into_bytes()),
        ("key set", json!({"keys": [issuer.published()]}).to_string().into_bytes()),
        ("key id", issuer.key_id.clone().into_bytes()),
        ("nothing", Vec::new()),
    ];
    let algorithms = [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    let mut tokens = Vec::new();
    for (name, algorithm) in algorithms {
        for (form, secret) in &secrets {
            let header = issuer.header_with("alg", Some(json!(name)));
            let message = message_of(header, issuer.claims().to_string());
            let signature = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
            tokens.push(Hostile::new(format!("{name} with the public key as {form}"), &token, Rule::Algorithm));
        }
    }
    tokens
}
