//! The simulated inventory service keeps the contract of the port, as the order service's own client sees it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Stdio;
use std::time::Duration;

use adapters::outbound::{Breaker, PartnerClient};
use adapters::partners::HttpInventory;
use domain::contract::inventory::Stocked;
use domain::id::{ProductId, TenantId};
use domain::line::Product;
use domain::ports::{ConfirmError, InventoryService, ReserveError, Unavailable};
use domain::reservation::{Reservation, ReservationId};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

domain::inventory_service_contract!(Simulated::start());

/// The program on a port of its own, until the test ends.
struct Simulated {
    url: String,
    admin: Client,
    inventory: HttpInventory,
    _program: Child,
}

impl Simulated {
    async fn start() -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_partners"))
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        let url = line.strip_prefix("partners listen on ").unwrap().to_owned();
        // Another test may have chosen it before.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = PartnerClient::new().unwrap();
        let partner = client.partner("inventory service", url.parse().unwrap(), Breaker::new(None));
        let inventory = HttpInventory::new(partner, Duration::ZERO);
        Self { url, admin: Client::new(), inventory, _program: program }
    }

    /// Makes a route misbehave.
    async fn fault(&self, fault: Value) {
        Self::answered(self.admin.put(format!("{}/admin/faults", self.url)).json(&fault)).await;
    }

    /// The key set of the issuer, over a new connection with TLS.
    async fn keys(&self) -> Result<Value, Unavailable> {
        let authority =
            Self::answered(self.admin.get(format!("{}/admin/authority", self.url))).await.text().await.unwrap();
        let client = PartnerClient::trusting(Some(&authority)).unwrap();
        let url = format!("{}/.well-known/jwks.json", self.url.replace("http:", "https:"));
        client.partner("token issuer", url.parse().unwrap(), Breaker::new(None)).get().await
    }

    async fn answered(request: reqwest::RequestBuilder) -> Response {
        request.send().await.unwrap().error_for_status().unwrap()
    }
}

impl InventoryService for Simulated {
    async fn products(&self, tenant: &TenantId, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        self.inventory.products(tenant, ids).await
    }

    async fn reserve(&self, reservation: &Reservation) -> Result<(), ReserveError> {
        self.inventory.reserve(reservation).await
    }

    async fn confirm(&self, tenant: &TenantId, id: ReservationId) -> Result<(), ConfirmError> {
        self.inventory.confirm(tenant, id).await
    }

    async fn release(&self, tenant: &TenantId, id: ReservationId) -> Result<(), Unavailable> {
        self.inventory.release(tenant, id).await
    }
}

impl Stocked for Simulated {
    async fn stock(&self, product: Product, units: u32) {
        let price = product.unit_price;
        let body = serde_json::json!({
            "name": product.name.as_str(),
            "unit_price": {"amount": price.amount(), "currency": price.currency().as_str()},
            "available": units,
        });
        Self::answered(self.admin.put(format!("{}/admin/stock/{}", self.url, product.id)).json(&body)).await;
    }

    async fn free(&self, product: &ProductId) -> u32 {
        let answer = Self::answered(self.admin.get(format!("{}/admin/stock/{product}", self.url))).await;
        let stock: serde_json::Value = answer.json().await.unwrap();
        stock.get("available").and_then(serde_json::Value::as_u64).unwrap().try_into().unwrap()
    }

    async fn expire(&self, id: ReservationId) {
        Self::answered(self.admin.post(format!("{}/admin/reservations/{id}/expire", self.url))).await;
    }
}

#[tokio::test]
async fn handshakes_that_a_fault_delays_are_counted() {
    let simulated = Simulated::start().await;
    let delayed = || async {
        let answer = Simulated::answered(simulated.admin.get(format!("{}/admin/handshakes", simulated.url))).await;
        answer.json::<Value>().await.unwrap()
    };
    simulated.keys().await.unwrap();
    assert_eq!(delayed().await, json!({"delayed": 0}));
    simulated.fault(json!({"route": "connections", "kind": "delay", "value": 10})).await;
    simulated.keys().await.unwrap();
    assert_eq!(delayed().await, json!({"delayed": 1}));
}

#[tokio::test]
async fn the_key_set_fails_by_its_own_name_alone() {
    let simulated = Simulated::start().await;
    simulated.fault(json!({"route": "*", "kind": "status", "value": 503})).await;
    simulated.keys().await.unwrap();
    simulated.fault(json!({"route": "keys", "kind": "reset"})).await;
    simulated.keys().await.unwrap_err();
    simulated.fault(json!({"route": "keys", "kind": "none"})).await;
    simulated.keys().await.unwrap();
}
