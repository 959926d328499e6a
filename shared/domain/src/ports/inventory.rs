//! The inventory service.

use crate::id::ProductId;
use crate::line::Product;
use crate::ports::Unavailable;
use crate::reservation::{Reservation, ReservationId, Shortage};

/// Knows products and holds stock.
pub trait InventoryService: Send + Sync {
    /// Looks products up. A product that is missing from the answer does not exist.
    ///
    /// # Errors
    /// [`Unavailable`] when the service gives no usable answer in time.
    fn products(&self, ids: &[ProductId]) -> impl Future<Output = Result<Vec<Product>, Unavailable>> + Send;

    /// Holds every line or none. Repeating a reservation changes nothing.
    ///
    /// # Errors
    /// MUST return [`ReserveError::OutOfStock`] when a line cannot be held, with nothing held.
    /// [`ReserveError::Unavailable`]: the lines may be held or not.
    fn reserve(&self, reservation: &Reservation) -> impl Future<Output = Result<(), ReserveError>> + Send;

    /// Keeps a hold for good: it no longer expires. Repeating it changes nothing.
    ///
    /// # Errors
    /// MUST return [`ConfirmError::Expired`] when nothing is held any more.
    /// [`ConfirmError::Unavailable`]: the hold may be kept or not.
    fn confirm(&self, id: ReservationId) -> impl Future<Output = Result<(), ConfirmError>> + Send;

    /// Gives a hold back. Releasing what is not held succeeds.
    ///
    /// # Errors
    /// [`Unavailable`]: the lines may still be held.
    fn release(&self, id: ReservationId) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// Why a hold is not known to be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// Nothing is held any more.
    #[error("the reservation has expired")]
    Expired,
    /// The service gave no usable answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why nothing is known to be held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// Fewer units are free than asked for; nothing is held.
    #[error("out of stock")]
    OutOfStock(Vec<Shortage>),
    /// The service gave no usable answer; the lines may be held or not.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
