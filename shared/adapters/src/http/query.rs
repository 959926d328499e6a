//! Query strings: each parameter once, and everything that is wrong named at once.

use lambda_http::aws_lambda_events::query_map::QueryMap;

use crate::problem::{Code, Fields, Problem};

/// Hands each parameter to `take`, as pointer, name and value; whether it knows the name is what that answers.
///
/// # Errors
/// [`Code::InvalidParameter`] naming every parameter that is wrong, unknown or given twice.
pub(super) fn read(
    query: Option<&QueryMap>,
    mut fields: Fields,
    mut take: impl FnMut(&mut Fields, &str, &str, &str) -> bool,
) -> Result<(), Problem> {
    let mut seen = Vec::new();
    for (name, value) in query.into_iter().flat_map(QueryMap::iter) {
        let pointer = format!("?{name}");
        if seen.contains(&name) {
            fields.refuse(pointer, "duplicate_parameter", "this parameter is given twice");
            continue;
        }
        seen.push(name);
        if !take(&mut fields, &pointer, name, value) {
            fields.refuse(pointer, "unknown_parameter", "this parameter does not exist");
        }
    }
    finish(fields)
}

/// # Errors
/// [`Code::InvalidParameter`] with what is wrong.
pub(super) fn finish(fields: Fields) -> Result<(), Problem> {
    let mut errors = fields.into_errors();
    // The parameters come in no order.
    errors.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    if errors.is_empty() { Ok(()) } else { Err(Problem::new(Code::InvalidParameter).errors(errors)) }
}
