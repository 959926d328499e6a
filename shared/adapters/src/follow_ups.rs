//! The follow-ups of orders, wired: what run-follow-ups and sweep-follow-ups share.

use std::time::Duration;

use aws_config::SdkConfig;
use domain::use_cases::FollowUps;

use crate::config::{self, ConfigError};
use crate::connections;
use crate::outbound::{Circuits, PartnerClient, Role};
use crate::partners::{SelectedCustomers, SelectedInventory};
use crate::store::DynamoStore;

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
