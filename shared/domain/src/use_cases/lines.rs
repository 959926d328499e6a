//! Why lines cannot be had: what placing, editing and completing an order share.

use crate::line::PricingError;
use crate::order::CancelReason;
use crate::ports::{ReserveError, Unavailable};
use crate::reservation::Shortage;

/// Why the inventory service does not give an order its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinesError {
    /// They cannot be priced.
    #[error(transparent)]
    Pricing(#[from] PricingError),
    /// Fewer units are free than asked for.
    #[error("out of stock")]
    OutOfStock(Vec<Shortage>),
    /// The inventory service does not accept the reservation.
    #[error("the inventory service refuses the reservation")]
    ReservationRefused,
}

impl LinesError {
    /// What a failed reservation means for the lines.
    ///
    /// # Errors
    /// [`Unavailable`] when it means nothing yet.
    pub(super) fn from_reserve(error: ReserveError) -> Result<Self, Unavailable> {
        match error {
            ReserveError::OutOfStock(shortages) => Ok(Self::OutOfStock(shortages)),
            ReserveError::Refused => Ok(Self::ReservationRefused),
            ReserveError::Unavailable(unavailable) => Err(unavailable),
        }
    }
}

impl From<LinesError> for CancelReason {
    fn from(error: LinesError) -> Self {
        match error {
            LinesError::Pricing(PricingError::UnknownProducts(_)) => Self::UnknownProduct,
            LinesError::Pricing(PricingError::Money(_)) => Self::InvalidTotal,
            LinesError::OutOfStock(_) => Self::OutOfStock,
            LinesError::ReservationRefused => Self::ReservationRefused,
        }
    }
}
