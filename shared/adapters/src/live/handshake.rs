//! Where a handshake carries its token: programs send the header `Authorization`, as on HTTP. A page cannot, so it offers two
//! subprotocols: `orders.v1`, and `bearer.` with the token after it. A query string would stand in logs and histories.

use std::collections::HashMap;

/// The subprotocol of this service (RFC 6455 §1.9), the only one that it answers with.
pub const SUBPROTOCOL: &str = "orders.v1";

/// What precedes the token of a page.
const BEARER: &str = "bearer.";

/// The value that an `Authorization` header has, or would have.
#[must_use]
pub fn authorization(headers: &HashMap<String, String>) -> Option<String> {
    header(headers, "authorization").map(ToOwned::to_owned).or_else(|| {
        let token = offered(headers).find_map(|offer| offer.strip_prefix(BEARER))?;
        Some(format!("Bearer {token}"))
    })
}

/// Whether the client offers [`SUBPROTOCOL`].
pub(super) fn offers_subprotocol(headers: &HashMap<String, String>) -> bool {
    offered(headers).any(|offer| offer == SUBPROTOCOL)
}

fn offered(headers: &HashMap<String, String>) -> impl Iterator<Item = &str> {
    header(headers, "sec-websocket-protocol").unwrap_or_default().split(',').map(str::trim)
}

fn header<'a>(headers: &'a HashMap<String, String>, name: &str) -> Option<&'a str> {
    headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&str, &str)]) -> Option<String> {
        authorization(&headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn programs_send_a_header_and_pages_a_subprotocol() {
        assert_eq!(of(&[("Authorization", "Bearer a.b.c")]).as_deref(), Some("Bearer a.b.c"));
        assert_eq!(of(&[("Sec-WebSocket-Protocol", "orders.v1, bearer.a.b.c")]).as_deref(), Some("Bearer a.b.c"));
        assert_eq!(of(&[("sec-websocket-protocol", "bearer.a.b.c,orders.v1")]).as_deref(), Some("Bearer a.b.c"));
        for without in [&[][..], &[("sec-websocket-protocol", "orders.v1")], &[("cookie", "bearer.a.b.c")]] {
            assert_eq!(of(without), None);
        }
    }
}
