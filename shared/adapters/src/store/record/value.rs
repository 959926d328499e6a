//! Values within an item: how they are written and read, and what cannot be read.

use domain::invalid::Invalid;
use domain::money::MoneyError;
use domain::ports::StoreError;
use domain::status::Inventory;
use domain::text::Text;

/// An item that is not an order.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The attributes are not those of an order.
    #[error("the item's attributes do not fit: {0}")]
    Shape(#[from] serde_dynamo::Error),
    /// A value breaks its rule.
    #[error("a value is not valid: {0}")]
    Value(#[from] Invalid),
    /// Amounts do not add up.
    #[error("amounts do not add up: {0}")]
    Money(#[from] MoneyError),
    /// A value is not one this version knows.
    #[error("unknown {what}")]
    Unknown {
        /// The kind of value.
        what: &'static str,
    },
}

impl From<DecodeError> for StoreError {
    fn from(error: DecodeError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Text to store.
pub(super) fn owned<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

pub(in crate::store) fn inventory(text: &str) -> Result<Inventory, DecodeError> {
    let known = Inventory::ALL.into_iter().find(|state| state.as_str() == text);
    known.ok_or(DecodeError::Unknown { what: "inventory state" })
}
