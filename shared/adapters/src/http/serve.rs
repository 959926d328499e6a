//! The loop around a handler: request in, reply or problem out, one log line per request.

use std::time::Instant;

use lambda_http::http::header::{CACHE_CONTROL, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use lambda_http::http::{HeaderMap, HeaderValue};
use lambda_http::tower::ServiceExt;
use lambda_http::{Adapter, Body, Error, Request, Response, service_fn};

use super::cors::{Allowed, Cors};
use super::{ApiRequest, Reply, headers, methods};
use crate::problem::Problem;

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
        let request = ApiRequest::new(request);
        let line = RequestLine::start(&request);
        let scope = request.call_scope();
        let reply = methods::check(&request.route(), request.method()).map(|()| scope.run(handler(request)));
        async move {
            let outcome = match reply {
                Ok(reply) => reply.await,
                Err(problem) => Err(problem),
            };
            Ok::<Response<Body>, Error>(line.finish(outcome, allowed))
        }
    });
    lambda_runtime::run(Adapter::from(service).map_request(headers::every_header_of)).await
}

/// What the log says of a request: the route and parsed ids, never a path, a query string, a token or a body.
struct RequestLine {
    started: Instant,
    request_id: String,
    lambda_request_id: String,
    method: String,
    route: String,
    /// Empty when the path names no order.
    order_id: String,
    /// For the answer.
    path: String,
}

impl RequestLine {
    fn start(request: &ApiRequest) -> Self {
        Self {
            started: Instant::now(),
            request_id: request.request_id(),
            lambda_request_id: request.attempt_id().to_owned(),
            method: request.method().to_owned(),
            route: request.route(),
            order_id: request.order_id().map(|id| id.to_string()).unwrap_or_default(),
            path: request.path().to_owned(),
        }
    }

    fn finish(self, outcome: Result<Reply, Problem>, allowed: Allowed) -> Response<Body> {
        let Self { started, request_id, lambda_request_id, method, route, order_id, path } = self;
        let (mut response, code, cause) = match outcome {
            Ok(reply) => (reply.into_response(), "", None),
            Err(problem) => {
                let (code, cause) = (problem.code().as_str(), problem.cause().map(ToOwned::to_owned));
                (problem.into_response(&request_id, &path), code, cause)
            }
        };
        if method == "HEAD" {
            *response.body_mut() = Body::Empty;
        }
        let status = response.status().as_u16();
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        protect(response.headers_mut());
        if let Ok(timing) = HeaderValue::from_str(&format!("handler;dur={ms}")) {
            response.headers_mut().insert("server-timing", timing);
        }
        allowed.say(response.headers_mut());
        if status >= 500 {
            let cause = cause.unwrap_or_default();
            tracing::error!(
                request_id,
                lambda_request_id,
                method,
                route,
                order_id,
                status,
                code,
                ms,
                cause,
                "request failed"
            );
        } else {
            tracing::info!(
                request_id,
                lambda_request_id,
                method,
                route,
                order_id,
                status,
                code,
                ms,
                cause,
                "request served"
            );
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
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::problem::Code;
    use crate::testing;

    /// What is logged, as text.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The log line and the answer of a request.
    fn served(
        outcome: Result<Reply, Problem>,
        change: impl FnOnce(&mut serde_json::Value),
    ) -> (String, Response<Body>) {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        let request = testing::attempt("get-order", "lambda", change);
        let answer = tracing::subscriber::with_default(subscriber, || {
            RequestLine::start(&request).finish(outcome, Allowed::Unsaid)
        });
        let line = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        (line, answer)
    }

    #[test]
    fn a_log_line_holds_route_and_parsed_ids_and_nothing_else_that_a_client_sent() {
        let secret = "Quillfeather";
        let (line, _) = served(Err(Problem::new(Code::OrderNotFound)), |event| {
            event["path"] = format!("/orders/{secret}").into();
            event["pathParameters"]["id"] = secret.into();
            event["requestContext"]["path"] = format!("/v1/orders/{secret}").into();
            event["requestContext"]["requestId"] = format!("{secret} {secret}").into();
            event["queryStringParameters"] = serde_json::json!({"q": secret});
            event["headers"] =
                serde_json::json!({"authorization": secret, "idempotency-key": secret, "if-match": secret});
            event["body"] = secret.into();
        });
        assert!(!line.contains(secret), "{line}");
        for part in
            [r#""route":"/orders/{id}""#, r#""order_id":"""#, r#""code":"order_not_found""#, r#""request_id":"lambda""#]
        {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        let (line, _) = served(Ok(Reply::no_content()), |_| ());
        assert!(line.contains(r#""order_id":"0192f0c1-7a3e-7cc0-8000-000000000001""#), "{line}");
    }

    #[test]
    fn every_answer_is_protected() {
        for outcome in
            [Ok(Reply::no_content()), Err(Problem::new(Code::Internal)), Err(Problem::new(Code::OrderNotFound))]
        {
            let (_, answer) = served(outcome, |_| ());
            let header = |name: &str| answer.headers()[name].to_str().unwrap();
            assert_eq!(header("cache-control"), "no-store");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("strict-transport-security"), "max-age=31536000");
        }
    }
}
