//! What `GET /health` tells.

use serde::Serialize;

use crate::config::{self, ConfigError};
use crate::outbound::Circuits;
use crate::partners::fakes;

/// The partners whose circuits are shown.
const PARTNERS: [&str; 2] = [crate::partners::CUSTOMERS, crate::partners::INVENTORY];

/// What does not change while the process lives, and where to look for what does.
#[derive(Debug)]
pub struct HealthCheck {
    version: &'static str,
    region: String,
    fakes: Vec<&'static str>,
    circuits: Option<Circuits>,
}

/// How the service is.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "Health"))]
pub struct Health<'a> {
    /// `degraded` while a partner is not called because it failed too often.
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = ["ok", "degraded"])))]
    status: &'static str,
    /// The release.
    version: &'static str,
    region: &'a str,
    /// The parts that are built-in fakes: `customers`, `inventory`, `broker`.
    fakes: &'a [&'static str],
    /// The state of the circuit of each partner: `closed`, `open`, or `unknown` when it cannot be read.
    circuits: std::collections::BTreeMap<&'static str, &'static str>,
}

impl HealthCheck {
    /// Reads `AWS_REGION` and the switches of the fakes.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is missing or not valid.
    pub fn from_env(version: &'static str, circuits: Option<Circuits>) -> Result<Self, ConfigError> {
        Ok(Self { version, region: config::required("AWS_REGION")?, fakes: fakes()?, circuits })
    }

    /// A check with these facts.
    #[must_use]
    pub const fn new(version: &'static str, region: String, fakes: Vec<&'static str>) -> Self {
        Self { version, region, fakes, circuits: None }
    }

    /// The state now: `degraded` while a circuit is open.
    pub async fn run(&self) -> Health<'_> {
        let mut states = std::collections::BTreeMap::new();
        if let Some(circuits) = &self.circuits {
            let read = circuits.refresh().await;
            if let Err(error) = &read {
                tracing::warn!(cause = %error, "the circuits cannot be read");
            }
            let state = |partner| read.as_ref().map_or("unknown", |()| circuits.of(partner).state().as_str());
            states.extend(PARTNERS.map(|partner| (partner, state(partner))));
        }
        let status = if states.values().any(|state| *state == "open") { "degraded" } else { "ok" };
        let Self { version, region, fakes, .. } = self;
        Health { status, version, region, fakes, circuits: states }
    }
}
