//! The table of the subscriptions keeps its contract, reads large keys page by page, and costs what it is said to cost.

use std::time::Duration;

use adapters::live::SubscriptionsTable;
use adapters::system::SystemClock;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::memory::{Heard, MemorySockets, MemoryStore, sample};
use domain::order::{Order, OrderData};
use domain::ports::{Clock, Connected, OrderKey, OrderStore, RecentChanges, Subscriptions};
use domain::subscription::{ConnectionId, Subscription, SubscriptionKey, Update};
use domain::timestamp::Timestamp;
use domain::use_cases::{PushUpdates, Pushed, Subscribe, SubscribeRequest, Wanted};

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
        subject: None,
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
async fn what_a_later_release_keeps_of_a_connection_is_passed_by() {
    let engine = Engine::start().await;
    let (table, subscription) = (table(&engine), subscription(1));
    table.add(&subscription).await.unwrap();
    let connection = AttributeValue::S(subscription.connection.as_str().to_owned());
    let later = engine.client.put_item().table_name(SUBSCRIPTIONS_TABLE);
    let later = later.item("pk", AttributeValue::S("filter#demo#1".to_owned()));
    later.item("sk", connection.clone()).item("c", connection).send().await.unwrap();
    let connected = table.of_connection(&subscription.connection).await.unwrap();
    assert_eq!(connected, Connected { subject: None, keys: vec![subscription.key] });
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
async fn whatever_is_remembered_is_sent_to_who_resumes_a_thousand_changes_a_page() {
    let engine = Engine::start().await;
    let (table, orders, sockets) = (table(&engine), MemoryStore::default(), MemorySockets::default());
    let since = now();
    table.keep(&sample::tenant(), since, since.plus(Duration::from_secs(3600))).await.unwrap();
    for n in 1..=2_500 {
        let data = OrderData { id: sample::order_id(n), ..(*sample::order()).clone() };
        orders.insert(&Order::restore(data)).await.unwrap();
        table.note(&update(n), now()).await.unwrap();
    }
    engine.meter.take();
    let subscribe = Subscribe { orders, table, sockets, clock: SystemClock, most_connections: 1 };
    let connection = subscription(1).connection;
    let request = SubscribeRequest {
        caller: sample::caller(),
        connection: connection.clone(),
        expires_at: now().plus(Duration::from_secs(3600)),
        wanted: Wanted::All { customer: None, since: Some(since) },
    };
    subscribe.run(&request).await.unwrap();
    let heard = subscribe.sockets.heard(&connection);
    for n in 1..=2_500 {
        assert!(heard.contains(&Heard::Event(sample::order_id(n), 1, 0)), "order {n}");
    }
    assert_eq!((heard.len(), heard.last()), (3 * 2_500 + 1, Some(&Heard::Subscribed(None))));
    let calls = engine.meter.take();
    let pages: Vec<f64> = calls.iter().filter(|call| call.units > 2.0).map(|call| call.units).collect();
    assert!(pages.len() == 3 && pages.iter().all(|units| *units < 40.0), "{calls:?}");
}
