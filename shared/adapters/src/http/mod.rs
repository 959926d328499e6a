//! Requests and replies: what every HTTP function shares.

mod batch;
mod body;
mod caller;
mod cors;
mod cursor;
mod export;
pub(crate) mod headers;
mod line;
mod list_query;
mod methods;
mod query;
mod reply;
mod report_query;
mod request;
mod request_headers;
mod serve;
mod strict;
mod versioning;

pub use crate::problem::Problem;
pub use body::MAX_BODY;
pub(crate) use body::read as read_json;
pub(crate) use caller::{Claims, caller_of, end_of};
pub use cursor::Cursors;
pub use methods::ROUTES;
pub use reply::Reply;
pub use request::ApiRequest;
pub use serve::{Exchange, serve};
pub use versioning::{API_VERSION, DEPRECATED, Deprecated};
