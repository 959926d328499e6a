//! The API key that a storefront's requests are counted under: API Gateway throttles by usage plan, and a client sends
//! nothing but its token (docs/adr/0020-throttling.md).

use std::fmt::Write;

use domain::id::TenantId;
use sha2::{Digest, Sha256};

use crate::config;

/// The keys of the storefronts. None of them is a secret: the gateway takes keys from the authorizer alone.
#[derive(Debug, Clone)]
pub struct UsageKeys {
    shared: Option<String>,
    own: Vec<String>,
}

impl UsageKeys {
    /// Reads `SHARED_USAGE_KEY`, the key of all storefronts without one of their own, and `STOREFRONTS_WITH_KEY`, those
    /// that have one, separated by commas. Without a shared key the gateway has no usage plans.
    #[must_use]
    pub fn from_env() -> Self {
        let own = config::optional("STOREFRONTS_WITH_KEY").unwrap_or_default();
        Self::new(config::optional("SHARED_USAGE_KEY"), &own)
    }

    /// A shared key, and the storefronts with keys of their own, separated by commas.
    #[must_use]
    pub fn new(shared: Option<String>, own: &str) -> Self {
        Self { shared, own: own.split(',').map(|tenant| tenant.trim().to_owned()).collect() }
    }

    /// The key of this storefront. One that nobody has listed is throttled with the others, and never locked out.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Option<String> {
        let shared = self.shared.as_deref()?;
        let has_own = self.own.iter().any(|own| own == tenant.as_str());
        Some(if has_own { own_key(shared, tenant) } else { shared.to_owned() })
    }
}

/// The key of one storefront of this stack, as `scripts/storefront.py` makes it: SHA-256 in 64 hexadecimal digits.
fn own_key(shared: &str, tenant: &TenantId) -> String {
    let digest = Sha256::digest(format!("{shared}:{}", tenant.as_str()));
    digest.iter().fold(String::with_capacity(64), |mut key, byte| {
        // Writing to a string cannot fail.
        write!(key, "{byte:02x}").ok();
        key
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(shared: Option<&str>, own: &str, tenant: &str) -> Option<String> {
        UsageKeys::new(shared.map(ToOwned::to_owned), own).of(&TenantId::parse(tenant).unwrap())
    }

    #[test]
    fn a_storefront_that_nobody_listed_shares_a_key_with_the_others() {
        for own in ["", "acme", "acme,beta", ",", "dem", "demo2", "DEMO"] {
            assert_eq!(key(Some("shared"), own, "demo").as_deref(), Some("shared"), "{own}");
        }
    }

    #[test]
    fn a_listed_storefront_has_a_key_of_its_own_in_each_stack() {
        // printf shared:demo | sha256sum
        let expected = "03b350cf498c0d268293";
        let demo = key(Some("shared"), "acme, demo", "demo").unwrap();
        assert_eq!((demo.len(), demo.get(..20)), (64, Some(expected)));
        assert_ne!(key(Some("another"), "demo", "demo"), Some(demo.clone()));
        assert_ne!(key(Some("shared"), "acme,demo", "acme"), Some(demo));
    }

    #[test]
    fn without_usage_plans_there_are_no_keys() {
        assert_eq!(key(None, "demo", "demo"), None);
    }
}
