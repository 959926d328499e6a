//! The follow-ups of orders: what run-follow-ups and sweep-follow-ups share, and how the sweep tells what waits.

use std::time::Duration;

use aws_config::SdkConfig;
use domain::timestamp::Timestamp;
use domain::use_cases::{FollowUps, Swept};

use crate::config::{self, ConfigError};
use crate::outbound::{Circuits, Role};
use crate::partners::{self, SelectedCustomers, SelectedInventory};
use crate::store::DynamoStore;
use crate::telemetry::{self, metrics};

/// Wires follow-ups with the table and the partners that the environment names, and connects to them; an order may stay
/// pending for `PENDING_TIMEOUT_HOURS`. Whoever begins many orders at once reads `circuits` before: calls that begin
/// together do not wait for the first of them to learn that a circuit is open.
///
/// # Errors
/// [`ConfigError`] when a variable is missing or not valid.
pub async fn connected(
    aws: &SdkConfig,
    circuits: &Circuits,
) -> Result<FollowUps<DynamoStore, SelectedCustomers, SelectedInventory>, ConfigError> {
    let hours: u64 = config::parsed("PENDING_TIMEOUT_HOURS")?;
    let pending_timeout = Duration::from_secs(hours * 3_600);
    let (customers, inventory) = partners::connected(circuits, Role::Obeys).await?;
    Ok(FollowUps { store: DynamoStore::from_env(aws)?, customers, inventory, pending_timeout })
}

/// Notes what a sweep that ended at `at` found. Alarms of template.yaml watch it.
pub fn tell(swept: &Swept, at: Timestamp) {
    let Swept { done, postponed, put_off, failed, unread: _, waits_since } = swept;
    let waited = waits_since.map_or(0, |since| at.as_secs().saturating_sub(since.as_secs()));
    telemetry::measured(
        &metrics::OLDEST_FOLLOW_UP,
        Duration::from_secs(u64::try_from(waited).unwrap_or(0)).as_secs_f64(),
    );
    telemetry::count(&metrics::FOLLOW_UP_ATTEMPTS, done + postponed + put_off + failed);
    telemetry::count(&metrics::FOLLOW_UPS_POSTPONED, *postponed);
    telemetry::count(&metrics::FOLLOW_UPS_PUT_OFF, *put_off);
    telemetry::count(&metrics::FOLLOW_UPS_FAILED, *failed);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::telemetry::Line;

    async fn told(swept: Swept) -> Value {
        let at = Timestamp::from_secs(1_767_225_600);
        telemetry::noting(async { tell(&swept, at) }).await.1.tell(Line::info("swept")).into_json()
    }

    #[tokio::test]
    async fn a_sweep_tells_how_long_the_oldest_follow_up_waits_and_what_it_put_off() {
        let since = Timestamp::from_secs(1_767_225_600).minus(Duration::from_secs(7_200));
        let line = told(Swept { put_off: 3, postponed: 2, waits_since: Some(since), ..Swept::default() }).await;
        assert_eq!((&line["OldestFollowUp"], &line["FollowUpsPutOff"]), (&json!([7_200]), &json!(3)));
        assert_eq!((&line["FollowUpAttempts"], &line["FollowUpsPostponed"]), (&json!(5), &json!(2)));
    }

    #[tokio::test]
    async fn a_sweep_that_found_nothing_tells_that_nothing_waits() {
        assert_eq!(told(Swept::default()).await["OldestFollowUp"], json!([0]));
    }
}
