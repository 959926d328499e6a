//! The caller, from what the authorizer put into the request context.

use std::collections::HashMap;

use domain::caller::{Caller, Scope};
use domain::id::{CustomerId, TenantId};
use domain::timestamp::Timestamp;
use lambda_http::request::RequestContext;
use serde_json::Value;

use crate::problem::{Code, Problem};
use crate::token::LEEWAY_SECONDS;

/// Reads the authorizer's context of a REST or a payload 2.0 request. API Gateway keeps what the authorizer said for
/// longer than the token may live, so whether it has expired is asked again here.
pub(super) fn from_context(context: Option<&RequestContext>, now: Timestamp) -> Result<Caller, Problem> {
    let claims = match context {
        Some(RequestContext::ApiGatewayV1(context)) => texts(context.authorizer.fields.iter()),
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.authorizer.as_ref().map(|authorizer| texts(authorizer.fields.iter())).unwrap_or_default()
        }
        _ => HashMap::new(),
    };
    let claims = if claims.contains_key("tenant") { claims } else { local_claims() };
    parse(&claims).filter(|_| !has_expired(&claims, now)).ok_or_else(|| Problem::new(Code::Unauthenticated))
}

/// What names no time has expired.
fn has_expired(claims: &HashMap<String, String>, now: Timestamp) -> bool {
    let expires_at: Option<i64> = claims.get("exp").and_then(|seconds| seconds.parse().ok());
    expires_at.is_none_or(|seconds| seconds.saturating_add(LEEWAY_SECONDS) <= now.as_millis() / 1_000)
}

fn texts<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>) -> HashMap<String, String> {
    fields.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

fn parse(claims: &HashMap<String, String>) -> Option<Caller> {
    let granted: Vec<&str> = claims.get("scope").map(|scope| scope.split(' ').collect()).unwrap_or_default();
    Some(Caller {
        tenant: TenantId::parse(claims.get("tenant")?).ok()?,
        subject: claims.get("sub").filter(|subject| !subject.is_empty())?.clone(),
        scopes: Scope::ALL.into_iter().filter(|scope| granted.contains(&scope.as_str())).collect(),
        customer: claims.get("customer_id").map(CustomerId::parse).transpose().ok()?,
    })
}

/// `cargo lambda watch` has no authorizer: there, and only in debug builds, `LOCAL_CALLER` names the caller as JSON
/// (`{"tenant":…,"sub":…,"scope":…,"exp":…}`).
#[cfg(debug_assertions)]
fn local_claims() -> HashMap<String, String> {
    let claims = crate::config::optional("LOCAL_CALLER");
    claims.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
}

#[cfg(not(debug_assertions))]
fn local_claims() -> HashMap<String, String> {
    HashMap::new()
}
