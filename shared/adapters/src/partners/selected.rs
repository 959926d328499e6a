//! The real partners or their fakes, as the settings say.

use std::time::Duration;

use domain::id::{CustomerId, ProductId, TenantId};
use domain::line::Product;
use domain::order::Contact;
use domain::ports::{ConfirmError, CustomerService, InventoryService, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId};

use super::{FakeCustomers, FakeInventory, HttpCustomers, HttpInventory};
use crate::config::{self, ConfigError};
use crate::connections::{self, Connection};
use crate::outbound::{Breaker, Circuits, Partner, PartnerClient, Patience, Role};

/// The circuits' names.
pub(crate) const CUSTOMERS: &str = "customers";
/// See [`CUSTOMERS`].
pub(crate) const INVENTORY: &str = "inventory";

/// The settings that choose between a real service and its fake, by what they replace.
const SWITCHES: [(&str, &str); 3] = [
    (CUSTOMERS, "USE_REAL_CUSTOMER_API"),
    (INVENTORY, "USE_REAL_INVENTORY_API"),
    ("broker", "USE_REAL_MESSAGE_BROKER"),
];

/// The services that are fakes because their setting says `false`.
///
/// # Errors
/// [`ConfigError::Invalid`] when a setting is neither `true` nor `false`.
pub fn fakes() -> Result<Vec<&'static str>, ConfigError> {
    let mut chosen = Vec::new();
    for (service, switch) in SWITCHES {
        if !config::switch(switch)? {
            chosen.push(service);
        }
    }
    Ok(chosen)
}

/// How long customers and products are kept: `PARTNER_CACHE_SECONDS`, 30 when not set.
fn kept_for() -> Result<Duration, ConfigError> {
    let seconds = config::optional("PARTNER_CACHE_SECONDS").map(|_| config::parsed("PARTNER_CACHE_SECONDS"));
    Ok(Duration::from_secs(seconds.transpose()?.unwrap_or(30)))
}

fn patience(name: &'static str) -> Result<Patience, ConfigError> {
    config::optional(name).map_or(Ok(Patience::default()), |_| config::parsed(name))
}

fn breaker(circuits: &Circuits, partner: &'static str, role: Role) -> Breaker {
    Breaker::new(Some(circuits.of(partner))).with_role(role)
}

/// The partner, shown this secret where one is set.
fn with_secret(partner: Partner, name: &'static str) -> Result<Partner, ConfigError> {
    match config::optional(name) {
        Some(secret) => partner.with_bearer(name, &secret),
        None => Ok(partner),
    }
}

fn warn_of(fake: &'static str) {
    tracing::warn!(fake, "a fake takes the place of the real service");
}

/// Both partners that the environment names, and connections to them and to the circuits.
///
/// # Errors
/// [`ConfigError`] when a variable is missing or not valid.
pub async fn connected(circuits: &Circuits, role: Role) -> Result<(SelectedCustomers, SelectedInventory), ConfigError> {
    let client = PartnerClient::new()?;
    let customers = SelectedCustomers::from_env(&client, circuits, role)?;
    let inventory = SelectedInventory::from_env(&client, circuits, role)?;
    connections::made([circuits.connection(), customers.connection(), inventory.connection()]).await;
    Ok((customers, inventory))
}

/// The customer service in use.
#[derive(Debug)]
pub enum SelectedCustomers {
    /// The real one.
    Http(Box<HttpCustomers>),
    /// `USE_REAL_CUSTOMER_API=false`
    Fake(FakeCustomers),
}

impl SelectedCustomers {
    /// The service at `CUSTOMER_SERVICE_URL`, or its fake.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is missing or not valid.
    pub fn from_env(client: &PartnerClient, circuits: &Circuits, role: Role) -> Result<Self, ConfigError> {
        if !config::switch("USE_REAL_CUSTOMER_API")? {
            warn_of(CUSTOMERS);
            return Ok(Self::Fake(FakeCustomers));
        }
        let url = config::encrypted_url("CUSTOMER_SERVICE_URL")?;
        let partner = client.partner("customer service", url, breaker(circuits, CUSTOMERS, role));
        let partner =
            with_secret(partner, "CUSTOMER_SERVICE_SECRET")?.with_patience(patience("CUSTOMER_SERVICE_PATIENCE")?);
        Ok(Self::Http(Box::new(HttpCustomers::new(partner, kept_for()?))))
    }
}

impl SelectedCustomers {
    /// Makes a connection before it is needed.
    pub fn connection(&self) -> Connection {
        match self {
            Self::Http(service) => service.connection(),
            Self::Fake(_) => connections::none(),
        }
    }
}

impl CustomerService for SelectedCustomers {
    async fn find(&self, tenant: &TenantId, id: &CustomerId) -> Result<Option<Contact>, Unavailable> {
        match self {
            Self::Http(service) => service.find(tenant, id).await,
            Self::Fake(service) => service.find(tenant, id).await,
        }
    }
}

/// The inventory service in use.
#[derive(Debug)]
pub enum SelectedInventory {
    /// The real one.
    Http(Box<HttpInventory>),
    /// `USE_REAL_INVENTORY_API=false`
    Fake(FakeInventory),
}

impl SelectedInventory {
    /// The service at `INVENTORY_SERVICE_URL`, or its fake.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is missing or not valid.
    pub fn from_env(client: &PartnerClient, circuits: &Circuits, role: Role) -> Result<Self, ConfigError> {
        if !config::switch("USE_REAL_INVENTORY_API")? {
            warn_of(INVENTORY);
            return Ok(Self::Fake(FakeInventory));
        }
        let url = config::encrypted_url("INVENTORY_SERVICE_URL")?;
        let partner = client.partner("inventory service", url, breaker(circuits, INVENTORY, role));
        let partner =
            with_secret(partner, "INVENTORY_SERVICE_SECRET")?.with_patience(patience("INVENTORY_SERVICE_PATIENCE")?);
        Ok(Self::Http(Box::new(HttpInventory::new(partner, kept_for()?))))
    }
}

impl SelectedInventory {
    /// Makes a connection before it is needed.
    pub fn connection(&self) -> Connection {
        match self {
            Self::Http(service) => service.connection(),
            Self::Fake(_) => connections::none(),
        }
    }
}

impl InventoryService for SelectedInventory {
    async fn products(&self, tenant: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        match self {
            Self::Http(service) => service.products(tenant, ids).await,
            Self::Fake(service) => service.products(tenant, ids).await,
        }
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        match self {
            Self::Http(service) => service.reserve(reservation).await,
            Self::Fake(service) => service.reserve(reservation).await,
        }
    }

    async fn confirm(&self, tenant: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        match self {
            Self::Http(service) => service.confirm(tenant, id).await,
            Self::Fake(service) => service.confirm(tenant, id).await,
        }
    }

    async fn release(&self, tenant: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        match self {
            Self::Http(service) => service.release(tenant, id).await,
            Self::Fake(service) => service.release(tenant, id).await,
        }
    }
}
