//! The query string of `GET /orders`.

use domain::id::CustomerId;
use domain::listing::Limit;
use domain::status::Status;
use domain::timestamp::Timestamp;
use domain::use_cases::ListRequest;
use lambda_http::aws_lambda_events::query_map::QueryMap;

use crate::problem::{Code, Fields, Problem};

/// Reads filters, limit and cursor; the cursor is checked once the list it belongs to is known.
pub(super) fn parse(query: Option<&QueryMap>) -> Result<(ListRequest, Option<String>), Problem> {
    let mut fields = Fields::default();
    let mut request = ListRequest::default();
    let mut cursor = None;
    let mut seen = Vec::new();
    for (name, value) in query.into_iter().flat_map(QueryMap::iter) {
        let pointer = format!("?{name}");
        if seen.contains(&name) {
            fields.refuse(pointer, "duplicate_parameter", "this parameter is given twice");
            continue;
        }
        seen.push(name);
        match name {
            "status" => request.status = fields.check(pointer, Status::parse(value)),
            "customer_id" => request.customer = fields.check(pointer, CustomerId::parse(value)),
            "created_after" => request.created_after = fields.check(pointer, Timestamp::parse(value)),
            "created_before" => request.created_before = fields.check(pointer, Timestamp::parse(value)),
            "limit" => request.limit = fields.check(pointer, Limit::parse(value)).unwrap_or_default(),
            "cursor" => cursor = Some(value.to_owned()),
            _ => fields.refuse(pointer, "unknown_parameter", "this parameter does not exist"),
        }
    }
    let mut errors = fields.into_errors();
    // The parameters come in no order.
    errors.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    if errors.is_empty() { Ok((request, cursor)) } else { Err(Problem::new(Code::InvalidParameter).errors(errors)) }
}
