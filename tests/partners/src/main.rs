//! Plays the customer service, the inventory service and the token issuer, for local use and tests.
//!
//! Settings: `PORT` (4580), `RESERVATION_SECONDS` (600; how long an unconfirmed reservation lives), `STATE_FILE` (none;
//! where stock, customers and the signing key outlive the process). It listens on loopback only, for HTTP and
//! HTTPS.

mod admin;
mod customers;
mod faults;
mod inventory;
mod issuer;
mod reservation;
mod state;
mod stock;
mod tls;

use std::path::PathBuf;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use state::Partners;
use tls::EitherListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let port: u16 = setting("PORT", 4580)?;
    let state_file = std::env::var_os("STATE_FILE").map(PathBuf::from);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let partners = Partners::load(state_file, url.clone(), setting("RESERVATION_SECONDS", 600)?)?;
    println!("partners listen on {url}");
    let listener = EitherListener::new(listener, partners.clone())?;
    axum::serve(listener, routes(partners.clone())).with_graceful_shutdown(stopped()?).await?;
    partners.save()
}

fn routes(partners: Partners) -> Router {
    let served = Router::new()
        .merge(customers::routes())
        .merge(inventory::routes())
        .merge(issuer::key_routes())
        .layer(from_fn_with_state(partners.clone(), faults::inject));
    Router::new().merge(served).merge(admin::routes()).merge(issuer::token_routes()).with_state(partners)
}

fn setting<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, default: T) -> Result<T, Failure> {
    match std::env::var(name) {
        Ok(value) => value.parse().map_err(|error| format!("{name}: {error}").into()),
        Err(_) => Ok(default),
    }
}

fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
