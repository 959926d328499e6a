//! The query string of `GET /orders`.

use domain::id::CustomerId;
use domain::listing::Limit;
use domain::status::Status;
use domain::timestamp::Timestamp;
use domain::use_cases::ListRequest;

use super::{ApiRequest, query};
use crate::problem::{Fields, Problem};

impl ApiRequest {
    /// What the query string asks for: filters, limit and cursor. The cursor is checked once the list it belongs to is known.
    ///
    /// # Errors
    /// [`crate::problem::Code::InvalidParameter`] naming every parameter that is wrong, unknown or given twice.
    pub fn list_request(&self) -> Result<(ListRequest, Option<String>), Problem> {
        let mut request = ListRequest::default();
        let mut cursor = None;
        query::read(self.query(), Fields::default(), |fields, pointer, name, value| {
            match name {
                "status" => request.status = fields.check(pointer, Status::parse(value)),
                "customer_id" => request.customer = fields.check(pointer, CustomerId::parse(value)),
                "created_after" => request.created_after = fields.check(pointer, Timestamp::parse(value)),
                "created_before" => request.created_before = fields.check(pointer, Timestamp::parse(value)),
                "limit" => request.limit = fields.check(pointer, Limit::parse(value)).unwrap_or_default(),
                "cursor" => cursor = Some(value.to_owned()),
                _ => return false,
            }
            true
        })?;
        Ok((request, cursor))
    }
}
