//! Tokens with a genuine signature and claims that break a rule.

use serde_json::{Value, json};

use crate::issuer::now;
use crate::{Hostile, Issuer, MARKER, Rule};

/// One token for each value of a claim; `None`: without the claim.
fn each(issuer: &Issuer, claim: &'static str, rule: Rule, values: Vec<Option<Value>>) -> Vec<Hostile> {
    let of = |value: Option<Value>| {
        let shown = value.as_ref().map_or_else(|| "missing".to_owned(), ToString::to_string);
        let what: String = format!("{claim} {shown}").chars().take(80).collect();
        Hostile::new(what, &issuer.token_with(claim, value), rule)
    };
    values.into_iter().map(of).collect()
}

fn some(values: impl IntoIterator<Item = Value>) -> Vec<Option<Value>> {
    values.into_iter().map(Some).collect()
}

/// Of another issuer, or for another audience.
pub(crate) fn origin(issuer: &Issuer) -> Vec<Hostile> {
    let (url, audience) = (&issuer.url, &issuer.audience);
    let issuers = [
        json!("https://evil.example"),
        json!(format!("{url}/")),
        json!(format!("{url}.evil.example")),
        json!(format!("{url}\0")),
        json!(url.to_uppercase()),
        json!(""),
        json!([url]),
        json!([url, "https://evil.example"]),
        json!({"iss": url}),
        json!(1),
        Value::Null,
    ];
    let audiences = [
        json!(MARKER),
        json!(audience.to_uppercase()),
        json!(format!("{audience} ")),
        json!(format!("{audience} other")),
        json!(""),
        json!([]),
        json!(["other"]),
        json!([[audience]]),
        json!({"0": audience}),
        json!(1),
        Value::Null,
    ];
    let issuers = [some(issuers), vec![None]].concat();
    let audiences = [some(audiences), vec![None]].concat();
    [each(issuer, "iss", Rule::Claim("iss"), issuers), each(issuer, "aud", Rule::Claim("aud"), audiences)].concat()
}

/// Expired, not valid yet, or with times that are no whole numbers of seconds.
pub(crate) fn times(issuer: &Issuer) -> Vec<Hostile> {
    let later = now() + 3_600;
    let expired = [json!(0), json!(1), json!(now() - 31), json!(now() - 86_400)];
    let mut tokens = each(issuer, "exp", Rule::Expiry, some(expired));
    tokens.extend(each(issuer, "exp", Rule::Claim("exp"), vec![None]));
    for claim in ["exp", "nbf", "iat"] {
        let wrong = [
            json!(now().to_string()),
            json!("2099-01-01T00:00:00Z"),
            json!(-1),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(later * 1_000),
            json!([later]),
            json!({"exp": later}),
            json!(true),
            Value::Null,
        ];
        tokens.extend(each(issuer, claim, Rule::Claim(claim), some(wrong)));
        for (text, rule) in [
            (format!("{later}.5"), Rule::Claim(claim)),
            (format!("{later}.0"), Rule::Claim(claim)),
            ("4e9".to_owned(), Rule::Claim(claim)),
            ("1e300".to_owned(), Rule::Claim(claim)),
            ("9".repeat(40), Rule::Claim(claim)),
            ("1e999".to_owned(), Rule::Form),
            ("NaN".to_owned(), Rule::Form),
            ("Infinity".to_owned(), Rule::Form),
            ("0x7fffffff".to_owned(), Rule::Form),
        ] {
            tokens.push(Hostile::new(format!("{claim} {text}"), &issuer.token_with_text(claim, &text), rule));
        }
    }
    for claim in ["nbf", "iat"] {
        tokens.extend(each(issuer, claim, Rule::Claim(claim), some([json!(now() + 300), json!(later)])));
    }
    tokens
}

