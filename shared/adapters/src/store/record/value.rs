//! Values within an item: how text is written, and what cannot be read.

use domain::invalid::Invalid;
use domain::money::MoneyError;
use domain::ports::StoreError;
use domain::text::Text;

/// An item that this release cannot read as an order.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The attributes are not those of an order.
    #[error("the item's attributes do not fit: {0}")]
    Shape(#[from] serde_dynamo::Error),
    /// A value has another shape than ever was stored.
    #[error("a value is not valid: {0}")]
    Value(#[from] Invalid),
    /// Amounts do not add up.
    #[error("amounts do not add up: {0}")]
    Money(#[from] MoneyError),
    /// A value cannot be read.
    #[error("not a valid {0}")]
    NotA(&'static str),
    /// The item is of a newer release, which can read it.
    #[error("the item has format {0}, which is newer than this release")]
    Newer(u64),
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
