//! How many units of a product.

use crate::invalid::{Invalid, InvalidCode};

/// A number of units of one product: 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quantity(u32);

impl Quantity {
    /// The most units one line can hold.
    pub const MAX: u32 = 10_000;

    /// Parses a number of units.
    ///
    /// # Errors
    /// [`InvalidCode::OutOfRange`] outside 1 to 10,000.
    pub fn new(units: u32) -> Result<Self, Invalid> {
        if (1..=Self::MAX).contains(&units) {
            Ok(Self(units))
        } else {
            Err(Invalid::new(InvalidCode::OutOfRange, format_args!("must be from 1 to {}", Self::MAX)))
        }
    }

    /// A number of units as it was stored, whatever the bounds were then.
    #[must_use]
    pub const fn restore(units: u32) -> Self {
        Self(units)
    }

    /// The number of units.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}
