//! What the functions talk to: a DynamoDB engine and the partner simulator, on loopback.

use std::process::Stdio;
use std::sync::mpsc;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Failure;
use crate::engine::{AUDIT_TABLE, EXPORTS_TABLE, Engine, REPORTS_TABLE, SUBSCRIPTIONS_TABLE, TABLE};
use crate::process::Settings;
use crate::text;

/// Both of them.
pub struct World {
    /// The engine, to fill its table.
    pub engine: Engine,
    partners: String,
    _simulator: Child,
}

/// Whom a function asks for customers and stock.
#[derive(Clone, Copy, PartialEq)]
pub enum Partners {
    Fakes,
    Real,
}

impl World {
    /// Starts both. The program of the simulator is beside this one.
    pub async fn start() -> Result<Self, Failure> {
        let mut simulator = Command::new(std::env::current_exe()?.with_file_name("partners"))
            .env("PORT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = simulator.stdout.take().ok_or("its output is piped")?;
        let line = BufReader::new(output).lines().next_line().await?.unwrap_or_default();
        let partners = line.rsplit(' ').next().unwrap_or_default().to_owned();
        drop(rustls::crypto::ring::default_provider().install_default());
        for product in ["sku-1", "sku-2"] {
            let stock = json!({
                "name": product,
                "unit_price": {"amount": 1_999, "currency": "EUR"},
                "available": 1_000_000,
            });
            let url = format!("{partners}/admin/stock/{product}");
            reqwest::Client::new().put(url).json(&stock).send().await?.error_for_status()?;
        }
        Ok(Self { engine: engine()?, partners, _simulator: simulator })
    }

    /// A token of the simulator for a storefront's backend.
    pub async fn token(&self) -> Result<String, Failure> {
        let body = json!({"tenant": "demo", "sub": "bench", "scope": "orders:read orders:write", "expires_in": 3600});
        let answer = reqwest::Client::new().post(format!("{}/token", self.partners)).json(&body).send().await?;
        Ok(text(&answer.json().await?, "token")?.to_owned())
    }

    /// What the template sets, with endpoints of this world.
    pub fn settings(&self, partners: Partners) -> Settings {
        let real = (partners == Partners::Real).to_string();
        let patience = "1000,1000,2500";
        [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ENDPOINT_URL", &self.engine.endpoint),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
            ("METRICS_NAMESPACE", "bench"),
            ("ORDERS_TABLE", TABLE),
            ("CIRCUITS_TABLE", AUDIT_TABLE),
            ("AUDIT_TABLE", AUDIT_TABLE),
            ("REPORTS_TABLE", REPORTS_TABLE),
            ("REPORT_SHARDS", "8"),
            ("EXPORTS_TABLE", EXPORTS_TABLE),
            ("EXPORTS_BUCKET", "exports"),
            ("SUBSCRIPTIONS_TABLE", SUBSCRIPTIONS_TABLE),
            ("SOCKETS_URL", &self.engine.endpoint),
            ("CONNECTIONS_PER_SUBJECT", "500"),
            ("AUDIT_QUEUE_URL", &self.engine.endpoint),
            ("INDEX_SHARDS", "1"),
            ("FOLLOW_UP_SHARDS", "32"),
            ("CURSOR_SECRET", "a secret of at least 32 characters"),
            ("RETENTION_DAYS", "30"),
            ("PENDING_TIMEOUT_HOURS", "24"),
            ("EVENT_BUS", "bus"),
            ("ORDER_FEED", "arn:aws:sns:eu-central-1:123456789012:feed.fifo"),
            ("TOKEN_ISSUER", &self.partners),
            ("TOKEN_AUDIENCE", "orders"),
            ("JWKS", &format!("{}/.well-known/jwks.json", self.partners)),
            ("JWKS_STALE_HOURS", "24"),
            ("DEAD_LETTERS_URL", &self.engine.endpoint),
            ("RECONCILE_HOURS", "24"),
            ("USE_REAL_CUSTOMER_API", &real),
            ("USE_REAL_INVENTORY_API", &real),
            ("USE_REAL_MESSAGE_BROKER", "true"),
            ("CUSTOMER_SERVICE_URL", &self.partners),
            ("CUSTOMER_SERVICE_PATIENCE", patience),
            ("INVENTORY_SERVICE_URL", &self.partners),
            ("INVENTORY_SERVICE_PATIENCE", patience),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    }
}

/// An engine with the tables, which is served by a thread of its own.
fn engine() -> Result<Engine, Failure> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map(|runtime| {
            runtime.block_on(async {
                drop(sender.send(Engine::start().await));
                std::future::pending::<()>().await;
            });
        })
    });
    Ok(receiver.recv()?)
}
