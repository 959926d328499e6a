//! Follow-ups under load: outages of half an hour, scarce stock, one tenant's backlog, orders that cannot be read.
//!
//! The use cases are the real ones, with their own limits; time is simulated, so a scenario of an hour takes seconds.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod bugs;
mod world;

use std::time::Duration;

use domain::id::TenantId;
use domain::memory::sample;
use domain::status::Status;
use tokio::time::{Instant, sleep};

use crate::bugs::Bug;
use crate::world::{Ports, RESERVATION, SHARDS, Switches};

const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);
const OPEN_CIRCUIT: Duration = Duration::ZERO;
const PATIENCE: Duration = Duration::from_secs(1);

type Verdict = Result<(), String>;

fn ensure(holds: bool, violation: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(violation()) }
}

/// Competing buyers want three times the stock.
async fn scarce_stock(bug: Option<Bug>) -> Verdict {
    let ports = Ports::new(6_000, bug);
    ports.sweep_on_schedule();
    let bought = ports.buyers(10, HALF_AN_HOUR).await;
    sleep(2 * RESERVATION).await;
    nobody_lost_what_was_promised(&ports, bought).await?;
    confirmations_are_quick(&ports)
}

/// Competing buyers want three times the stock while the customer service is down for longer than a reservation lives.
async fn customer_outage(bug: Option<Bug>) -> Verdict {
    let ports = Ports::new(2_400, bug);
    ports.sweep_on_schedule();
    ports.switch(|switches| switches.customers = Some(OPEN_CIRCUIT));
    let bought = ports.buyers(4, HALF_AN_HOUR).await;
    ports.switch(|switches| switches.customers = None);
    sleep(2 * RESERVATION).await;
    nobody_lost_what_was_promised(&ports, bought).await
}

async fn nobody_lost_what_was_promised(ports: &Ports, bought: usize) -> Verdict {
    let orders = ports.orders();
    let canceled = orders.iter().filter(|order| order.status == Status::Canceled).count();
    let pending = ports.pending(&sample::tenant());
    println!("{bought} orders of scarce stock, {canceled} canceled, {pending} pending");
    ensure(canceled == 0, || format!("{canceled} orders were canceled"))?;
    ensure(pending == 0, || "orders are still pending".to_owned())
}

fn confirmations_are_quick(ports: &Ports) -> Verdict {
    let slowest = ports.slowest_confirmation();
    println!("slowest confirmation after {slowest:?}");
    ensure(slowest.is_some_and(|took| took < Duration::from_secs(10)), || format!("a confirmation took {slowest:?}"))
}

/// A partner is down for half an hour: the orders of that time are completed soon after.
async fn partner_outage(bug: Option<Bug>, per_second: u32, outage: Switches) -> Verdict {
    let ports = Ports::new(1_000_000, bug);
    ports.sweep_on_schedule();
    ports.switch(|switches| *switches = outage);
    let orders = ports.buyers(per_second, HALF_AN_HOUR).await;
    let pending = ports.pending(&sample::tenant());
    ensure(pending == orders, || format!("only {pending} of {orders} orders are pending"))?;
    ports.switch(|switches| *switches = Switches::default());
    let took = time_until_none_is_pending(&ports).await;
    println!("{orders} orders are completed {took:?} after the outage");
    ensure(took < Duration::from_secs(600), || format!("orders wait {took:?} after the outage"))
}

/// How long it takes until no order of the sample tenant is pending; at most half an hour.
async fn time_until_none_is_pending(ports: &Ports) -> Duration {
    let since = Instant::now();
    while ports.pending(&sample::tenant()) > 0 && since.elapsed() < HALF_AN_HOUR {
        sleep(Duration::from_millis(100)).await;
    }
    since.elapsed()
}

