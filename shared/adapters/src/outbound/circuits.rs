//! What all environments know of the partners' circuits: one item for all of them, in a table of its own, written when
//! an environment votes or a state changes, and at no other time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::timestamp::Timestamp;
use uuid::Uuid;

use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::telemetry::{self, metrics};

/// A call of the circuit table must not cost a request its time, but a new environment has to connect first.
const PATIENCE: Duration = Duration::from_millis(400);

/// How old the shared state may be that a closed circuit relies on.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// The key of the item.
const ITEM: &str = "circuits";

/// So many environments must vote for opening a circuit for all.
pub(super) const VOTES: usize = 3;

/// How long a vote counts.
const VOTE_COUNTS_FOR: Duration = Duration::from_secs(10);

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
    /// Whether it is open.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open { .. })
    }

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

/// What became of a vote for opening a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vote {
    /// Too few have voted.
    Alone,
    /// It was open already.
    WasOpen(Timestamp),
    /// This vote opened it for all, until then.
    Opened(Timestamp),
}

/// The circuit table could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the circuit table gives no answer: {0}")]
pub struct Unreachable(String);

/// The shared circuits of all partners.
#[derive(Debug, Clone)]
pub struct Circuits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    client: Client,
    table: String,
    /// Names this environment's votes.
    environment: Uuid,
    known: Mutex<Known>,
}

/// The item as this environment read it last.
#[derive(Debug, Default)]
struct Known {
    open: BTreeMap<String, Timestamp>,
    read_at: Option<Instant>,
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
        let (environment, known) = (Uuid::now_v7(), Mutex::default());
        Self(Arc::new(Shared { client, table: table.into(), environment, known }))
    }

    /// One partner's circuit.
    #[must_use]
    pub fn of(&self, partner: &'static str) -> Circuit {
        Circuit { circuits: self.clone(), partner }
    }

    /// Reads the item, with eventual consistency: half a read unit.
    ///
    /// # Errors
    /// [`Unreachable`]; what was known stays known.
    pub async fn refresh(&self) -> Result<(), Unreachable> {
        self.known().read_at = Some(Instant::now());
        let key = AttributeValue::S(ITEM.to_owned());
        let answer = patiently(self.0.client.get_item().table_name(&self.0.table).key("pk", key).send()).await?;
        let item = answer.map_err(unreachable)?.item.unwrap_or_default();
        self.known().open = item.iter().filter_map(|(name, value)| Some((open(name)?, time(value)?))).collect();
        Ok(())
    }

    /// Notes which circuits are open.
    pub async fn measure(&self) {
        if let Err(error) = self.refresh().await {
            return telemetry::failed(format_args!("the circuits cannot be read: {error}"));
        }
        for (partner, metric) in metrics::CIRCUITS {
            telemetry::count(metric, usize::from(self.of(partner).state().is_open()));
        }
    }

    /// Learns the states, and makes a connection to `DynamoDB`, before they are needed.
    pub fn connection(&self) -> Connection {
        let circuits = self.clone();
        Box::pin(async move {
            if let Err(error) = circuits.refresh().await {
                tracing::warn!(cause = %error, "the circuits are not known yet");
            }
        })
    }

    /// Reads the item beside the call that goes on, when what is known is old: at most one read for all partners.
    pub(super) fn refresh_when_stale(&self) {
        if self.known().read_at.is_some_and(|at| at.elapsed() < FRESH_FOR) {
            return;
        }
        self.known().read_at = Some(Instant::now());
        let circuits = self.clone();
        tokio::spawn(async move {
            if let Err(error) = circuits.refresh().await {
                tracing::warn!(cause = %error, "the circuits fail open");
            }
        });
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self) -> UpdateItemFluentBuilder {
        let key = AttributeValue::S(ITEM.to_owned());
        self.0.client.update_item().table_name(&self.0.table).key("pk", key)
    }
}

