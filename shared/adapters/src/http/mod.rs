//! Requests and replies: what every HTTP function shares.

mod body;
mod caller;
mod cursor;
mod list_query;
mod outcome;
mod problem;
mod reply;
mod request;
mod serve;

pub use body::{FieldError, Fields, MAX_BODY};
pub use cursor::Cursors;
pub use problem::{Code, Problem};
pub use reply::Reply;
pub use request::ApiRequest;
pub use serve::serve;
