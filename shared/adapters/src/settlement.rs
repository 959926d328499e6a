//! The settlement of orders, wired: what settle-inventory and sweep-orders share.

use aws_config::SdkConfig;
use domain::use_cases::SettleOrder;

use crate::config::ConfigError;
use crate::outbound::{Circuits, PartnerClient};
use crate::partners::{SelectedCustomers, SelectedInventory};
use crate::store::DynamoStore;

/// Settlement with the table and the partners that the environment names.
pub type Settlement = SettleOrder<DynamoStore, SelectedCustomers, SelectedInventory>;

/// Wires settlement.
///
/// # Errors
/// [`ConfigError`] when a variable is missing or not valid.
pub fn from_env(aws: &SdkConfig) -> Result<Settlement, ConfigError> {
    let (client, circuits) = (PartnerClient::new()?, Circuits::from_env(aws)?);
    Ok(SettleOrder {
        store: DynamoStore::from_env(aws)?,
        customers: SelectedCustomers::from_env(&client, &circuits)?,
        inventory: SelectedInventory::from_env(&client, &circuits)?,
    })
}