impl Circuit {
    /// The partner's name.
    #[must_use]
    pub const fn partner(&self) -> &'static str {
        self.partner
    }

    /// The state as it was read last.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        let until = self.circuits.known().open.get(self.partner).copied();
        until.map_or(CircuitState::Closed, |until| CircuitState::Open { until })
    }

    pub(super) fn refresh_when_stale(&self) {
        self.circuits.refresh_when_stale();
    }

    /// Votes for opening the circuit. The third environment to do so within ten seconds opens it for all, until `until`.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn vote(&self, now: Timestamp, until: Timestamp) -> Result<Vote, Unreachable> {
        let vote = self
            .circuits
            .update()
            .update_expression("SET #vote = :now, #ttl = :ttl")
            .expression_attribute_names("#vote", format!("{}{}", self.votes(), self.circuits.0.environment.simple()))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":ttl", forgotten_at(now))
            .return_values(ReturnValue::AllNew);
        let item = patiently(vote.send()).await?.map_err(unreachable)?.attributes.unwrap_or_default();
        if let Some(until) = item.get(&self.name()).and_then(time) {
            self.learn(Some(until));
            return Ok(Vote::WasOpen(until));
        }
        let prefix = self.votes();
        let votes = item.iter().filter(|(name, _)| name.starts_with(&prefix));
        let (fresh, old): (Vec<_>, Vec<_>) =
            votes.partition(|(_, at)| time(at).is_some_and(|at| now < at.plus(VOTE_COUNTS_FOR)));
        let names = |votes: Vec<(&String, _)>| votes.into_iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if fresh.len() < VOTES {
            self.forget(names(old)).await?;
            return Ok(Vote::Alone);
        }
        self.open(now, until, names(fresh).into_iter().chain(names(old)).collect()).await?;
        Ok(Vote::Opened(until))
    }

    /// Opens the circuit, and forgets the votes that did so.
    async fn open(&self, now: Timestamp, until: Timestamp, votes: Vec<String>) -> Result<(), Unreachable> {
        let removed: Vec<String> = (0..votes.len()).map(|n| format!("#v{n}")).collect();
        let mut open = self
            .circuits
            .update()
            .update_expression(format!("SET #open = :until, #ttl = :ttl REMOVE {}", removed.join(", ")))
            .expression_attribute_names("#open", self.name())
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":until", number(until.as_millis()))
            .expression_attribute_values(":ttl", forgotten_at(now));
        for (placeholder, vote) in removed.into_iter().zip(votes) {
            open = open.expression_attribute_names(placeholder, vote);
        }
        patiently(open.send()).await?.map_err(unreachable)?;
        self.learn(Some(until));
        Ok(())
    }

    /// Removes attributes of the item.
    async fn forget(&self, attributes: Vec<String>) -> Result<(), Unreachable> {
        if attributes.is_empty() {
            return Ok(());
        }
        let removed: Vec<String> = (0..attributes.len()).map(|n| format!("#a{n}")).collect();
        let mut update = self.circuits.update().update_expression(format!("REMOVE {}", removed.join(", ")));
        for (placeholder, attribute) in removed.into_iter().zip(attributes) {
            update = update.expression_attribute_names(placeholder, attribute);
        }
        patiently(update.send()).await?.map_err(unreachable)?;
        Ok(())
    }

    /// Closes the circuit.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn close(&self) -> Result<(), Unreachable> {
        self.learn(None);
        self.forget(vec![self.name()]).await
    }

    /// Asks to be the one that probes: the next probe may not go out before `next`.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn elect(&self, now: Timestamp, next: Timestamp) -> Result<Election, Unreachable> {
        let update = self
            .circuits
            .update()
            .update_expression("SET #open = :next, #ttl = :ttl")
            .condition_expression("#open <= :now")
            .expression_attribute_names("#open", self.name())
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":next", number(next.as_millis()))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":ttl", forgotten_at(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let election = match patiently(update.send()).await? {
            Ok(_) => Election::Elected,
            Err(error) => match error.into_service_error() {
                UpdateItemError::ConditionalCheckFailedException(refusal) => {
                    let until = refusal.item.as_ref().and_then(|item| time(item.get(&self.name())?));
                    until.map_or(Election::Closed, Election::NotBefore)
                }
                other => return Err(unreachable(other)),
            },
        };
        self.learn(match election {
            Election::Elected => Some(next),
            Election::Closed => None,
            Election::NotBefore(until) => Some(until),
        });
        Ok(election)
    }

    fn learn(&self, open_until: Option<Timestamp>) {
        let mut known = self.circuits.known();
        match open_until {
            Some(until) => known.open.insert(self.partner.to_owned(), until),
            None => known.open.remove(self.partner),
        };
    }

    /// The attribute that is there while the circuit is open.
    fn name(&self) -> String {
        format!("{OPEN}{}", self.partner)
    }

    /// What the attributes begin with that are votes.
    fn votes(&self) -> String {
        format!("vote:{}:", self.partner)
    }
}

/// What the attributes begin with that are there while a circuit is open.
const OPEN: &str = "open:";

/// The partner whose circuit an attribute says is open.
fn open(attribute: &str) -> Option<String> {
    attribute.strip_prefix(OPEN).map(ToOwned::to_owned)
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn time(value: &AttributeValue) -> Option<Timestamp> {
    Some(Timestamp::from_millis(value.as_n().ok()?.parse().ok()?))
}

/// Nobody may be left to close a circuit: it must not outlive the trouble by more than an hour.
fn forgotten_at(now: Timestamp) -> AttributeValue {
    number(now.plus(Duration::from_secs(3_600)).as_secs())
}

/// Boxed, or the compiler gives up on the depth of nested futures.
async fn patiently<F: Future + Send>(call: F) -> Result<F::Output, Unreachable> {
    tokio::time::timeout(PATIENCE, Box::pin(call)).await.map_err(|_| Unreachable("it took too long".to_owned()))
}

fn unreachable(error: impl std::error::Error) -> Unreachable {
    Unreachable(aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string())
}
