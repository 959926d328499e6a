//! What the partners know, and how it outlives the process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::faults::{Call, ConnectionFault, Faults};
use crate::issuer::Issuer;
use crate::stock::Warehouse;
use crate::tls::Identity;

/// A handle on everything the partners share.
#[derive(Clone)]
pub struct Partners {
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    issuer: Issuer,
    identity: Identity,
    state_file: Option<PathBuf>,
}

/// What changes while the partners run.
pub struct World {
    pub customers: BTreeMap<String, Customer>,
    pub warehouse: Warehouse,
    pub faults: Faults,
    pub connections: Option<ConnectionFault>,
    /// Handshakes over TLS that a fault made later.
    pub delayed_handshakes: u64,
    pub calls: Vec<Call>,
}

/// A customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Customer {
    pub name: String,
    pub email: String,
}

/// What is kept in the state file.
#[derive(Serialize, Deserialize)]
struct Saved {
    key_seed: [u8; 32],
    #[serde(default)]
    identity: Option<Identity>,
    customers: BTreeMap<String, Customer>,
    warehouse: Warehouse,
}

impl Partners {
    /// Starts from the state file, or with `sku-1` to `sku-20` and `cust-1` to `cust-20`.
    pub fn load(state_file: Option<PathBuf>, url: String, reservation_seconds: u64) -> Result<Self, Failure> {
        let saved = match &state_file {
            Some(file) if file.exists() => serde_json::from_slice(&std::fs::read(file)?)?,
            _ => Saved {
                key_seed: Issuer::new_seed()?,
                identity: None,
                customers: first_customers(),
                warehouse: Warehouse::first(),
            },
        };
        let identity = saved.identity.map_or_else(Identity::new, Ok)?;
        let mut warehouse = saved.warehouse;
        warehouse.reserve_for(Duration::from_secs(reservation_seconds));
        let (faults, calls) = (Faults::default(), Vec::new());
        let world =
            World { customers: saved.customers, warehouse, faults, connections: None, delayed_handshakes: 0, calls };
        let issuer = Issuer::new(url, saved.key_seed)?;
        let shared = Shared { world: Mutex::new(world), issuer, identity, state_file };
        let partners = Self { shared: Arc::new(shared) };
        partners.save()?;
        Ok(partners)
    }

    /// Writes the state file.
    pub fn save(&self) -> Result<(), Failure> {
        let Some(file) = &self.shared.state_file else { return Ok(()) };
        let world = self.world();
        let saved = Saved {
            key_seed: self.shared.issuer.seed(),
            identity: Some(self.shared.identity.clone()),
            customers: world.customers.clone(),
            warehouse: world.warehouse.clone(),
        };
        let temporary = file.with_extension("new");
        std::fs::write(&temporary, serde_json::to_vec(&saved)?)?;
        Ok(std::fs::rename(temporary, file)?)
    }

    /// What changes, locked.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What they show over TLS.
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// The token issuer.
    pub fn issuer(&self) -> &Issuer {
        &self.shared.issuer
    }
}

/// Milliseconds since 1970.
pub fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn first_customers() -> BTreeMap<String, Customer> {
    let customer = |n| Customer { name: format!("Customer {n}"), email: format!("customer-{n}@shop.example") };
    (1..=20).map(|n| (format!("cust-{n}"), customer(n))).collect()
}
