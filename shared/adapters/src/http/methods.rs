//! The methods of the routes. API Gateway gives a request with any other method to a function of its route (`ANY` in
//! template.yaml), and `HEAD` to the one of `GET`.

use super::ApiRequest;
use crate::problem::{Code, Problem};

/// Every route and its methods, as `Allow` names them.
pub const ROUTES: [(&str, &str); 10] = [
    ("/orders", "GET, HEAD, POST"),
    ("/orders/batch", "POST"),
    ("/orders/{id}", "GET, HEAD, PUT, DELETE"),
    ("/orders/{id}/shipping", "PUT"),
    ("/orders/{id}/status", "PUT"),
    ("/reports/orders", "GET, HEAD"),
    ("/exports", "POST"),
    ("/exports/{export_id}", "GET, HEAD"),
    ("/health", "GET, HEAD"),
    ("/metrics", "GET, HEAD"),
];

/// Refuses a method that the route does not have. API Gateway names the route; `cargo lambda watch` does not, and
/// routes by itself.
pub(super) fn check(request: &ApiRequest) -> Result<(), Problem> {
    let (path, method) = (request.path_of_route(), request.method());
    let methods = ROUTES.iter().find(|(known, _)| path == Some(known)).map(|(_, methods)| *methods);
    match methods {
        Some(methods) if !methods.split(", ").any(|known| known == method) => {
            Err(Problem::new(Code::MethodNotAllowed).allow(methods))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn allow(route: &str, method: &str) -> Option<String> {
        let request = testing::attempt("get-order", "lambda", |event| {
            event["requestContext"]["resourcePath"] = route.into();
            event["requestContext"]["httpMethod"] = method.into();
            event["httpMethod"] = method.into();
        });
        let problem = check(&request).err()?;
        assert_eq!(problem.code(), Code::MethodNotAllowed);
        let response = problem.into_response("request", route);
        assert_eq!(response.status().as_u16(), 405);
        Some(response.headers()["allow"].to_str().unwrap().to_owned())
    }

    #[test]
    fn a_method_that_the_route_lacks_is_refused_with_those_that_it_has() {
        assert_eq!(allow("/orders", "PATCH").unwrap(), "GET, HEAD, POST");
        assert_eq!(allow("/orders/{id}", "POST").unwrap(), "GET, HEAD, PUT, DELETE");
        assert_eq!(allow("/orders/{id}/status", "GET").unwrap(), "PUT");
        assert_eq!(allow("/health", "TRACE").unwrap(), "GET, HEAD");
        for (route, method) in [("/orders", "HEAD"), ("/orders/{id}", "DELETE"), ("/orders/{id}/shipping", "PUT")] {
            assert_eq!(allow(route, method), None, "{method} {route}");
        }
    }
}
