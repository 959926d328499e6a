//! What all environments know of a partner's circuit: one item per partner in a table of its own, written when the
//! state changes and at no other time.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::timestamp::Timestamp;

use crate::config::{self, ConfigError};

/// A call of the circuit table must not cost a request its time, but a new environment has to connect first.
const PATIENCE: Duration = Duration::from_millis(400);

/// The state of a circuit, as `GET /health` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// Calls go through.
    Closed,
    /// Calls are refused until this time; after it one environment may probe.
    Open {
        /// When the next probe may go out.
        until: Timestamp,
    },
}

impl CircuitState {
    /// The word for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
        }
    }
}

/// What became of an environment's wish to probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Election {
    /// This environment probes.
    Elected,
    /// The circuit has closed meanwhile.
    Closed,
    /// Not this environment, not before this time.
    NotBefore(Timestamp),
}

/// The circuit table could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the circuit table gives no answer: {0}")]
pub struct Unreachable(String);

/// The shared circuits of all partners.
#[derive(Debug, Clone)]
pub struct Circuits {
    client: Client,
    table: String,
}

/// The shared circuit of one partner.
#[derive(Debug, Clone)]
pub struct Circuit {
    circuits: Circuits,
    partner: &'static str,
}

impl Circuits {
    /// The table named by `CIRCUITS_TABLE`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(Client::new(aws), config::required("CIRCUITS_TABLE")?))
    }

    /// This table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// One partner's circuit.
    #[must_use]
    pub fn of(&self, partner: &'static str) -> Circuit {
        Circuit { circuits: self.clone(), partner }
    }
}

impl Circuit {
    /// The partner's name.
    #[must_use]
    pub const fn partner(&self) -> &'static str {
        self.partner
    }

    /// Reads the state.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn read(&self) -> Result<CircuitState, Unreachable> {
        let key = AttributeValue::S(self.partner.to_owned());
        let get = self.circuits.client.get_item().table_name(&self.circuits.table).key("pk", key).consistent_read(true);
        let answer = patiently(get.send()).await?.map_err(unreachable)?;
        Ok(answer.item.as_ref().map_or(CircuitState::Closed, state))
    }

    /// Opens the circuit until then. Opening it twice moves the time on.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn open(&self, until: Timestamp) -> Result<(), Unreachable> {
        let number = |at: i64| AttributeValue::N(at.to_string());
        let put = self
            .circuits
            .client
            .put_item()
            .table_name(&self.circuits.table)
            .item("pk", AttributeValue::S(self.partner.to_owned()))
            .item("until", number(until.as_millis()))
            // Nobody left to close it: it must not outlive the trouble by more than this.
            .item("ttl", number(until.plus(Duration::from_secs(3600)).as_secs()));
        patiently(put.send()).await?.map_err(unreachable)?;
        Ok(())
    }

    /// Closes the circuit.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn close(&self) -> Result<(), Unreachable> {
        let key = AttributeValue::S(self.partner.to_owned());
        let delete = self.circuits.client.delete_item().table_name(&self.circuits.table).key("pk", key);
        patiently(delete.send()).await?.map_err(unreachable)?;
        Ok(())
    }

    /// Asks to be the one that probes: the next probe may not go out before `next`.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn elect(&self, now: Timestamp, next: Timestamp) -> Result<Election, Unreachable> {
        let number = |at: Timestamp| AttributeValue::N(at.as_millis().to_string());
        let update = self
            .circuits
            .client
            .update_item()
            .table_name(&self.circuits.table)
            .key("pk", AttributeValue::S(self.partner.to_owned()))
            .update_expression("SET #until = :next")
            .condition_expression("#until <= :now")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":next", number(next))
            .expression_attribute_values(":now", number(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match patiently(update.send()).await? {
            Ok(_) => Ok(Election::Elected),
            Err(error) => match error.into_service_error() {
                UpdateItemError::ConditionalCheckFailedException(refusal) => {
                    Ok(match refusal.item.as_ref().map_or(CircuitState::Closed, state) {
                        CircuitState::Closed => Election::Closed,
                        CircuitState::Open { until } => Election::NotBefore(until),
                    })
                }
                other => Err(unreachable(other)),
            },
        }
    }
}

fn state(item: &HashMap<String, AttributeValue>) -> CircuitState {
    let until = item.get("until").and_then(|until| until.as_n().ok()?.parse().ok());
    until.map_or(CircuitState::Closed, |until| CircuitState::Open { until: Timestamp::from_millis(until) })
}

/// Boxed, or the compiler gives up on the depth of nested futures.
async fn patiently<F: Future + Send>(call: F) -> Result<F::Output, Unreachable> {
    tokio::time::timeout(PATIENCE, Box::pin(call)).await.map_err(|_| Unreachable("it took too long".to_owned()))
}

fn unreachable(error: impl std::error::Error) -> Unreachable {
    Unreachable(aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string())
}
