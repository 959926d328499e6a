//! What a client asks for.

use crate::details::Details;
use crate::id::CustomerId;
use crate::line::RequestedLines;

/// Everything of an order that comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDraft {
    /// Whose order it is.
    pub customer: CustomerId,
    /// What is ordered.
    pub lines: RequestedLines,
    /// Everything else that it says.
    pub details: Details,
}
