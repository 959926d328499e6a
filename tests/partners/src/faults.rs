//! Faults on demand, and the log of calls.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::state::{Partners, now_millis};

/// The routes that faults can be set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    Customers,
    Products,
    Reservations,
    /// The key set of the token issuer.
    Keys,
}

impl Route {
    /// Those of the customer and the inventory service.
    pub const OF_PARTNERS: [Self; 3] = [Self::Customers, Self::Products, Self::Reservations];

    fn of(path: &str) -> Self {
        match path.split(['/', '?']).nth(1) {
            Some("customers") => Self::Customers,
            Some("products") => Self::Products,
            Some(".well-known") => Self::Keys,
            _ => Self::Reservations,
        }
    }
}

/// How a route misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It answers this much later.
    Delay(Duration),
    /// It answers this status and does nothing.
    Status(StatusCode),
    /// It closes the connection without an answer.
    Reset,
    /// It never answers.
    Hang,
}

/// How connections over TLS misbehave, whoever makes them: before the handshake nobody has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionFault {
    /// The handshake takes this much longer.
    Delay(Duration),
    /// They are closed.
    Reset,
    /// The handshake never ends.
    Hang,
}

/// The calls that a fault is for: those of a route, or of them those for this tenant, with this method and for this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub route: Route,
    pub tenant: Option<String>,
    pub method: Option<String>,
    pub id: Option<String>,
}

impl Target {
    fn includes(&self, other: &Self) -> bool {
        let includes = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        self.route == other.route
            && includes(&self.tenant, &other.tenant)
            && includes(&self.method, &other.method)
            && includes(&self.id, &other.id)
    }

    fn matches(&self, call: &Call) -> bool {
        let names = |id: &String| call.path.split(['/', '?', '=', ',']).any(|part| part == id);
        self.route == call.route
            && self.tenant.as_ref().is_none_or(|tenant| Some(tenant) == call.tenant.as_ref())
            && self.method.as_ref().is_none_or(|method| *method == call.method)
            && self.id.as_ref().is_none_or(names)
    }
}

/// All faults, in the order in which they were set.
#[derive(Debug, Default)]
pub struct Faults(Vec<(Target, Fault)>);

impl Faults {
    /// Sets the fault of these calls.
    pub fn set(&mut self, target: Target, fault: Fault) {
        self.0.retain(|(known, _)| *known != target);
        self.0.push((target, fault));
    }

    /// Ends every fault of these calls.
    pub fn end(&mut self, target: &Target) {
        self.0.retain(|(known, _)| !target.includes(known));
    }

    /// What happens to a call: all that is set for it, one after another.
    fn of(&self, call: &Call) -> Vec<Fault> {
        self.0.iter().filter(|(target, _)| target.matches(call)).map(|(_, fault)| *fault).collect()
    }
}

/// One call, as the admin surface shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Milliseconds since 1970.
    at: u64,
    route: Route,
    /// `X-Tenant-Id`
    tenant: Option<String>,
    method: String,
    path: String,
}

/// Notes the call, then answers or misbehaves.
pub async fn inject(State(partners): State<Partners>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let route = Route::of(&path);
    let tenant = request.headers().get("x-tenant-id").and_then(|tenant| Some(tenant.to_str().ok()?.to_owned()));
    let call = Call { at: now_millis(), route, tenant, method: request.method().to_string(), path };
    let faults = {
        let mut world = partners.world();
        let faults = world.faults.of(&call);
        world.calls.push(call);
        faults
    };
    for fault in faults {
        match fault {
            Fault::Delay(delay) => tokio::time::sleep(delay).await,
            Fault::Status(status) => return (status, Body::empty()).into_response(),
            // Ends the connection's task, and with it the connection, without the noise of a panic.
            Fault::Reset => std::panic::resume_unwind(Box::new("reset")),
            Fault::Hang => std::future::pending().await,
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Fault = Fault::Delay(Duration::from_millis(50));
    const FORBIDDEN: Fault = Fault::Status(StatusCode::FORBIDDEN);

    fn target(method: Option<&str>, id: Option<&str>) -> Target {
        Target { route: Route::Reservations, tenant: None, method: method.map(Into::into), id: id.map(Into::into) }
    }

    fn call(method: &str, path: &str) -> Call {
        let tenant = Some("demo".to_owned());
        Call { at: 0, route: Route::of(path), tenant, method: method.to_owned(), path: path.to_owned() }
    }

    #[test]
    fn a_fault_of_a_tenant_is_for_its_calls_alone() {
        let mut faults = Faults::default();
        let of = |tenant: &str| Target { tenant: Some(tenant.to_owned()), ..target(None, None) };
        faults.set(of("other"), SLOW);
        assert_eq!(faults.of(&call("PUT", "/reservations/r-1")), []);
        faults.set(of("demo"), FORBIDDEN);
        assert_eq!(faults.of(&call("PUT", "/reservations/r-1")), [FORBIDDEN]);
        faults.end(&of("other"));
        assert_eq!(faults.of(&call("PUT", "/reservations/r-1")), [FORBIDDEN]);
    }

    #[test]
    fn a_fault_of_a_route_is_for_all_of_its_calls_and_no_others() {
        let mut faults = Faults::default();
        faults.set(target(None, None), SLOW);
        assert_eq!(faults.of(&call("PUT", "/reservations/r-1")), [SLOW]);
        assert_eq!(faults.of(&call("POST", "/reservations/r-1/confirm")), [SLOW]);
        assert_eq!(faults.of(&call("GET", "/products?ids=r-1")), []);
        assert_eq!(faults.of(&call("GET", "/.well-known/jwks.json")), []);
    }

    #[test]
    fn a_fault_of_a_method_or_an_id_is_for_such_calls_alone() {
        let mut faults = Faults::default();
        faults.set(target(Some("PUT"), Some("r-1")), FORBIDDEN);
        assert_eq!(faults.of(&call("PUT", "/reservations/r-1")), [FORBIDDEN]);
        assert_eq!(faults.of(&call("DELETE", "/reservations/r-1")), []);
        assert_eq!(faults.of(&call("PUT", "/reservations/r-11")), []);
        let products = Target { route: Route::Products, ..target(None, Some("tea")) };
        faults.set(products, FORBIDDEN);
        assert_eq!(faults.of(&call("GET", "/products?ids=coffee,tea")), [FORBIDDEN]);
        assert_eq!(faults.of(&call("GET", "/products?ids=coffee")), []);
    }

    #[test]
    fn faults_of_different_calls_add_up_and_of_the_same_replace_one_another() {
        let mut faults = Faults::default();
        faults.set(target(None, None), FORBIDDEN);
        faults.set(target(None, None), SLOW);
        faults.set(target(None, Some("r-1")), FORBIDDEN);
        assert_eq!(faults.of(&call("PUT", "/reservations/r-1")), [SLOW, FORBIDDEN]);
    }

    #[test]
    fn ending_the_faults_of_a_route_ends_those_of_its_ids() {
        let mut faults = Faults::default();
        faults.set(target(None, None), SLOW);
        faults.set(target(None, Some("r-1")), FORBIDDEN);
        faults.end(&target(None, Some("r-1")));
        assert_eq!(faults.of(&call("PUT", "/reservations/r-1")), [SLOW]);
        faults.set(target(None, Some("r-1")), FORBIDDEN);
        faults.end(&target(None, None));
        assert_eq!(faults.of(&call("PUT", "/reservations/r-1")), []);
    }
}
