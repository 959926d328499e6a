//! The customer service.

use crate::id::{CustomerId, TenantId};
use crate::order::Contact;
use crate::ports::Unavailable;

/// Knows customers.
pub trait CustomerService: Send + Sync {
    /// Looks a customer of this storefront up. `None`: it has no such customer.
    ///
    /// # Errors
    /// [`Unavailable`] when the service gives no usable answer in time.
    fn find(
        &self,
        tenant: &TenantId,
        id: &CustomerId,
    ) -> impl Future<Output = Result<Option<Contact>, Unavailable>> + Send;
}
