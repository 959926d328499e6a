//! What others of the same stack would notice: these tests run one after another, on a stack of their own.

mod issuer;
pub mod outage;
mod reconcile;
