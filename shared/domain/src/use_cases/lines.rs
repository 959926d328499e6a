//! Why lines cannot be had: what placing, editing and completing an order share.

use crate::line::PricingError;
use crate::order::CancelReason;
use crate::ports::{InventoryService, ReserveError, Unavailable};
use crate::reservation::{Reservation, ReservationId, Shortage};

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

/// Reserves lines in place of one of the reservations that the order may still have, the newest first: which of them has
/// the units only the inventory service knows, because any of them may have expired. A service that does not accept one
/// of them is asked with the next, and at last with none.
///
/// # Errors
/// [`ReserveError`], that of the last attempt.
pub(super) async fn reserve_in_place_of(
    inventory: &impl InventoryService,
    reservation: Reservation,
    earlier: impl IntoIterator<Item = ReservationId>,
) -> Result<(), ReserveError> {
    let mut earlier = earlier.into_iter();
    let mut wanted = Reservation { replaces: earlier.next(), ..reservation };
    loop {
        match (inventory.reserve(&wanted).await, earlier.next()) {
            (Err(ReserveError::OutOfStock(_) | ReserveError::Refused), Some(next)) => wanted.replaces = Some(next),
            (Err(ReserveError::Refused), None) if wanted.replaces.is_some() => wanted.replaces = None,
            (outcome, _) => return outcome,
        }
    }
}
