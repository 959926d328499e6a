//! Customers in memory.

use std::collections::BTreeMap;

use crate::id::{CustomerId, TenantId};
use crate::order::Contact;
use crate::ports::{CustomerService, Unavailable};

/// Knows a fixed set of customers.
#[derive(Debug, Clone, Default)]
pub struct MemoryCustomers {
    /// The customers; `None` answers that the service is unavailable.
    pub known: Option<BTreeMap<CustomerId, Contact>>,
}

impl CustomerService for MemoryCustomers {
    async fn find(&self, _: &TenantId, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        let known = self.known.as_ref().ok_or_else(|| super::inventory::down("customers"))?;
        Ok(known.get(id).cloned())
    }
}
