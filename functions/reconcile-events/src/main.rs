//! Schedule, or an operator -> compare histories with what came out of the bus, and send events again

use std::time::Duration;

use adapters::audit_trail::AuditQueue;
use adapters::publisher::SelectedPublisher;
use adapters::store::{DynamoStore, parse_key};
use adapters::system::SystemClock;
use adapters::{aws, telemetry};
use domain::event::EventId;
use domain::invalid::Invalid;
use domain::ports::{AuditTrail, ChangedOrders, Clock, EventPublisher, OrderStore, Window};
use domain::timestamp::Timestamp;
use domain::use_cases::{Reconcile, Reconciliation};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

/// Without a window the last 90 minutes are compared: a schedule of an hour overlaps.
const LOOK_BACK: Duration = Duration::from_secs(90 * 60);

/// Events younger than this may be on their way yet.
const SETTLING: Duration = Duration::from_secs(10 * 60);

/// The most ids that an answer lists.
const MOST_IDS: usize = 1_000;

/// What to do.
#[derive(Debug, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// Compare a window, by default the last 90 minutes without the last ten.
    Compare {
        from: Option<String>,
        to: Option<String>,
        /// Whether to send what is missing again.
        #[serde(default)]
        republish: bool,
    },
    /// Send all events of these orders, `<tenant>#<order id>`, again.
    ResendOrders { orders: Vec<String> },
}

/// What was found and done.
#[derive(Debug, Serialize)]
struct Report {
    orders: usize,
    events: usize,
    missing: usize,
    missing_ids: Vec<String>,
    unknown: usize,
    unknown_ids: Vec<String>,
    republished: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config().await?;
    let trail = AuditQueue::from_env(&aws)?;
    let reconcile = Reconcile { store: DynamoStore::from_env(&aws)?, publisher: SelectedPublisher::from_env(&aws)? };
    lambda_runtime::run(service_fn(|event: LambdaEvent<Request>| {
        let (reconcile, trail) = (&reconcile, &trail);
        async move { handle(reconcile, trail, event.payload, SystemClock.now()).await }
    }))
    .await
}

async fn handle<S, P>(
    reconcile: &Reconcile<S, P>,
    trail: &impl AuditTrail,
    request: Request,
    now: Timestamp,
) -> Result<Report, Error>
where
    S: OrderStore + ChangedOrders,
    P: EventPublisher,
{
    let found = match request {
        Request::Compare { from, to, republish } => {
            let window = window(from.as_deref(), to.as_deref(), now)?;
            reconcile.run(window, trail, republish).await?
        }
        Request::ResendOrders { orders } => {
            let keys = orders.iter().map(|key| parse_key(key)).collect::<Result<Vec<_>, _>>()?;
            reconcile.resend_orders(&keys).await?
        }
    };
    tell(&found);
    Ok(found.into())
}

fn window(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Window, Invalid> {
    let or = |text: Option<&str>, ago| text.map_or(Ok(now.minus(ago)), Timestamp::parse);
    Ok(Window { from: or(from, LOOK_BACK)?, to: or(to, SETTLING)? })
}

fn tell(found: &Reconciliation) {
    let Reconciliation { orders, events, missing, unknown, republished } = found;
    let (missing, unknown) = (missing.len(), unknown.len());
    if missing > 0 || unknown > 0 {
        tracing::error!(orders, events, missing, unknown, republished, "histories and events differ");
    } else {
        tracing::info!(orders, events, republished, "reconciled");
    }
}

impl From<Reconciliation> for Report {
    fn from(found: Reconciliation) -> Self {
        let ids = |ids: &[EventId]| ids.iter().take(MOST_IDS).map(ToString::to_string).collect();
        Self {
            orders: found.orders,
            events: found.events,
            missing: found.missing.len(),
            missing_ids: ids(&found.missing),
            unknown: found.unknown.len(),
            unknown_ids: ids(&found.unknown),
            republished: found.republished,
        }
    }
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryPublisher, MemoryStore, MemoryTrail, sample};

    use super::*;

    async fn service() -> Reconcile<MemoryStore, MemoryPublisher> {
        let service = Reconcile { store: MemoryStore::default(), publisher: MemoryPublisher::default() };
        service.store.insert(&sample::order()).await.unwrap();
        service
    }

    async fn report(request: &str) -> Result<Report, Error> {
        let now = sample::stamp(1).at.plus(Duration::from_secs(1_800));
        let request = serde_json::from_str(request)?;
        handle(&service().await, &MemoryTrail::default(), request, now).await
    }

    #[tokio::test]
    async fn the_sample_event_sends_again_what_did_not_come_out() {
        let report = report(&testing::sample_text("reconcile-events")).await.unwrap();
        assert_eq!((report.orders, report.missing, report.republished), (1, 3, 3));
        assert_eq!(report.missing_ids[0], format!("{}:1:0", sample::order_id(1)));
    }

    #[tokio::test]
    async fn a_comparison_alone_sends_nothing() {
        let report = report(r#"{"mode": "compare", "from": "2026-01-01T00:00:00Z"}"#).await.unwrap();
        assert_eq!((report.missing, report.republished), (3, 0));
    }

    #[tokio::test]
    async fn whole_histories_are_sent_again() {
        let orders = format!(r#"{{"mode": "resend_orders", "orders": ["demo#{}"]}}"#, sample::order_id(1));
        assert_eq!(report(&orders).await.unwrap().republished, 3);
    }

    #[tokio::test]
    async fn nonsense_is_refused() {
        for request in [
            "{}",
            r#"{"mode": "destroy"}"#,
            r#"{"mode": "compare", "form": "2026-01-01T00:00:00Z"}"#,
            r#"{"mode": "compare", "from": "yesterday"}"#,
            r#"{"mode": "resend_orders", "orders": ["demo"]}"#,
        ] {
            assert!(report(request).await.is_err(), "{request}");
        }
    }
}
