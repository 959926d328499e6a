//! The contract of tables of subscriptions and recent changes.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a broken contract must fail the test")]

use std::time::Duration;

use crate::id::{CustomerId, OrderId, TenantId};
use crate::memory::sample;
use crate::ports::{OrderKey, RecentChanges, Subscriptions};
use crate::subscription::{ConnectionId, Subscription, SubscriptionKey, Update};
use crate::timestamp::Timestamp;

/// Declares one test per rule for the table that `$make` builds anew for each.
#[macro_export]
macro_rules! subscriptions_contract {
    ($make:expr) => {
        $crate::subscriptions_contract!(@tests $make;
            subscriptions_read_back_page_by_page_and_those_of_other_keys_do_not
            a_subscription_is_replaced_and_removed
            a_connection_knows_what_it_subscribes_to
            changes_are_remembered_for_their_customer_and_their_storefront
            changes_are_remembered_since_somebody_subscribed_and_as_long_as_somebody_may_resume
        );
    };
    (@tests $make:expr; $($rule:ident)+) => {
        $(#[tokio::test]
        async fn $rule() {
            let table = $make.await;
            $crate::contract::live::$rule(&table).await;
        })+
    };
}

fn connection(n: u32) -> ConnectionId {
    ConnectionId::parse(format!("L0SM9cOF{n:04}=")).expect("a connection id")
}

fn tenant(name: &str) -> SubscriptionKey {
    SubscriptionKey::Tenant(TenantId::restore(name))
}

fn customer(name: &str) -> CustomerId {
    CustomerId::restore(name)
}

fn order(tenant: &str, n: u32) -> OrderKey {
    OrderKey { tenant: TenantId::restore(tenant), id: sample::order_id(n) }
}

/// The keys that could be taken for one another.
fn keys() -> [SubscriptionKey; 6] {
    let of_customer = |tenant, name| SubscriptionKey::Customer(TenantId::restore(tenant), customer(name));
    [
        tenant("demo"),
        tenant("demo-2"),
        of_customer("demo", "cust-1"),
        of_customer("demo-2", "cust-1"),
        SubscriptionKey::Order(order("demo", 1)),
        SubscriptionKey::Order(order("demo-2", 1)),
    ]
}

fn subscription(key: SubscriptionKey, n: u32, confined_to: Option<&str>) -> Subscription {
    let expires_at = in_an_hour();
    Subscription { key, connection: connection(n), confined_to: confined_to.map(customer), expires_at }
}

/// Later than the clock of any machine that runs this: what has expired may be forgotten at any time.
fn in_an_hour() -> Timestamp {
    Timestamp::from_secs(4_000_000_000)
}

async fn all(table: &impl Subscriptions, key: &SubscriptionKey) -> Vec<Subscription> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = table.page(key, after.as_ref()).await.expect("an answer");
        found.extend(page.subscriptions);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// Every one, by connection, with all that it says.
pub async fn subscriptions_read_back_page_by_page_and_those_of_other_keys_do_not(table: &impl Subscriptions) {
    for (index, key) in (0..).zip(keys()) {
        for n in 0..5 {
            let confined_to = Some("cust-1").filter(|_| n % 2 == 0);
            table.add(&subscription(key.clone(), 10 * index + n, confined_to)).await.expect("added");
        }
    }
    for (index, key) in (0..).zip(keys()) {
        let expected: Vec<_> =
            (0..5).map(|n| subscription(key.clone(), 10 * index + n, Some("cust-1").filter(|_| n % 2 == 0))).collect();
        assert_eq!(all(table, &key).await, expected);
    }
}

/// Removing what is not there is no error.
pub async fn a_subscription_is_replaced_and_removed(table: &impl Subscriptions) {
    let first = subscription(tenant("demo"), 1, None);
    let other = subscription(tenant("demo"), 2, None);
    let later = Subscription { expires_at: in_an_hour().plus(Duration::from_secs(60)), ..first.clone() };
    for subscription in [&first, &other, &later] {
        table.add(subscription).await.expect("added");
    }
    assert_eq!(all(table, &first.key).await, [later, other.clone()]);
    for _ in 0..2 {
        table.remove(&first.key, &first.connection).await.expect("removed");
    }
    assert_eq!(all(table, &first.key).await, [other]);
}

