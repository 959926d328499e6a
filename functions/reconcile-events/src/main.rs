//! Schedule, or an operator -> compare histories with what came out of bus and feed, and send events again

mod report;

use std::time::Duration;

use adapters::audit::{AuditQueue, AuditTable};
use adapters::publisher::SelectedPublisher;
use adapters::store::{DynamoStore, parse_key};
use adapters::system::SystemClock;
use adapters::{aws, config, telemetry};
use domain::ports::{AuditRuns, AuditTrail, ChangedOrders, Clock, EventPublisher, OrderStore, Run, Window};
use domain::timestamp::Timestamp;
use domain::use_cases::{REACH, Reconcile, scheduled_run};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;

use report::Report;

/// No page is begun after this; the function's timeout leaves time to finish those that were.
const RUN: Duration = Duration::from_secs(240);

/// What to do.
#[derive(Debug, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// Continue the scheduled run, or begin the next one when it is due.
    Scheduled {},
    /// Compare a window. Asked again, the run goes on until it is done.
    Compare {
        from: String,
        to: String,
        /// Whether to send what is missing again.
        #[serde(default)]
        republish: bool,
    },
    /// Read how far the scheduled run has come, and do nothing: asks whether this version works, before it is given the work.
    Check {},
    /// Send all events of these orders, `<tenant>#<order id>`, again.
    ResendOrders { orders: Vec<String> },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let (store, trail) = (DynamoStore::from_env(&aws)?, AuditTable::from_env(&aws, AuditQueue::from_env(&aws)?)?);
    let every = Duration::from_secs(3_600 * config::parsed::<u64>("RECONCILE_HOURS")?);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Request>| {
        let (aws, store, trail) = (&aws, store.clone(), trail.clone());
        async move {
            // Each invocation sends under a name of its own: what the last one sent in vain, the feed would drop.
            let channels = SelectedPublisher::each_again(aws, &event.context.request_id)?;
            handle(&Reconcile { store, trail, channels, clock: SystemClock }, every, event.payload).await
        }
    }))
    .await
}

async fn handle<S, T, P, K>(
    reconcile: &Reconcile<S, T, P, K>,
    every: Duration,
    request: Request,
) -> Result<Report, Error>
where
    S: OrderStore + ChangedOrders,
    T: AuditTrail + AuditRuns,
    P: EventPublisher,
    K: Clock,
{
    let now = reconcile.clock.now();
    let run = match request {
        Request::Scheduled {} => scheduled_run(reconcile.trail.load(Run::SCHEDULED).await?, every, now),
        Request::Compare { from, to, republish } => {
            let window = window(&from, &to, now)?;
            let last = reconcile.trail.load(&Run::name_of(window, republish)).await?;
            Run::asked_for(last, window, republish, now)
        }
        Request::Check {} => {
            reconcile.trail.load(Run::SCHEDULED).await?;
            return Ok(Report::of_nothing());
        }
        Request::ResendOrders { orders } => return resend(reconcile, &orders).await,
    };
    advance(reconcile, run, now).await
}

async fn advance<S, T, P, K>(reconcile: &Reconcile<S, T, P, K>, mut run: Run, now: Timestamp) -> Result<Report, Error>
where
    S: OrderStore + ChangedOrders,
    T: AuditTrail + AuditRuns,
    P: EventPublisher,
    K: Clock,
{
    let has_work = !run.is_done();
    let advance = reconcile.advance(&mut run, now.plus(RUN)).await?;
    if !has_work {
        return Ok(Report::of_nothing());
    }
    let report = Report::of(&run, advance);
    report.log(&run.name);
    Ok(report)
}

async fn resend<S, T, P, K>(reconcile: &Reconcile<S, T, P, K>, orders: &[String]) -> Result<Report, Error>
where
    S: OrderStore + ChangedOrders,
    T: AuditTrail + AuditRuns,
    P: EventPublisher,
    K: Clock,
{
    let keys = orders.iter().map(|key| parse_key(key)).collect::<Result<Vec<_>, _>>()?;
    Ok(reconcile.resend_orders(&keys).await?.into())
}

fn window(from: &str, to: &str, now: Timestamp) -> Result<Window, Error> {
    let window = Window { from: Timestamp::parse(from)?, to: Timestamp::parse(to)? };
    if window.from < now.minus(REACH) {
        return Err("the audit trail reaches back 13 days".into());
    }
    Ok(window)
}

#[cfg(test)]
mod tests;