/// Of nobody, of no storefront, or of something that only looks like one.
pub(crate) fn bearer(issuer: &Issuer) -> Vec<Hostile> {
    let wrong = || vec![json!(""), json!(7), json!(true), json!(["demo"]), json!({"id": "demo"}), Value::Null];
    let identifiers = || {
        let texts = [
            "#",
            "a#b",
            "demo#",
            "a/b",
            "../demo",
            "..",
            ".",
            " demo",
            "demo ",
            "de mo",
            "demo\n",
            "demo\0",
            "dem%6f",
            "tenänt",
            "dеmo",
            "demo*",
            "demo,other",
            "\u{feff}demo",
            "{\"a\":1}",
        ];
        let texts = texts.map(|text| json!(text));
        [wrong(), texts.to_vec(), vec![json!("t".repeat(65)), json!("t".repeat(10_000))]].concat()
    };
    let subjects = [wrong(), vec![json!("a\nb"), json!("a\0b"), json!("s".repeat(256)), json!("s".repeat(10_000))]];
    [
        each(issuer, "tenant", Rule::Claim("tenant"), [some(identifiers()), vec![None]].concat()),
        // Without the claim the bearer is not confined; with a claim that cannot be read nobody knows to whom.
        each(issuer, "customer_id", Rule::Claim("customer_id"), some(identifiers())),
        each(issuer, "sub", Rule::Claim("sub"), [some(subjects.concat()), vec![None]].concat()),
    ]
    .concat()
}

/// Without a scope of this service, or with something that only looks like one.
pub(crate) fn scopes(issuer: &Issuer) -> Vec<Hostile> {
    let none = [
        json!(""),
        json!("Orders:Read"),
        json!("ORDERS:READ ORDERS:WRITE"),
        json!("orders:Read"),
        json!("orders"),
        json!("orders:"),
        json!("orders:*"),
        json!("*"),
        json!("admin"),
        json!("orders:read,orders:write"),
        json!("orders:read\torders:write"),
        json!("orders:read\norders:write"),
        json!("orders:read\u{a0}orders:write"),
        json!("orders:readorders:write"),
        json!("\"orders:read\""),
        json!([]),
        json!(["Orders:Read"]),
        json!(["orders:read orders:write"]),
        json!(MARKER),
    ];
    let unreadable =
        [json!(1), json!(true), json!({}), Value::Null, json!(["orders:read", 1]), json!([["orders:read"]])];
    [
        each(issuer, "scope", Rule::Scope, [some(none), vec![None]].concat()),
        each(issuer, "scope", Rule::Claim("scope"), some(unreadable)),
    ]
    .concat()
}

/// The same member twice: which one counts depends on who reads.
pub(crate) fn repeated(issuer: &Issuer) -> Vec<Hostile> {
    let (header, claims) = (issuer.header().to_string(), issuer.claims().to_string());
    let twice = |object: &str, member: &str| [format!("{{{member},"), object.replacen('{', "", 1)].concat();
    let thrice = |object: &str, member: &str| format!("{},{member}}}", object.trim_end_matches('}'));
    let mut tokens = Vec::new();
    for member in [
        r#""iss":"https://evil.example""#,
        r#""aud":"other""#,
        r#""exp":1"#,
        r#""iat":1"#,
        r#""sub":"other""#,
        r#""tenant":"t-victim""#,
        r#""tenant":"t-hostile""#,
        r#""ten\u0061nt":"t-victim""#,
        r#""scope":"orders:admin""#,
    ] {
        for payload in [twice(&claims, member), thrice(&claims, member)] {
            let token = issuer.sign(&header, payload);
            tokens.push(Hostile::new(format!("another {member} in the claims"), &token, Rule::Form));
        }
    }
    for member in [r#""alg":"none""#, r#""alg":"HS256""#, r#""kid":"other""#] {
        for header in [twice(&header, member), thrice(&header, member)] {
            let token = issuer.sign(header, &claims);
            tokens.push(Hostile::new(format!("another {member} in the header"), &token, Rule::Form));
        }
    }
    tokens
}
