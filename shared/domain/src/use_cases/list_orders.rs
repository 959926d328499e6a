//! What a client may list, and which index answers it.

use crate::caller::{Caller, Forbidden};
use crate::id::CustomerId;
use crate::listing::{Filter, Limit, ListQuery, Position};
use crate::status::Status;
use crate::timestamp::Timestamp;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRequest {
    /// Only orders of this status.
    pub status: Option<Status>,
    /// Only orders of this customer.
    pub customer: Option<CustomerId>,
    /// Only orders created later than this.
    pub created_after: Option<Timestamp>,
    /// Only orders created earlier than this.
    pub created_before: Option<Timestamp>,
    /// Where the page before ended.
    pub after: Option<Position>,
    /// How many rows.
    pub limit: Limit,
}

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// No index answers this combination of filters.
    #[error("no index answers this combination of filters")]
    NoIndex,
    /// The caller sees one customer's orders only, and no index answers a status of those.
    #[error("no index answers the status of one customer's orders")]
    Confined,
    /// The caller may not see this customer's orders.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
}

impl ListRequest {
    /// The query of this request. A caller confined to a customer sees that customer's orders only.
    ///
    /// # Errors
    /// [`ListError::NoIndex`] for status and customer at once, [`ListError::Confined`] for a status where the caller is
    /// confined to a customer, [`ListError::Forbidden`] for another customer.
    pub fn for_caller(self, caller: &Caller) -> Result<ListQuery, ListError> {
        if self.customer.as_ref().is_some_and(|customer| !caller.may_act_for(customer)) {
            return Err(Forbidden::OtherCustomer.into());
        }
        let filter = match (self.status, self.customer, &caller.customer) {
            (Some(_), Some(_), _) => return Err(ListError::NoIndex),
            (Some(_), None, Some(_)) => return Err(ListError::Confined),
            (Some(status), None, None) => Filter::Status(status),
            (None, Some(customer), _) => Filter::Customer(customer),
            (None, None, Some(own)) => Filter::Customer(own.clone()),
            (None, None, None) => Filter::All,
        };
        Ok(ListQuery {
            tenant: caller.tenant.clone(),
            filter,
            created_after: self.created_after,
            created_before: self.created_before,
            after: self.after,
            limit: self.limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::sample;

    fn customer(id: &str) -> CustomerId {
        CustomerId::parse(id).unwrap()
    }

    #[test]
    fn status_and_customer_at_once_have_no_index() {
        let request =
            ListRequest { status: Some(Status::Shipped), customer: Some(customer("cust-1")), ..ListRequest::default() };
        assert_eq!(request.for_caller(&sample::caller()), Err(ListError::NoIndex));
    }

    #[test]
    fn a_confined_caller_lists_its_own_customer_only() {
        let confined = Caller { customer: Some(customer("cust-1")), ..sample::caller() };
        let own = ListRequest::default().for_caller(&confined).unwrap();
        assert_eq!(own.filter, Filter::Customer(customer("cust-1")));
        let other = ListRequest { customer: Some(customer("cust-2")), ..ListRequest::default() };
        assert_eq!(other.for_caller(&confined), Err(ListError::Forbidden(Forbidden::OtherCustomer)));
        let status = ListRequest { status: Some(Status::Shipped), ..ListRequest::default() };
        assert_eq!(status.for_caller(&confined), Err(ListError::Confined));
    }
}
