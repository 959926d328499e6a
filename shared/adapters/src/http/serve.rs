//! The loop around a handler: request in, reply or problem out, one log line per request.

use std::future::ready;

use domain::trace::{self, TraceParent};
use futures_util::future::BoxFuture;
use lambda_http::http::header::{CACHE_CONTROL, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use lambda_http::http::{HeaderMap, HeaderValue};
use lambda_http::tower::ServiceExt;
use lambda_http::{Adapter, Body, Error, IntoResponse, Request, Response, service_fn};

use super::cors::{Allowed, Cors};
use super::line::RequestLine;
use super::versioning::{self, DEPRECATED, Deprecated};
use super::{ApiRequest, Reply, headers, methods};
use crate::outbound::CallScope;
use crate::problem::Problem;
use crate::telemetry;

/// Serves requests until the environment is shut down.
///
/// # Errors
/// [`Error`] when the Lambda Runtime API cannot be reached.
pub async fn serve<'a, H, F>(handler: H) -> Result<(), Error>
where
    H: Fn(ApiRequest) -> F + 'a,
    F: Future<Output = Result<Reply, Problem>> + Send + 'a,
{
    let cors = Cors::from_env();
    let service = service_fn(move |request: Request| {
        let allowed = cors.allowed(request.headers());
        let (request, exchange) = Exchange::begin(request, allowed);
        let handled = methods::check(&request).map(|()| handler(request));
        async move {
            let handled = async {
                match handled {
                    Ok(handled) => handled.await,
                    Err(problem) => Err(problem),
                }
            };
            Ok::<Written, Error>(Written(exchange.answer(handled).await))
        }
    });
    lambda_runtime::run(Adapter::from(service).map_request(headers::every_header_of)).await
}

/// A response whose body is UTF-8 already. Of any other, `lambda_http` decodes the body by its charset, and links the tables of
/// every charset for it.
struct Written(Response<Body>);

impl IntoResponse for Written {
    fn into_response(self) -> BoxFuture<'static, Response<Body>> {
        Box::pin(ready(self.0))
    }
}

/// A request that is being handled: its bounds, its trace and its line.
#[derive(Debug)]
pub struct Exchange {
    line: RequestLine,
    scope: CallScope,
    trace: Option<TraceParent>,
    allowed: Allowed,
    deprecated: Option<Deprecated>,
    is_head: bool,
}

impl Exchange {
    /// The request, and what is kept of it.
    #[must_use]
    pub(super) fn begin(request: Request, allowed: Allowed) -> (ApiRequest, Self) {
        let request = ApiRequest::new(request);
        let (line, scope, trace) = (RequestLine::start(&request), request.call_scope(), request.trace());
        let deprecated = versioning::find(DEPRECATED, &request.route());
        let is_head = request.method() == "HEAD";
        (request, Self { line, scope, trace, allowed, deprecated, is_head })
    }

    /// The same, for a caller that is no page.
    #[must_use]
    pub fn begin_plain(request: Request) -> (ApiRequest, Self) {
        Self::begin(request, Allowed::Unsaid)
    }

    /// The response; its line is written.
    pub async fn answer<F: Future<Output = Result<Reply, Problem>>>(self, handled: F) -> Response<Body> {
        let (outcome, notes) = telemetry::noting(trace::within(self.trace, self.scope.run(handled))).await;
        let (mut response, line) = self.line.finish(outcome, notes);
        line.write();
        protect(response.headers_mut());
        versioning::say(response.headers_mut(), self.deprecated);
        self.allowed.say(response.headers_mut());
        if self.is_head {
            *response.body_mut() = Body::Empty;
        }
        response
    }
}

/// The headers of every answer; the gateway's own answers have the same (template.yaml). Orders are personal data, so
/// that nothing between here and the client may keep them; a client that keeps an order itself asks with its `ETag`.
fn protect(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;
    use crate::testing;

    #[tokio::test]
    async fn every_answer_is_protected_and_names_the_version_of_the_contract() {
        for outcome in
            [Ok(Reply::no_content()), Err(Problem::new(Code::Internal)), Err(Problem::new(Code::OrderNotFound))]
        {
            let request = lambda_http::request::from_str(&testing::sample_text("get-order")).unwrap();
            let (_, exchange) = Exchange::begin_plain(request);
            let answer = exchange.answer(async { outcome }).await;
            let header = |name: &str| answer.headers()[name].to_str().unwrap();
            assert_eq!(header("cache-control"), "no-store");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("strict-transport-security"), "max-age=31536000");
            assert_eq!(header("api-version"), crate::http::API_VERSION);
        }
    }

    #[tokio::test]
    async fn a_body_reaches_the_gateway_as_it_was_written_and_none_stays_none() {
        for (reply, expected) in [
            (Reply::text("application/openmetrics-text", "größer 1".to_owned()), Body::Text("größer 1".to_owned())),
            (Reply::no_content(), Body::Empty),
        ] {
            let request = lambda_http::request::from_str(&testing::sample_text("get-order")).unwrap();
            let (_, exchange) = Exchange::begin_plain(request);
            let response = Written(exchange.answer(async { Ok(reply) }).await).into_response().await;
            assert_eq!(*response.body(), expected);
        }
    }
}
