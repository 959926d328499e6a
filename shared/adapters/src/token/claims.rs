//! What a token says of its bearer, under the names that the identity provider uses (docs/identity.md).

use domain::caller::Scope;
use domain::id::{CustomerId, TenantId};
use domain::timestamp::Timestamp;
use serde_json::{Map, Value};

use super::TokenError;
use super::verify::LEEWAY_SECONDS;
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
        names.told_apart()
    }

    fn told_apart(self) -> Result<Self, ConfigError> {
        let Self { tenant, scope, customer, .. } = &self;
        if [tenant, scope].contains(&customer) || tenant == scope {
            let detail = "two claims have one name".to_owned();
            return Err(ConfigError::Invalid { name: "TENANT_CLAIM", detail });
        }
        Ok(self)
    }
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The storefront.
    pub tenant: TenantId,
    /// Who acts: 1 to 255 characters, none of them a control character.
    pub subject: String,
    /// Scopes of this service, at least one.
    pub scopes: Vec<Scope>,
    /// The only customer that the bearer may act for.
    pub customer: Option<CustomerId>,
    /// When the token expires, in seconds since 1970.
    pub expires_at: i64,
}

/// The last second of the year 9999. A later time is none: as a rule it is in milliseconds.
const LAST_SECOND: i64 = 253_402_300_799;

/// The longest subject (OpenID Connect Core §2).
const MAX_SUBJECT: usize = 255;

impl Claims {
    /// Reads the claims of a token whose signature, issuer and audience were checked. A claim that confines the bearer is
    /// never passed over: one that is there, be it null, has to name a customer.
    pub(super) fn read(claims: &Map<String, Value>, names: &ClaimNames, now: Timestamp) -> Result<Self, TokenError> {
        let expires_at = lifetime(claims, now.as_millis() / 1_000)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).ok_or_else(|| invalid(name));
        let customer = match claims.get(&names.customer) {
            None => None,
            Some(_) => Some(CustomerId::parse(text(&names.customer)?).map_err(|_| invalid(&names.customer))?),
        };
        let scopes = scopes(claims.get(&names.scope), &names.scope_prefix).ok_or_else(|| invalid(&names.scope))?;
        let subject = Some(text("sub")?).filter(|subject| is_subject(subject)).ok_or_else(|| invalid("sub"))?;
        let tenant = TenantId::parse(text(&names.tenant)?).map_err(|_| invalid(&names.tenant))?;
        if scopes.is_empty() {
            return Err(TokenError::NoScope);
        }
        Ok(Self { tenant, subject: subject.to_owned(), scopes, customer, expires_at })
    }
}

fn invalid(name: &str) -> TokenError {
    TokenError::Claim(name.to_owned())
}

fn is_subject(subject: &str) -> bool {
    !subject.is_empty() && subject.chars().count() <= MAX_SUBJECT && !subject.contains(char::is_control)
}

/// When the token expires, if it is valid at this second.
fn lifetime(claims: &Map<String, Value>, now: i64) -> Result<i64, TokenError> {
    for begin in ["nbf", "iat"] {
        if seconds(claims, begin)?.is_some_and(|at| at > now + LEEWAY_SECONDS) {
            return Err(invalid(begin));
        }
    }
    let expires_at = seconds(claims, "exp")?.ok_or_else(|| invalid("exp"))?;
    if expires_at + LEEWAY_SECONDS > now { Ok(expires_at) } else { Err(TokenError::Expired) }
}

/// A time in whole seconds since 1970.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, TokenError> {
    let Some(claim) = claims.get(name) else { return Ok(None) };
    let second = claim.as_i64().filter(|second| (0..=LAST_SECOND).contains(second));
    second.map(Some).ok_or_else(|| invalid(name))
}

/// Those of this service; a claim that is no list of texts has none to give.
fn scopes(claim: Option<&Value>, prefix: &str) -> Option<Vec<Scope>> {
    let granted: Vec<&str> = match claim {
        None => Vec::new(),
        Some(Value::String(scopes)) => scopes.split(' ').collect(),
        Some(Value::Array(scopes)) => scopes.iter().map(Value::as_str).collect::<Option<_>>()?,
        Some(_) => return None,
    };
    let granted: Vec<&str> = granted.into_iter().filter_map(|scope| scope.strip_prefix(prefix)).collect();
    Some(Scope::ALL.into_iter().filter(|scope| granted.contains(&scope.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// What claims say at `NOW`, with these in the place of valid ones.
    fn read(names: &ClaimNames, changes: &Value) -> Result<Claims, TokenError> {
        let mut claims = json!({"tenant": "t", "sub": "s", "scope": "orders:read", "exp": NOW + 300});
        let claims = claims.as_object_mut().unwrap();
        claims.extend(changes.as_object().unwrap().clone());
        Claims::read(claims, names, Timestamp::from_millis(NOW * 1_000 + 999))
    }

    fn refusal(changes: Value) -> Option<TokenError> {
        read(&ClaimNames::default(), &changes).err()
    }

    #[test]
    fn clocks_may_differ_by_30_seconds_and_not_by_one_more() {
        assert_eq!(refusal(json!({"nbf": NOW + 30, "iat": NOW + 30, "exp": NOW - 29})), None);
        assert_eq!(refusal(json!({"nbf": NOW + 31})), Some(invalid("nbf")));
        assert_eq!(refusal(json!({"iat": NOW + 31})), Some(invalid("iat")));
        assert_eq!(refusal(json!({"exp": NOW - 30})), Some(TokenError::Expired));
    }

    #[test]
    fn a_subject_has_255_characters_of_any_script() {
        assert_eq!(refusal(json!({"sub": "ä".repeat(255)})), None);
        assert_eq!(refusal(json!({"sub": "ä".repeat(256)})), Some(invalid("sub")));
    }

    #[test]
    fn a_scope_without_the_prefix_of_this_service_is_none() {
        let names = ClaimNames { scope_prefix: "api/".to_owned(), ..ClaimNames::default() };
        let scopes = |scope: &str| read(&names, &json!({"scope": scope})).map(|claims| claims.scopes);
        assert_eq!(scopes("api/orders:read orders:write other/orders:admin"), Ok(vec![Scope::Read]));
        assert_eq!(scopes("orders:read"), Err(TokenError::NoScope));
    }

    #[test]
    fn claims_have_names_of_their_own() {
        let named = |tenant: &str, scope: &str, customer: &str| {
            let [tenant, scope, customer] = [tenant, scope, customer].map(ToOwned::to_owned);
            ClaimNames { tenant, scope, customer, ..ClaimNames::default() }.told_apart().is_ok()
        };
        assert!(named("a", "b", "c"));
        assert!(!named("a", "a", "c") && !named("a", "b", "a") && !named("a", "b", "b"));
    }
}
