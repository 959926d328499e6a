//! The follow-ups of orders: what run-follow-ups and sweep-follow-ups share, and how the sweep tells what waits.

use std::time::Duration;

use aws_config::SdkConfig;
use domain::timestamp::Timestamp;
use domain::use_cases::{FollowUps, Swept};
use serde_json::{Value, json};

use crate::config::{self, ConfigError};
use crate::connections;
use crate::outbound::{Circuits, PartnerClient, Role};
use crate::partners::{SelectedCustomers, SelectedInventory};
use crate::store::DynamoStore;
use crate::telemetry;

/// Wires follow-ups with the table and the partners that the environment names, and connects to them; an order may stay
/// pending for `PENDING_TIMEOUT_HOURS`.
///
/// # Errors
/// [`ConfigError`] when a variable is missing or not valid.
pub async fn connected(
    aws: &SdkConfig,
) -> Result<FollowUps<DynamoStore, SelectedCustomers, SelectedInventory>, ConfigError> {
    let (client, circuits) = (PartnerClient::new()?, Circuits::from_env(aws)?);
    let hours: u64 = config::parsed("PENDING_TIMEOUT_HOURS")?;
    let follow_ups = FollowUps {
        store: DynamoStore::from_env(aws)?,
        customers: SelectedCustomers::from_env(&client, &circuits, Role::Obeys)?,
        inventory: SelectedInventory::from_env(&client, &circuits, Role::Obeys)?,
        pending_timeout: Duration::from_secs(hours * 3_600),
    };
    let FollowUps { customers, inventory, .. } = &follow_ups;
    connections::made([circuits.connection(), customers.connection(), inventory.connection()]).await;
    Ok(follow_ups)
}

/// Writes what a sweep that ended at `at` found as metrics, by the function's name. Alarms of template.yaml watch them.
pub fn tell(swept: &Swept, at: Timestamp) {
    telemetry::metric(metrics(swept, at, config::optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default()));
}

fn metrics(swept: &Swept, at: Timestamp, function: String) -> Value {
    let waited = swept.waits_since.map_or(0, |since| at.as_secs().saturating_sub(since.as_secs()).max(0));
    json!({
        "_aws": {
            "Timestamp": at.as_millis(),
            "CloudWatchMetrics": [{
                "Namespace": "Orders",
                "Dimensions": [["FunctionName"]],
                "Metrics": [{"Name": "OldestFollowUp", "Unit": "Seconds"}, {"Name": "FollowUpsPutOff", "Unit": "Count"}],
            }],
        },
        "FunctionName": function,
        "OldestFollowUp": waited,
        "FollowUpsPutOff": swept.put_off,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_tells_how_long_the_oldest_follow_up_waits_and_what_it_put_off() {
        let at = Timestamp::from_secs(1_767_225_600);
        let swept = Swept { put_off: 3, waits_since: Some(at.minus(Duration::from_secs(7_200))), ..Swept::default() };
        let metrics = metrics(&swept, at, "sweep".to_owned());
        assert_eq!((&metrics["OldestFollowUp"], &metrics["FollowUpsPutOff"]), (&json!(7_200), &json!(3)));
        let named = metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        assert!(named.iter().all(|metric| metrics[metric["Name"].as_str().unwrap()].is_number()));
    }

    #[test]
    fn a_sweep_that_found_nothing_tells_that_nothing_waits() {
        let metrics = metrics(&Swept::default(), Timestamp::from_secs(1_767_225_600), String::new());
        assert_eq!(metrics["OldestFollowUp"], 0);
    }
}
