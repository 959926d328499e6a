//! What others would notice: these tests run one after another.

mod issuer;
pub mod outage;
mod reconcile;
