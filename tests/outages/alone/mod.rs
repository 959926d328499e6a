//! What others would notice: these tests run one after another.

mod circuit;
mod issuer;
mod outage;
mod reconcile;
mod slow;
