//! Tokens that are damaged, written otherwise, or no tokens at all.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::{Hostile, Issuer, MARKER, Rule};

/// A genuine signature of something that is no set of claims.
pub(crate) fn payloads(issuer: &Issuer) -> Vec<Hostile> {
    let claims = issuer.claims().to_string();
    let header = issuer.header().to_string();
    let payloads: [(&str, Vec<u8>); 14] = [
        ("nothing", Vec::new()),
        ("null", b"null".to_vec()),
        ("a number", b"1".to_vec()),
        ("a string", b"\"claims\"".to_vec()),
        ("a list of claims", format!("[{claims}]").into_bytes()),
        ("half of them", claims.as_bytes().iter().copied().take(claims.len() / 2).collect()),
        ("claims twice", format!("{claims}{claims}").into_bytes()),
        ("claims and more", format!("{claims} {MARKER}").into_bytes()),
        ("a byte order mark before them", format!("\u{feff}{claims}").into_bytes()),
        ("a NUL after them", format!("{claims}\0").into_bytes()),
        ("a control character in a text", claims.replace("t-hostile", "t\u{1}").into_bytes()),
        ("Latin-1", claims.bytes().map(|byte| if byte == b'h' { 0xe4 } else { byte }).collect()),
        ("a comment in them", claims.replacen('{', "{/**/", 1).into_bytes()),
        ("a bomb of lists", "[".repeat(4_000).into_bytes()),
    ];
    let signed = payloads.iter().map(|(what, payload)| {
        Hostile::new(format!("{what} for a payload"), &issuer.sign(&header, payload), Rule::Form)
    });
    let headers: [(&str, &[u8]); 5] = [
        ("nothing", b""),
        ("a list", b"[]"),
        ("a string", b"\"EdDSA\""),
        ("half of it", b"{\"alg\":"),
        ("0xff", b"\xff"),
    ];
    let of = |(what, header): &(&str, &[u8])| {
        Hostile::new(format!("{what} for a header"), &issuer.sign(header, &claims), Rule::Form)
    };
    signed.chain(headers.iter().map(of)).collect()
}

/// A genuine token, damaged.
pub(crate) fn tokens(issuer: &Issuer) -> Vec<Hostile> {
    let token = issuer.valid_token();
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let (header, payload) = message.split_once('.').expect("a payload");
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let other = issuer.token_with("sub", Some("other".into()));
    let (_, signature_of_other) = other.rsplit_once('.').expect("a signature");
    let (form, wrong) = (Rule::Form, Rule::Signature);
    [
        ("no signature", message.to_owned(), form),
        ("an empty signature", format!("{message}."), form),
        ("a truncated signature", format!("{message}.{}", &signature[..40]), wrong),
        ("a signature cut by one character", token[..token.len() - 1].to_owned(), form),
        ("half of it", token[..token.len() / 2].to_owned(), form),
        ("a longer signature", format!("{message}.{}", URL_SAFE_NO_PAD.encode([&bytes[..], b"x"].concat())), wrong),
        ("a signature of zeros", format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64])), wrong),
        ("a flipped signature", format!("{message}.{}", flipped(&bytes)), wrong),
        ("another token's signature", format!("{message}.{signature_of_other}"), wrong),
        ("other bits at the end of the signature", format!("{message}.{}", with_loose_bits(signature)), form),
        ("a padded signature", format!("{message}.{}", URL_SAFE.encode(&bytes)), form),
        ("a padded header", format!("{header}=.{payload}.{signature}"), form),
        ("a padded payload", format!("{header}.{payload}==.{signature}"), wrong),
        ("a signature in standard base64", format!("{message}.{}", standard(&bytes)), form),
        ("a signature in hexadecimal", format!("{message}.{}", hexadecimal(&bytes)), wrong),
        ("a dot before it", format!(".{token}"), form),
        ("a dot behind it", format!("{token}."), form),
        ("a dot in the middle", format!("{header}..{payload}.{signature}"), form),
        ("four parts", format!("{token}.{signature}"), form),
        ("five parts, as an encrypted token", format!("{token}.{signature}.{signature}"), form),
        ("header and signature", format!("{header}.{signature}"), form),
        ("one part", header.to_owned(), form),
        ("dots", "..".to_owned(), form),
        ("a dot", ".".to_owned(), form),
        ("the payload first", format!("{payload}.{header}.{signature}"), Rule::Key),
        ("a space in it", format!("{header}. {payload}.{signature}"), wrong),
        ("a tab in it", format!("{header}.{payload}.\t{signature}"), form),
        ("characters beyond ASCII", format!("{header}.{payload}.ä{signature}"), form),
        ("percent-encoding", token.replace('.', "%2E"), form),
        ("a word", MARKER.to_owned(), form),
    ]
    .into_iter()
    .map(|(what, token, rule)| Hostile::new(what, &token, rule))
    .collect()
}

fn flipped(signature: &[u8]) -> String {
    let flip = |(place, byte): (usize, &u8)| if place == 3 { byte ^ 1 } else { *byte };
    URL_SAFE_NO_PAD.encode(signature.iter().enumerate().map(flip).collect::<Vec<u8>>())
}

/// The same bytes, with bits behind the last that a careless decoder drops: 64 bytes leave four of them.
fn with_loose_bits(signature: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (kept, last) = signature.split_at(signature.len() - 1);
    let place = alphabet.find(last).expect("a character of base64url");
    let next = alphabet.chars().nth(place | 1).expect("a character of base64url");
    format!("{kept}{next}")
}

fn standard(signature: &[u8]) -> String {
    // A signature without a character that differs is made to have one: it is refused for its form all the same.
    let text = STANDARD.encode(signature);
    if text.contains(['+', '/']) { text } else { text.replacen(|_: char| true, "+", 1) }
}

fn hexadecimal(signature: &[u8]) -> String {
    signature.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A genuine token that is not shown as a bearer token.
pub(crate) fn schemes(issuer: &Issuer) -> Vec<Hostile> {
    let token = issuer.valid_token();
    let headers = [
        (token.clone(), Rule::Bearer),
        ("Bearer".to_owned(), Rule::Bearer),
        (format!("Bearer{token}"), Rule::Bearer),
        (format!("Bearer:{token}"), Rule::Bearer),
        (format!("Bearer\t{token}"), Rule::Bearer),
        (format!("Basic {token}"), Rule::Bearer),
        (format!("Token {token}"), Rule::Bearer),
        (format!("JWT {token}"), Rule::Bearer),
        (format!("DPoP {token}"), Rule::Bearer),
        (format!("Negotiate {token}"), Rule::Bearer),
        (format!("AWS4-HMAC-SHA256 Credential={MARKER}, SignedHeaders=host, Signature=0"), Rule::Bearer),
        (format!("Bearer Bearer {token}"), Rule::Form),
        (format!("Bearer \"{token}\""), Rule::Form),
        (format!("Bearer token=\"{token}\""), Rule::Form),
        (format!("Bearer {token} {token}"), Rule::Form),
        (format!("Bearer {token}, Bearer {token}"), Rule::Form),
        (format!("Bearer {token},{token}"), Rule::Form),
        (format!("Bearer {token};"), Rule::Form),
    ];
    let of = |(authorization, rule): (String, Rule)| {
        let what = format!("the header `{}`", authorization.replace(&token, "<token>"));
        Hostile { what, authorization, rule }
    };
    headers.into_iter().map(of).collect()
}