/// Places orders that cannot be completed now, and waits until each is due.
async fn due_orders(ports: &Ports, tenant: &TenantId, count: usize) {
    ports.switch(|switches| switches.inventory = Some(OPEN_CIRCUIT));
    for _ in 0..count {
        ports.clone().place(tenant.clone()).await.unwrap();
    }
    sleep(Duration::from_secs(60)).await;
    ports.switch(|switches| switches.inventory = None);
}

/// How long a sweep leaves 2,000 orders of a tenant due while it works another's, which fail after `patience`.
async fn wait_beside_a_backlog(bug: Option<Bug>, backlog: usize, patience: Duration) -> Duration {
    let ports = Ports::new(10_000, bug);
    let failing = TenantId::restore("backlog");
    ports.switch(|switches| switches.tenant = Some((failing.clone(), patience)));
    due_orders(&ports, &failing, backlog).await;
    due_orders(&ports, &sample::tenant(), 2_000).await;
    ports.sweep_on_schedule();
    let took = time_until_none_is_pending(&ports).await;
    assert_eq!(ports.pending(&failing), backlog, "the backlog fails");
    took
}

async fn backlog(bug: Option<Bug>) -> Verdict {
    for patience in [Duration::from_millis(50), PATIENCE, 2 * PATIENCE] {
        let alone = wait_beside_a_backlog(bug, 0, patience).await;
        let beside = wait_beside_a_backlog(bug, 10_000, patience).await;
        println!(
            "done after {beside:?} beside 10,000 orders that fail after {patience:?}, after {alone:?} without them"
        );
        ensure(beside - alone < Duration::from_secs(5), || format!("{beside:?} in place of {alone:?}"))?;
    }
    Ok(())
}

/// One tenant's outage of half an hour at 50 orders a second has left more than a page in every shard of the index.
async fn deep_backlog(bug: Option<Bug>) -> Verdict {
    let patience = Duration::from_millis(50);
    let alone = wait_beside_a_backlog(bug, 0, patience).await;
    let beside = wait_beside_a_backlog(bug, 90_000, patience).await;
    println!("done after {beside:?} beside 90,000 failing orders, after {alone:?} without them");
    ensure(beside - alone < Duration::from_secs(5), || format!("{beside:?} in place of {alone:?}"))
}

/// The order that is due the longest in each shard cannot be read.
async fn poison(bug: Option<Bug>) -> Verdict {
    let ports = Ports::new(10_000, bug);
    let unreadable = usize::try_from(SHARDS).unwrap();
    due_orders(&ports, &sample::tenant(), unreadable).await;
    for order in ports.orders() {
        ports.poison(order.id);
    }
    due_orders(&ports, &sample::tenant(), 2_000).await;
    let swept = ports.sweep().await;
    let is_done = swept.as_ref().is_ok_and(|swept| (swept.done, swept.put_off) == (2_000, unreadable));
    ensure(is_done, || format!("{swept:?}"))
}

/// One shard of the index is throttled.
async fn unread(bug: Option<Bug>) -> Verdict {
    let ports = Ports::new(10_000, bug);
    due_orders(&ports, &sample::tenant(), 2_000).await;
    ports.switch(|switches| switches.unread_shard = Some(3));
    let swept = ports.sweep().await.unwrap_or_default();
    let left = ports.pending(&sample::tenant());
    let is_done = swept.done > 1_500 && swept.done + left == 2_000 && swept.unread.is_some();
    ensure(is_done, || format!("{left} are left of 2,000 after {swept:?}"))
}

/// To read the index takes longer than a sweep has: more than 60 pages of each shard, one a second.
async fn slow_pages(bug: Option<Bug>) -> Verdict {
    let ports = Ports::new(1_000_000, bug);
    due_orders(&ports, &sample::tenant(), 100_000).await;
    ports.switch(|switches| switches.pages = Some(Duration::from_secs(1)));
    let swept = ports.sweep().await.unwrap_or_default();
    ensure(swept.done > 20_000, || format!("only {} orders are done", swept.done))
}

