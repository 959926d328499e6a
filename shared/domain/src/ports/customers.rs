//! The customer service.

use crate::id::CustomerId;
use crate::order::Contact;
use crate::ports::Unavailable;

/// Knows customers.
pub trait CustomerService: Send + Sync {
    /// Looks a customer up. `None`: there is no such customer.
    ///
    /// # Errors
    /// [`Unavailable`] when the service gives no usable answer in time.
    fn find(&self, id: &CustomerId) -> impl Future<Output = Result<Option<Contact>, Unavailable>> + Send;
}
