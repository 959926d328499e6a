//! Replies that are not problems.

use domain::listing::{ListQuery, Page};
use domain::order::Order;
use domain::status::Status;
use domain::use_cases::Placed;
use lambda_http::http::header::{CONTENT_TYPE, ETAG, HeaderName, LINK, LOCATION, RETRY_AFTER};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;

use super::Cursors;
use crate::problem::{Code, Problem};
use crate::telemetry::{self, metrics};
use crate::wire::{OrderView, PageView};

/// How long a client should wait before it asks after a pending order again, in seconds.
const RETRY_PENDING_AFTER: u32 = 2;

/// A successful reply.
#[derive(Debug)]
pub struct Reply {
    response: Response<Body>,
}

impl Reply {
    /// 200 with a JSON body.
    ///
    /// # Errors
    /// [`Code::Internal`] when the value cannot be written as JSON.
    pub fn ok(value: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, value)
    }

    /// 200 with the order and its `ETag`, or 304 when the client has this version already.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn order(order: &Order, if_none_match: Option<&str>) -> Result<Self, Problem> {
        let etag = etag(order);
        if if_none_match.is_some_and(|known| matches_etag(known, &etag)) {
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(Self { response }.header(ETAG, &etag));
        }
        Ok(Self::ok(&OrderView::from(order))?.header(ETAG, &etag))
    }

    /// Says that the client was given the eventually consistent read that it preferred (RFC 7240).
    #[must_use]
    pub fn eventually_consistent(self) -> Self {
        self.header(HeaderName::from_static("preference-applied"), "consistency=eventual")
    }

    /// 201 for an order that stands, 202 for one that waits for a partner, with `Location` and `ETag`.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn placed(placed: &Placed) -> Result<Self, Problem> {
        let order = &placed.order;
        telemetry::member("order_id", order.id.to_string());
        let status = status_of(placed);
        let mut reply = Self::json(status, &OrderView::from(order))?
            .header(LOCATION, &format!("/v1/orders/{}", order.id))
            .header(ETAG, &etag(order));
        if status == StatusCode::ACCEPTED {
            reply = reply.header(RETRY_AFTER, &RETRY_PENDING_AFTER.to_string());
        }
        if placed.replayed {
            telemetry::count(&metrics::REPLAYED_KEYS, 1);
            reply = reply.header(HeaderName::from_static("idempotent-replayed"), "true");
        }
        Ok(reply)
    }

    /// 200 with a page of orders and, when there is more, a `Link` to the next (RFC 8288).
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn page(page: &Page, query: &ListQuery, cursors: &Cursors, path_and_query: &str) -> Result<Self, Problem> {
        let end = page.end().filter(|_| page.has_more);
        let next = end.map(|place| cursors.write(query, place));
        let reply = Self::ok(&PageView::new(page, query.limit, next.as_deref()))?;
        Ok(match next {
            Some(cursor) => reply.header(LINK, &format!("<{}>; rel=\"next\"", with_cursor(path_and_query, &cursor))),
            None => reply,
        })
    }

    /// 200 with text of this media type.
    #[must_use]
    pub fn text(media_type: &str, text: String) -> Self {
        Self { response: Response::new(Body::from(text)) }.header(CONTENT_TYPE, media_type)
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::NO_CONTENT;
        Self { response }
    }

    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(value).map_err(|error| Problem::new(Code::Internal).because(error))?;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        Ok(Self { response }.header(CONTENT_TYPE, "application/json"))
    }

    /// Adds a header; the values used here are always of visible ASCII.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.response.headers_mut().insert(name, value);
        }
        self
    }

    /// The response for the Lambda runtime.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        self.response
    }
}

/// 201 for an order that stands, 202 for one that waits for a partner.
pub(super) fn status_of(placed: &Placed) -> StatusCode {
    if placed.order.status == Status::Pending { StatusCode::ACCEPTED } else { StatusCode::CREATED }
}

/// The same list, continued at the cursor. API Gateway does not keep the order of parameters, so they are sorted.
fn with_cursor(path_and_query: &str, cursor: &str) -> String {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let cursor = format!("cursor={cursor}");
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let mut pairs: Vec<&str> = kept.chain([cursor.as_str()]).collect();
    pairs.sort_unstable();
    format!("{path}?{}", pairs.join("&"))
}

/// The strong entity tag of an order: its version in quotes.
fn etag(order: &Order) -> String {
    format!("\"{}\"", order.version)
}

/// Weak comparison, as RFC 9110 §13.1.2 asks of `If-None-Match`.
fn matches_etag(header: &str, etag: &str) -> bool {
    header.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

#[cfg(test)]
mod tests {
    use domain::memory::sample;

    use super::*;

    fn status(if_none_match: Option<&str>) -> u16 {
        Reply::order(&sample::order(), if_none_match).unwrap().into_response().status().as_u16()
    }

    #[test]
    fn a_known_version_is_not_sent_again() {
        for known in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
            assert_eq!(status(Some(known)), 304, "{known}");
        }
        for other in ["\"2\"", "1", ""] {
            assert_eq!(status(Some(other)), 200, "{other}");
        }
        assert_eq!(status(None), 200);
    }
}