fn inventory(patience: Duration) -> Switches {
    Switches { inventory: Some(patience), ..Switches::default() }
}

fn customers(patience: Duration) -> Switches {
    Switches { customers: Some(patience), ..Switches::default() }
}

/// A follow-up that published something, or waited for what does, would depend on the bus.
#[test]
fn follow_ups_have_nothing_to_do_with_bus_and_feed() {
    for source in [
        include_str!("../../src/use_cases/follow_ups.rs"),
        include_str!("../../src/use_cases/sweep.rs"),
        include_str!("../../../adapters/src/follow_ups.rs"),
        include_str!("../../../../functions/run-follow-ups/src/main.rs"),
        include_str!("../../../../functions/sweep-follow-ups/src/main.rs"),
    ] {
        let source = source.to_lowercase();
        let word = ["publish", "channel", "deliver", "feed", "sns"].into_iter().find(|word| source.contains(word));
        assert_eq!(word, None, "{}", source.lines().next().unwrap());
    }
}

macro_rules! scenarios {
    ($($name:ident: $verdict:expr;)*) => { $(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            assert_eq!($verdict.await, Ok(()));
        }
    )* };
}

macro_rules! noticed {
    ($($name:ident: $verdict:expr, $reason:literal;)*) => { $(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let violation = $verdict.await.expect_err("the scenario does not notice it");
            assert!(violation.contains($reason), "{violation}");
        }
    )* };
}

scenarios! {
    no_order_of_scarce_stock_is_lost_and_every_reservation_is_confirmed_at_once: scarce_stock(None);
    no_reserved_stock_is_lost_while_the_customer_service_is_down: customer_outage(None);
    orders_are_completed_soon_after_an_outage_of_the_inventory_service:
        partner_outage(None, 50, inventory(OPEN_CIRCUIT));
    orders_are_completed_soon_after_an_outage_of_the_customer_service:
        partner_outage(None, 10, customers(OPEN_CIRCUIT));
    orders_are_completed_soon_after_calls_timed_out: partner_outage(None, 5, inventory(PATIENCE));
    one_tenants_backlog_delays_no_other_tenant: backlog(None);
    a_backlog_of_many_pages_delays_no_other_tenant: deep_backlog(None);
    an_index_that_takes_longer_to_read_than_a_sweep_has_is_worked_on: slow_pages(None);
    an_order_that_cannot_be_read_delays_no_other_order: poison(None);
    a_shard_that_is_throttled_delays_no_other: unread(None);
}

noticed! {
    a_confirmation_that_is_left_to_the_sweep_is_noticed:
        scarce_stock(Some(Bug::ConfirmationIsLeftToTheSweep)), "a confirmation took";
    a_confirmation_that_waits_for_the_customer_service_is_noticed:
        customer_outage(Some(Bug::ConfirmationWaitsForTheCustomerService)), "orders were canceled";
    a_slow_sweep_is_noticed:
        partner_outage(Some(Bug::SweepIsSlow), 2, inventory(OPEN_CIRCUIT)), "after the outage";
    a_backlog_that_is_worked_first_is_noticed: backlog(Some(Bug::TenantAfterTenant)), "in place of";
    turns_that_count_orders_and_not_the_work_in_progress_are_noticed:
        backlog(Some(Bug::TurnsByCount)), "in place of";
    a_sweep_that_sees_the_first_page_alone_is_noticed:
        deep_backlog(Some(Bug::OnlyTheFirstPageIsRead)), "in place of";
    a_sweep_that_reads_all_before_it_works_is_noticed: slow_pages(Some(Bug::TenantAfterTenant)), "orders are done";
    a_sweep_that_ends_at_an_unreadable_order_is_noticed: poison(Some(Bug::UnreadableEndsTheSweep)), "Corrupt";
    a_sweep_that_ends_at_a_throttled_shard_is_noticed: unread(Some(Bug::UnreadableEndsTheSweep)), "are left";
}
