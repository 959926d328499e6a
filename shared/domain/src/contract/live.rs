//! The contract of tables of subscriptions and recent changes.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a broken contract must fail the test")]

use std::time::Duration;

use futures_util::future::join_all;

use crate::id::{CustomerId, TenantId};
use crate::memory::sample;
use crate::ports::{Connected, Noted, OrderKey, RecentChanges, Subjects, Subscriptions};
use crate::subscription::{ConnectionId, Subject, Subscription, SubscriptionKey, Update};
use crate::timestamp::Timestamp;

/// Declares one test per rule for the table that `$make` builds anew for each.
#[macro_export]
macro_rules! subscriptions_contract {
    ($make:expr) => {
        $crate::subscriptions_contract!(@tests $make;
            subscriptions_read_back_page_by_page_and_those_of_other_keys_do_not
            a_subscription_is_replaced_and_removed
            a_connection_knows_what_it_subscribes_to
            a_subject_has_so_many_connections_at_a_time
            a_subject_has_so_many_replays_in_a_minute_however_many_ask_at_once
            changes_are_remembered_for_their_customer_and_their_storefront
            what_is_noted_after_the_newest_is_on_no_page
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
    let subject = Some(Subject { tenant: key.tenant().clone(), name: format!("shop-backend-{n}") })
        .filter(|_| !n.is_multiple_of(3));
    let confined_to = confined_to.map(customer);
    Subscription { key, connection: connection(n), subject, confined_to, expires_at: in_an_hour() }
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
    let known = async |n| table.of_connection(&connection(n)).await.expect("an answer");
    let mut own = known(1).await.keys;
    own.sort();
    let mut expected = keys().to_vec();
    expected.sort();
    assert_eq!(own, expected);
    assert_eq!(known(2).await, Connected { subject: None, keys: vec![tenant("demo")] });
    assert_eq!(known(3).await, Connected::default());
}

fn subject(tenant: &str, name: &str) -> Subject {
    Subject { tenant: TenantId::restore(tenant), name: name.to_owned() }
}

/// Those that are closed, or whose time is over, are not counted, nor are those of others; one of its own may be counted again.
pub async fn a_subject_has_so_many_connections_at_a_time(table: &(impl Subjects + Subscriptions)) {
    // What a token names as its subject may hold anything.
    let own = subject("demo", "auth0|5f7c#1");
    let count = async |subject: &Subject, n: u32, secs: u64| {
        let until = at(secs).plus(Duration::from_secs(60));
        table.count_connection(subject, &connection(n), at(secs), until, 2).await.expect("an answer")
    };
    assert!(count(&own, 1, 0).await && count(&own, 2, 30).await);
    assert!(!count(&own, 3, 30).await && count(&own, 2, 30).await);
    assert_eq!(table.of_connection(&connection(3)).await.expect("an answer"), Connected::default());
    for (n, other) in [(4, subject("demo", "auth0|5f7c")), (5, subject("demo-2", "auth0|5f7c#1"))] {
        assert!(count(&other, n, 30).await);
        let known = table.of_connection(&connection(n)).await.expect("an answer");
        assert_eq!(known, Connected { subject: Some(other), keys: Vec::new() });
    }
    assert!(count(&own, 3, 60).await, "the first has ended");
    assert!(!count(&own, 6, 60).await);
    for _ in 0..2 {
        table.discount_connection(&own, &connection(3)).await.expect("discounted");
    }
    assert!(count(&own, 6, 60).await);
}

/// In each minute anew, and each subject by itself.
pub async fn a_subject_has_so_many_replays_in_a_minute_however_many_ask_at_once(table: &impl Subjects) {
    let own = subject("demo", "page");
    let count = async |subject: &Subject, secs| table.count_replay(subject, at(secs), 5).await.expect("an answer");
    let asked = join_all((0..20).map(|_| count(&own, 0))).await;
    assert_eq!(asked.iter().filter(|is_counted| **is_counted).count(), 5);
    assert!(!count(&own, 0).await && count(&own, 60).await && count(&subject("demo", "other"), 0).await);
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(4_000_000_000).plus(Duration::from_secs(secs))
}

async fn note(table: &impl RecentChanges, order: OrderKey, name: &str, version: u64, secs: u64) {
    let update = Update { order, customer: customer(name), version, committed_at: at(secs), message: "{}".to_owned() };
    table.note(&update, at(secs)).await.expect("noted");
}

/// All pages of what was noted from then until the newest.
async fn pages(table: &impl RecentChanges, key: &SubscriptionKey, secs: u64, newest: Noted) -> Vec<Noted> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = table.noted(key, at(secs), newest, after).await.expect("a page");
        found.extend(page.changes);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// In the order in which they were noted, of this customer or storefront alone.
pub async fn changes_are_remembered_for_their_customer_and_their_storefront(table: &impl RecentChanges) {
    note(table, order("demo", 1), "cust-1", 6, 9).await;
    for (version, second) in [(7, 10), (9, 12), (8, 11), (7, 13)] {
        note(table, order("demo", 1), "cust-1", version, second).await;
    }
    note(table, order("demo", 2), "cust-2", 1, 10).await;
    note(table, order("demo-2", 3), "cust-1", 1, 10).await;
    let since = async |key: SubscriptionKey, secs: u64| match table.newest(&key).await.expect("an answer") {
        Some(newest) => pages(table, &key, secs, newest).await,
        None => Vec::new(),
    };
    let noted = |n, version, secs| Noted { at: at(secs), order: sample::order_id(n), version };
    let from_10 = [noted(1, 7, 10), noted(2, 1, 10), noted(1, 8, 11), noted(1, 9, 12), noted(1, 7, 13)];
    assert_eq!(since(tenant("demo"), 10).await, from_10);
    assert_eq!(since(tenant("demo"), 0).await, [&[noted(1, 6, 9)], &from_10[..]].concat());
    assert_eq!(since(tenant("demo"), 11).await, from_10.get(2..).expect("three"));
    assert_eq!(since(tenant("demo"), 14).await, []);
    let of_customer = |name| SubscriptionKey::Customer(TenantId::restore("demo"), customer(name));
    assert_eq!(since(of_customer("cust-2"), 0).await, [noted(2, 1, 10)]);
    assert_eq!(since(of_customer("cust-3"), 0).await, []);
    assert_eq!(since(tenant("demo-2"), 0).await, [noted(3, 1, 10)]);
}

/// Whoever reads them all comes to an end, however much is noted meanwhile.
pub async fn what_is_noted_after_the_newest_is_on_no_page(table: &impl RecentChanges) {
    for n in 1..=3 {
        note(table, order("demo", n), "cust-1", 1, 1).await;
    }
    let newest = table.newest(&tenant("demo")).await.expect("an answer").expect("three are noted");
    assert_eq!(newest, Noted { at: at(1), order: sample::order_id(3), version: 1 });
    note(table, order("demo", 4), "cust-1", 1, 1).await;
    note(table, order("demo", 1), "cust-1", 2, 2).await;
    let found = pages(table, &tenant("demo"), 0, newest).await;
    let orders: Vec<_> = found.iter().map(|noted| noted.order).collect();
    assert_eq!(orders, [1, 2, 3].map(sample::order_id));
}

/// From the first subscription on, however often others subscribe; when the time is over, anew from the next.
pub async fn changes_are_remembered_since_somebody_subscribed_and_as_long_as_somebody_may_resume(
    table: &impl RecentChanges,
) {
    let at = |hours: u64| at(3_600 * hours);
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
