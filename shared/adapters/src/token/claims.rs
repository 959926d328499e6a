//! What a token says of its bearer, under the names that the identity provider uses (docs/identity.md).

use domain::id::{CustomerId, TenantId};
use serde_json::{Map, Value};

use super::TokenError;
use crate::config::{self, ConfigError};

/// The names of the claims.
#[derive(Debug, Clone)]
pub struct ClaimNames {
    /// Of the storefront.
    pub tenant: String,
    /// Of the scopes: one string, separated by spaces, or a list.
    pub scope: String,
    /// What precedes each scope of this service, such as the identifier of a Cognito resource server.
    pub scope_prefix: String,
    /// Of the only customer that the bearer may act for.
    pub customer: String,
    /// Of the audience: `aud`, or `client_id` for tokens without one.
    pub audience: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            tenant: "tenant".to_owned(),
            scope: "scope".to_owned(),
            scope_prefix: String::new(),
            customer: "customer_id".to_owned(),
            audience: "aud".to_owned(),
        }
    }
}

impl ClaimNames {
    /// Reads `TENANT_CLAIM`, `SCOPE_CLAIM`, `SCOPE_PREFIX`, `CUSTOMER_CLAIM` and `AUDIENCE_CLAIM`; one that is not set is
    /// `tenant`, `scope`, empty, `customer_id` or `aud`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when two claims have one name, so that one would pass for the other.
    pub fn from_env() -> Result<Self, ConfigError> {
        let names = Self::default();
        let named = |variable, default| config::optional(variable).unwrap_or(default);
        let names = Self {
            tenant: named("TENANT_CLAIM", names.tenant),
            scope: named("SCOPE_CLAIM", names.scope),
            scope_prefix: named("SCOPE_PREFIX", names.scope_prefix),
            customer: named("CUSTOMER_CLAIM", names.customer),
            audience: named("AUDIENCE_CLAIM", names.audience),
        };
        if [&names.tenant, &names.scope].contains(&&names.customer) || names.tenant == names.scope {
            let detail = "two claims have one name".to_owned();
            return Err(ConfigError::Invalid { name: "TENANT_CLAIM", detail });
        }
        Ok(names)
    }
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The storefront.
    pub tenant: TenantId,
    /// Who acts.
    pub subject: String,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// The only customer that the bearer may act for.
    pub customer: Option<CustomerId>,
    /// When the token expires, in seconds since 1970.
    pub expires_at: u64,
}

impl Claims {
    /// Reads the claims of a token that was checked. A claim that confines the bearer is never passed over: one that is
    /// there, be it null, has to name a customer.
    pub(super) fn read(claims: &Map<String, Value>, names: &ClaimNames) -> Result<Self, TokenError> {
        let invalid = |name: &str| TokenError::Claim(name.to_owned());
        let text = |name: &str| claims.get(name).and_then(Value::as_str).ok_or_else(|| invalid(name));
        let customer = match claims.get(&names.customer) {
            None => None,
            Some(_) => Some(CustomerId::parse(text(&names.customer)?).map_err(|_| invalid(&names.customer))?),
        };
        let expires_at = claims.get("exp").and_then(Value::as_f64).ok_or_else(|| invalid("exp"))?;
        Ok(Self {
            tenant: TenantId::parse(text(&names.tenant)?).map_err(|_| invalid(&names.tenant))?,
            subject: Some(text("sub")?).filter(|subject| !subject.is_empty()).ok_or_else(|| invalid("sub"))?.to_owned(),
            scope: scopes(claims.get(&names.scope), &names.scope_prefix).ok_or_else(|| invalid(&names.scope))?,
            customer,
            expires_at: expires_at as u64,
        })
    }
}

/// Those of this service, without their prefix; a token without scopes is valid and may do nothing.
fn scopes(claim: Option<&Value>, prefix: &str) -> Option<String> {
    let scopes: Vec<&str> = match claim {
        None => Vec::new(),
        Some(Value::String(scopes)) => scopes.split(' ').collect(),
        Some(Value::Array(scopes)) => scopes.iter().map(Value::as_str).collect::<Option<_>>()?,
        Some(_) => return None,
    };
    Some(scopes.into_iter().filter_map(|scope| scope.strip_prefix(prefix)).collect::<Vec<_>>().join(" "))
}
