//! The caller, from what the authorizer put into the request context.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::caller::{Caller, Scope};
use domain::id::{CustomerId, TenantId};
use domain::timestamp::Timestamp;
use lambda_http::request::RequestContext;
use serde_json::Value;

use crate::problem::{Code, Problem};
use crate::token::LEEWAY_SECONDS;

/// What the authorizer said.
pub(crate) type Claims = HashMap<String, Value>;

/// Reads the authorizer's context of a REST or a payload 2.0 request. API Gateway keeps what the authorizer said for
/// longer than the token may live, so whether it has expired is asked again here.
pub(super) fn from_context(context: Option<&RequestContext>, now: Timestamp) -> Result<Caller, Problem> {
    let said = match context {
        Some(RequestContext::ApiGatewayV1(context)) => Some(&context.authorizer.fields),
        Some(RequestContext::ApiGatewayV2(context)) => context.authorizer.as_ref().map(|authorizer| &authorizer.fields),
        _ => None,
    };
    let said = said.filter(|claims| claims.contains_key("tenant"));
    let claims = said.map_or_else(|| Cow::Owned(local_claims()), Cow::Borrowed);
    caller_of(&claims, now)
}

/// The caller that the authorizer named, unless the token has expired since.
pub(crate) fn caller_of(claims: &Claims, now: Timestamp) -> Result<Caller, Problem> {
    parse(claims).filter(|_| !has_expired(claims, now)).ok_or_else(|| Problem::new(Code::Unauthenticated))
}

/// What names no time has expired.
fn has_expired(claims: &Claims, now: Timestamp) -> bool {
    end_of(claims).is_none_or(|end| end.as_secs() <= now.as_secs())
}

/// From when on the token is not accepted any more.
pub(crate) fn end_of(claims: &Claims) -> Option<Timestamp> {
    let expires_at: i64 = text(claims, "exp")?.parse().ok()?;
    Some(Timestamp::from_secs(expires_at.saturating_add(LEEWAY_SECONDS)))
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A customer that cannot be read is not passed over: the caller would be confined to nobody.
fn parse(claims: &Claims) -> Option<Caller> {
    let granted: Vec<&str> = text(claims, "scope").map(|scope| scope.split(' ').collect()).unwrap_or_default();
    let customer = match claims.get("customer_id") {
        None => None,
        Some(customer) => Some(CustomerId::parse(customer.as_str()?).ok()?),
    };
    Some(Caller {
        tenant: TenantId::parse(text(claims, "tenant")?).ok()?,
        subject: text(claims, "sub").filter(|subject| !subject.is_empty())?.to_owned(),
        scopes: Scope::ALL.into_iter().filter(|scope| granted.contains(&scope.as_str())).collect(),
        customer,
    })
}

/// `cargo lambda watch` has no authorizer: there, and only in debug builds, `LOCAL_CALLER` names the caller as JSON
/// (`{"tenant":…,"sub":…,"scope":…,"exp":…}`).
#[cfg(debug_assertions)]
fn local_claims() -> Claims {
    let claims = crate::config::optional("LOCAL_CALLER");
    claims.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
}

#[cfg(not(debug_assertions))]
fn local_claims() -> Claims {
    HashMap::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_up_to_the_last_second_of_the_leeway() {
        let claims = Claims::from([("exp".to_owned(), "1000".into())]);
        let has_expired_in = |second: i64| has_expired(&claims, Timestamp::from_millis(second * 1_000 + 999));
        assert!(!has_expired_in(1_000 + LEEWAY_SECONDS - 1));
        assert!(has_expired_in(1_000 + LEEWAY_SECONDS));
    }
}
