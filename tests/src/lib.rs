//! What the end-to-end suites share: a storefront of one's own, the partners' stage, the events that come out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a stack that does not answer must fail the test"
)]

mod events;
mod exports;
mod functions;
mod partners;
mod queue;
mod routes;
mod seeds;
mod shop;
mod socket;
mod table;
mod trail;

pub use events::Events;
pub use exports::RunningExports;
pub use functions::{Functions, started_behind_tokens};
pub use partners::Partners;
pub use queue::Queue;
pub use routes::{Route, routes};
pub use seeds::{PERSON, personal};
pub use shop::{Answer, Shop, order_of, refusal, report_path, report_query};
pub use socket::{Follower, Socket};
pub use table::Table;
pub use trail::{Channel, Trail};

use std::sync::Once;
use std::time::{Duration, Instant};

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::{BehaviorVersion, SdkConfig};

/// Everything that is waited for must happen within this time.
const DEADLINE: Duration = Duration::from_secs(120);

/// Polls until the condition gives a value; panics, saying what was waited for, when the deadline passes.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut condition: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(started.elapsed() < DEADLINE, "{what} did not happen within {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A variable of the stack under test, as `.local/stack.env` sets them.
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make e2e`, or source .local/stack.env"))
}

fn http() -> reqwest::Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("the first TLS provider");
    });
    reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("an HTTP client")
}

/// The account of the stack under test.
async fn aws() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .region(EnvironmentVariableRegionProvider::new())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await
}
