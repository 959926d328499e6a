//! Who makes a request, and what it may do.

use crate::id::{CustomerId, TenantId};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read orders.
    Read,
    /// Create and change orders.
    Write,
    /// Everything.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The form in the `scope` claim.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "orders:read",
            Self::Write => "orders:write",
            Self::Admin => "orders:admin",
        }
    }
}

/// The authenticated party behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The storefront it acts for.
    pub tenant: TenantId,
    /// The token's `sub`: it stands in the order's history.
    pub subject: String,
    /// What the token allows.
    pub scopes: Vec<Scope>,
    /// When present, the only customer whose orders the caller may see or make.
    pub customer: Option<CustomerId>,
}

/// The token lacks a scope or is confined to another customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The scope that is missing.
    #[error("the token lacks the scope {}", .0.as_str())]
    MissingScope(Scope),
    /// The caller is confined to another customer.
    #[error("the token is confined to another customer")]
    OtherCustomer,
    /// A customer does not do this, also not with an own order.
    #[error("the token is confined to a customer")]
    Confined,
}

impl Caller {
    /// Lets the caller pass when its token holds `scope` or `orders:admin`.
    ///
    /// # Errors
    /// [`Forbidden::MissingScope`].
    pub fn require(&self, scope: Scope) -> Result<&Self, Forbidden> {
        if self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin) {
            Ok(self)
        } else {
            Err(Forbidden::MissingScope(scope))
        }
    }

    /// Lets the caller pass when it acts for the whole storefront: a customer neither moves orders along nor deletes them.
    ///
    /// # Errors
    /// [`Forbidden::Confined`].
    pub const fn require_storefront(&self) -> Result<&Self, Forbidden> {
        if self.customer.is_none() { Ok(self) } else { Err(Forbidden::Confined) }
    }

    /// Whether the caller may see and make orders of this customer.
    #[must_use]
    pub fn may_act_for(&self, customer: &CustomerId) -> bool {
        self.customer.as_ref().is_none_or(|own| own == customer)
    }
}
