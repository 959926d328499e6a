//! The loop around a handler: request in, reply or problem out, one log line per request.

use std::time::Instant;

use lambda_http::http::HeaderValue;
use lambda_http::{Body, Error, Request, Response, service_fn};

use super::cors::{Allowed, Cors};
use super::{ApiRequest, Reply};
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
    lambda_http::run(service_fn(move |request: Request| {
        let allowed = cors.allowed(request.headers());
        let request = ApiRequest::new(request);
        let line = RequestLine::start(&request);
        let scope = request.call_scope();
        let reply = scope.run(handler(request));
        async move { Ok::<Response<Body>, Error>(line.finish(reply.await, allowed)) }
    }))
    .await
}

/// What the log says of a request: never a token, a body or a query string.
struct RequestLine {
    started: Instant,
    request_id: String,
    lambda_request_id: String,
    method: String,
    path: String,
}

impl RequestLine {
    fn start(request: &ApiRequest) -> Self {
        Self {
            started: Instant::now(),
            request_id: request.request_id(),
            lambda_request_id: request.attempt_id().to_owned(),
            method: request.method().to_owned(),
            path: request.path().to_owned(),
        }
    }

    fn finish(self, outcome: Result<Reply, Problem>, allowed: Allowed) -> Response<Body> {
        let Self { started, request_id, lambda_request_id, method, path } = self;
        let (mut response, code, cause) = match outcome {
            Ok(reply) => (reply.into_response(), "", None),
            Err(problem) => {
                let (code, cause) = (problem.code().as_str(), problem.cause().map(ToOwned::to_owned));
                (problem.into_response(&request_id, &path), code, cause)
            }
        };
        let status = response.status().as_u16();
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Ok(timing) = HeaderValue::from_str(&format!("handler;dur={ms}")) {
            response.headers_mut().insert("server-timing", timing);
        }
        allowed.say(response.headers_mut());
        if status >= 500 {
            let cause = cause.unwrap_or_default();
            tracing::error!(request_id, lambda_request_id, method, path, status, code, ms, cause, "request failed");
        } else {
            tracing::info!(request_id, lambda_request_id, method, path, status, code, ms, cause, "request served");
        }
        response
    }
}