/// And nothing of other connections.
pub async fn a_connection_knows_what_it_subscribes_to(table: &impl Subscriptions) {
    for key in keys() {
        table.add(&subscription(key, 1, None)).await.expect("added");
    }
    table.add(&subscription(tenant("demo"), 2, None)).await.expect("added");
    let mut own = table.of_connection(&connection(1)).await.expect("an answer");
    own.sort();
    let mut expected = keys().to_vec();
    expected.sort();
    assert_eq!(own, expected);
    assert_eq!(table.of_connection(&connection(2)).await.expect("an answer"), [tenant("demo")]);
    assert_eq!(table.of_connection(&connection(3)).await.expect("an answer"), []);
}

/// Of each order the first version since then, of this customer or storefront alone.
pub async fn changes_are_remembered_for_their_customer_and_their_storefront(table: &impl RecentChanges) {
    let at = |secs: u64| Timestamp::from_secs(4_000_000_000).plus(Duration::from_secs(secs));
    let note = async |order: OrderKey, name: &str, version: u64, noted_at: Timestamp| {
        let update =
            Update { order, customer: customer(name), version, committed_at: noted_at, message: "{}".to_owned() };
        table.note(&update, noted_at).await.expect("noted");
    };
    note(order("demo", 1), "cust-1", 6, at(9)).await;
    for (version, second) in [(7, 10), (9, 12), (8, 11), (7, 13)] {
        note(order("demo", 1), "cust-1", version, at(second)).await;
    }
    note(order("demo", 2), "cust-2", 1, at(10)).await;
    note(order("demo-2", 3), "cust-1", 1, at(10)).await;
    let since = async |key: SubscriptionKey, secs: u64| -> Vec<(OrderId, u64)> {
        let recent = table.since(&key, at(secs)).await.expect("an answer");
        assert!(recent.is_whole);
        recent.orders.into_iter().collect()
    };
    let (first, second) = (sample::order_id(1), sample::order_id(2));
    assert_eq!(since(tenant("demo"), 10).await, [(first, 7), (second, 1)]);
    assert_eq!(since(tenant("demo"), 0).await, [(first, 6), (second, 1)]);
    assert_eq!(since(tenant("demo"), 11).await, [(first, 7)]);
    assert_eq!(since(tenant("demo"), 14).await, []);
    let of_customer = |name| SubscriptionKey::Customer(TenantId::restore("demo"), customer(name));
    assert_eq!(since(of_customer("cust-2"), 0).await, [(second, 1)]);
    assert_eq!(since(tenant("demo-2"), 0).await, [(sample::order_id(3), 1)]);
}

/// From the first subscription on, however often others subscribe; when the time is over, anew from the next.
pub async fn changes_are_remembered_since_somebody_subscribed_and_as_long_as_somebody_may_resume(
    table: &impl RecentChanges,
) {
    let at = |hours: u64| Timestamp::from_secs(4_000_000_000).plus(Duration::from_secs(3_600 * hours));
    let kept =
        async |name: &str, hours| table.kept_since(&TenantId::restore(name), at(hours)).await.expect("an answer");
    assert_eq!(kept("demo", 0).await, None);
    let keep = async |from: u64| {
        table.keep(&TenantId::restore("demo"), at(from), at(from + 5)).await.expect("kept");
    };
    keep(0).await;
    assert_eq!((kept("demo", 4).await, kept("demo-2", 4).await), (Some(at(0)), None));
    keep(3).await;
    assert_eq!(kept("demo", 7).await, Some(at(0)));
    assert_eq!(kept("demo", 20).await, None);
    keep(20).await;
    assert_eq!(kept("demo", 24).await, Some(at(20)));
}
