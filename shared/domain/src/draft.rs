//! What a client asks for.

use crate::address::Address;
use crate::id::CustomerId;
use crate::line::RequestedLines;
use crate::metadata::Metadata;
use crate::text::{ExternalReference, Notes};

/// Everything of an order that comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDraft {
    /// Whose order it is.
    pub customer: CustomerId,
    /// What is ordered.
    pub lines: RequestedLines,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// The caller's own pairs.
    pub metadata: Metadata,
    /// The caller's own reference.
    pub external_reference: Option<ExternalReference>,
    /// Free text.
    pub notes: Option<Notes>,
}
