//! Headers that are sent more than once.

use lambda_http::LambdaEvent;
use lambda_http::request::LambdaRequest;

/// Keeps every value of a repeated header: API Gateway names them all in `multiValueHeaders` and only the last in
/// `headers`, which `lambda_http` prefers.
pub(crate) fn every_header(mut request: LambdaRequest) -> LambdaRequest {
    if let LambdaRequest::ApiGatewayV1(request) = &mut request {
        for name in request.multi_value_headers.keys() {
            request.headers.remove(name);
        }
    }
    request
}

/// The same for the event of an invocation.
pub(super) fn every_header_of(event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    LambdaEvent { payload: every_header(event.payload), context: event.context }
}
