//! Who is told of which changes: connections, and what each of them subscribes to.

use std::fmt;

use crate::id::{CustomerId, TenantId};
use crate::invalid::{Invalid, InvalidCode};
use crate::ports::OrderKey;
use crate::timestamp::Timestamp;

/// The name that the gateway gave an open connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// Reads a gateway's name: 1 to 128 visible ASCII characters.
    ///
    /// # Errors
    /// [`InvalidCode::Malformed`].
    pub fn parse(value: impl Into<String>) -> Result<Self, Invalid> {
        let value = value.into();
        let is_plain = (1..=128).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain { Ok(Self(value)) } else { Err(Invalid::new(InvalidCode::Malformed, "must name a connection")) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who opens connections: the `sub` of a storefront's tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The storefront.
    pub tenant: TenantId,
    /// Its name there.
    pub name: String,
}

/// Whose changes are subscribed to. It always names the storefront, so that no other's changes can match it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubscriptionKey {
    /// One order's.
    Order(OrderKey),
    /// Those of all orders of a customer.
    Customer(TenantId, CustomerId),
    /// Those of all orders of a storefront.
    Tenant(TenantId),
}

impl SubscriptionKey {
    /// The storefront.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        match self {
            Self::Order(OrderKey { tenant, .. }) | Self::Customer(tenant, _) | Self::Tenant(tenant) => tenant,
        }
    }
}

/// One connection's interest in some changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Whose changes.
    pub key: SubscriptionKey,
    /// Who is told.
    pub connection: ConnectionId,
    /// For whom the connection is counted, where that is known.
    pub subject: Option<Subject>,
    /// The only customer that the subscriber's token may see.
    pub confined_to: Option<CustomerId>,
    /// When the subscriber's token expires.
    pub expires_at: Timestamp,
}

/// An event of the feed on its way to subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The order that changed.
    pub order: OrderKey,
    /// Its customer.
    pub customer: CustomerId,
    /// The version that the event stands for.
    pub version: u64,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// The event, as subscribers get it.
    pub message: String,
}

impl Update {
    /// Under which keys it is subscribed to.
    #[must_use]
    pub fn keys(&self) -> [SubscriptionKey; 3] {
        let tenant = &self.order.tenant;
        [
            SubscriptionKey::Order(self.order.clone()),
            SubscriptionKey::Customer(tenant.clone(), self.customer.clone()),
            SubscriptionKey::Tenant(tenant.clone()),
        ]
    }

    /// Whether this subscriber may see it: its key already says so, and its token says it once more.
    #[must_use]
    pub fn may_be_seen_by(&self, subscription: &Subscription) -> bool {
        let is_of_customer = subscription.confined_to.as_ref().is_none_or(|own| *own == self.customer);
        is_of_customer && self.keys().contains(&subscription.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_a_name_without_spaces() {
        for good in ["L0SM9cOFvHcCIhw=", "a", &"x".repeat(128)] {
            assert!(ConnectionId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "ä", "a\n", &"x".repeat(129)] {
            assert!(ConnectionId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
