//! The inventory service.

use crate::id::{ProductId, TenantId};
use crate::line::Product;
use crate::ports::Unavailable;
use crate::reservation::{Reservation, ReservationId, Shortage};

/// Knows products and reserves stock.
///
/// A released reservation is final: MUST refuse to reserve or confirm an id that was released, even when the release
/// came first. So a late call cannot take what was given up, and a release is needed once.
pub trait InventoryService: Send + Sync {
    /// Looks products of this storefront up. A product that is missing from the answer does not exist.
    ///
    /// # Errors
    /// [`Unavailable`] when the service gives no usable answer in time.
    fn products(
        &self,
        tenant: &TenantId,
        ids: &[ProductId],
    ) -> impl Future<Output = Result<Vec<Product>, Unavailable>> + Send;

    /// Reserves every line or none, until it is confirmed, released or expired. Repeating a reservation changes nothing;
    /// one that expired is made anew.
    ///
    /// The units of the reservation that it replaces count as available: all that are linked by `replaces` reserve together,
    /// of each product, what the one of them reserves that asks for the most, also once some of them were released or
    /// expired. What replaced such a one replaces what it replaced. One that is gone counts nothing.
    ///
    /// # Errors
    /// MUST return [`ReserveError::OutOfStock`] when a line cannot be reserved and [`ReserveError::Refused`] when the
    /// reservation can never be made, both with nothing reserved.
    /// [`ReserveError::Unavailable`]: the lines may be reserved or not.
    fn reserve(&self, reservation: &Reservation) -> impl Future<Output = Result<(), ReserveError>> + Send;

    /// Makes a reservation permanent, and releases the one it replaces, what that one replaces in turn, and so on. Others
    /// that replace it or the same one stay as they are. Repeating it changes nothing.
    ///
    /// # Errors
    /// MUST return [`ConfirmError::NotReserved`] when the reservation expired, was released or is not known.
    /// [`ConfirmError::Unavailable`]: it may be permanent or not.
    fn confirm(&self, tenant: &TenantId, id: ReservationId) -> impl Future<Output = Result<(), ConfirmError>> + Send;

    /// Releases a reservation for ever, also one that was never made. Others that it is linked with stay as they were.
    /// Repeating it changes nothing.
    ///
    /// # Errors
    /// [`Unavailable`]: the lines may still be reserved.
    fn release(&self, tenant: &TenantId, id: ReservationId) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// Why a reservation is not known to be permanent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// Nothing is reserved under this id.
    #[error("the reservation expired or was released")]
    NotReserved,
    /// The service gave no usable answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why nothing is known to be reserved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// Fewer units are free than asked for; nothing is reserved.
    #[error("out of stock")]
    OutOfStock(Vec<Shortage>),
    /// The id was released, or the service does not accept the request; repeating it is of no use. Nothing is reserved.
    #[error("the inventory service refuses the reservation")]
    Refused,
    /// The service gave no usable answer; the lines may be reserved or not.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
