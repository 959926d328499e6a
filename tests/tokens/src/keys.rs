//! Tokens that name a key of their own, or ask for more than a signature.

use serde_json::{Value, json};

use crate::{Hostile, Issuer, MARKER, Rule};

/// A genuine signature, and a `kid` that names no key of the issuer.
pub(crate) fn misnamed(issuer: &Issuer) -> Vec<Hostile> {
    let own = &issuer.key_id;
    let texts = [
        MARKER.to_owned(),
        String::new(),
        own.to_uppercase(),
        format!("{own} "),
        format!("{own}\0"),
        "*".to_owned(),
        "0".to_owned(),
        "/dev/null".to_owned(),
        format!("../../../../{own}"),
        format!("file:///{own}"),
        format!("{own}' OR '1'='1"),
        "'; DROP TABLE orders;--".to_owned(),
        format!("{own}\"}}"),
        "https://evil.example/keys".to_owned(),
        "\u{202e}lacol".to_owned(),
        "k".repeat(10_000),
    ];
    let unknown = texts.into_iter().map(|text| (Some(json!(text)), Rule::Key));
    let absent = [(None, Rule::Key)];
    let wrong = [json!(0), json!(true), Value::Null, json!([own]), json!({"kid": own})];
    let wrong = wrong.map(|value| (Some(value), Rule::Form));
    let of = |(kid, rule): (Option<Value>, Rule)| {
        let what: String = format!("kid {kid:?}").chars().take(80).collect();
        Hostile::new(what, &issuer.sign(issuer.header_with("kid", kid), issuer.claims().to_string()), rule)
    };
    unknown.chain(absent).chain(wrong).map(of).collect()
}

/// Signed by somebody else, who says where the key is to be had.
pub(crate) fn foreign(issuer: &Issuer) -> Vec<Hostile> {
    let forger = Issuer::new(&[7; 32], &issuer.url, &issuer.audience, &issuer.key_id);
    let key = forger.published();
    let url = format!("https://evil.example/{MARKER}");
    let mut tokens = vec![Hostile::new("signed by somebody else", &forger.valid_token(), Rule::Signature)];
    for (name, value) in [
        ("jku", json!(url)),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("jku", json!("http://169.254.169.254/latest/meta-data/")),
        ("x5u", json!(url)),
        ("jwk", key),
        ("x5c", json!(["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"])),
        ("x5t", json!("dGh1bWI")),
    ] {
        let what = format!("signed by somebody else, with {name} {value}");
        let token = forger.sign(issuer.header_with(name, Some(value)), issuer.claims().to_string());
        tokens.push(Hostile::new(what, &token, Rule::Signature));
    }
    tokens
}

/// Genuine, but for processing that this service does not do: not to do it would be to misread the token.
pub(crate) fn extended(issuer: &Issuer) -> Vec<Hostile> {
    let of = |(name, value): (&str, Value)| {
        let what = format!("{name} {value} in the header");
        let token = issuer.sign(issuer.header_with(name, Some(value)), issuer.claims().to_string());
        Hostile::new(what, &token, Rule::Extension)
    };
    let members = [
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!([])),
        ("crit", json!("exp")),
        ("crit", Value::Null),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ];
    members.into_iter().map(of).collect()
}
