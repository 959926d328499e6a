//! The machine's clock and randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::id::OrderId;
use domain::ports::{Clock, Ids};
use domain::timestamp::Timestamp;
use uuid::Uuid;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Random, time-ordered ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn order_id(&self) -> OrderId {
        OrderId::from_uuid(Uuid::now_v7())
    }
}
