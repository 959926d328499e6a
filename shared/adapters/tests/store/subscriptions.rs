//! The table of the subscriptions keeps its contract, reads large keys page by page, and costs what it is said to cost.

use std::time::Duration;

use adapters::live::SubscriptionsTable;
use adapters::system::SystemClock;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::memory::{MemorySockets, sample};
use domain::ports::{Clock, OrderKey, Recent, RecentChanges, Subscriptions};
use domain::subscription::{ConnectionId, Subscription, SubscriptionKey, Update};
use domain::timestamp::Timestamp;
use domain::use_cases::{PushUpdates, Pushed};

use crate::engine::{Engine, SUBSCRIPTIONS_TABLE};

fn table(engine: &Engine) -> SubscriptionsTable {
    SubscriptionsTable::new(engine.client.clone(), SUBSCRIPTIONS_TABLE)
}

domain::subscriptions_contract!(async { table(&Engine::start().await) });

fn now() -> Timestamp {
    SystemClock.now()
}

fn subscription(n: u32) -> Subscription {
    Subscription {
        key: SubscriptionKey::Tenant(sample::tenant()),
        connection: ConnectionId::parse(format!("L0SM9cOF{n:07}=")).unwrap(),
        confined_to: None,
        expires_at: now().plus(Duration::from_secs(3600)),
    }
}

fn update(n: u32) -> Update {
    Update {
        order: OrderKey { tenant: sample::tenant(), id: sample::order_id(n) },
        customer: sample::order().customer.id.clone(),
        version: 1,
        committed_at: now(),
        message: "{}".to_owned(),
    }
}

#[tokio::test]
async fn a_page_of_a_thousand_subscribers_is_one_call() {
    let engine = Engine::start().await;
    let table = table(&engine);
    for n in 0..1_100 {
        table.add(&subscription(n)).await.unwrap();
    }
    let added = engine.meter.take();
    assert!(added.iter().all(|call| (call.operation, call.units) == ("PutItem", 2.0)), "an item and its index");
    let key = SubscriptionKey::Tenant(sample::tenant());
    let first = table.page(&key, None).await.unwrap();
    assert_eq!(first.subscriptions.len(), 1_000);
    let calls = engine.meter.take();
    assert!(calls.len() == 1 && calls[0].units < 40.0, "{calls:?}");
    let second = table.page(&key, first.next.as_ref()).await.unwrap();
    assert_eq!((second.subscriptions.len(), second.next), (100, None));
}

#[tokio::test]
async fn everything_is_forgotten_by_itself_once_no_connection_can_need_it() {
    let engine = Engine::start().await;
    let table = table(&engine);
    table.add(&subscription(1)).await.unwrap();
    table.note(&update(1), now()).await.unwrap();
    let items = engine.client.scan().table_name(SUBSCRIPTIONS_TABLE).send().await.unwrap();
    assert_eq!(items.count(), 3, "a subscription, and a change for its customer and its storefront");
    for item in items.items() {
        let AttributeValue::N(ttl) = &item["ttl"] else { panic!("no ttl: {item:?}") };
        let left = ttl.parse::<i64>().unwrap() - now().as_secs();
        assert!((3 * 3600..=6 * 3600).contains(&left), "{left} s are left of {item:?}");
    }
}

#[tokio::test]
async fn an_event_of_a_storefront_without_subscribers_costs_one_read_unit() {
    let engine = Engine::start().await;
    let push = PushUpdates { table: table(&engine), sockets: MemorySockets::default(), clock: SystemClock };
    assert_eq!(push.run(&[update(1)]).await, [Ok(Pushed::default())]);
    let calls = engine.meter.take();
    assert!(matches!(calls[..], [ref call] if (call.operation, call.units) == ("GetItem", 1.0)), "{calls:?}");
}

#[tokio::test]
async fn of_many_who_subscribe_within_an_hour_one_writes_that_changes_are_noted() {
    let engine = Engine::start().await;
    let table = table(&engine);
    for minutes in 0..10 {
        let at = now().plus(Duration::from_secs(60 * minutes));
        table.keep(&sample::tenant(), at, at.plus(Duration::from_secs(5 * 3600))).await.unwrap();
    }
    let writes = engine.meter.take().iter().filter(|call| call.operation == "PutItem").count();
    assert_eq!(writes, 1);
}

#[tokio::test]
async fn more_recent_orders_than_are_named_are_not_read_to_the_end() {
    let engine = Engine::start().await;
    let table = table(&engine);
    let most = u32::try_from(Recent::MOST).unwrap();
    for n in 0..=most {
        table.note(&update(n), now()).await.unwrap();
    }
    let key = SubscriptionKey::Tenant(sample::tenant());
    assert!(!table.since(&key, now().minus(Duration::from_secs(600))).await.unwrap().is_whole);
}
