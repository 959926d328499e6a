//! Who is subscribed, to what, and what is sent.

use super::*;
use crate::details::{Edit, Patch};
use crate::id::TenantId;
use crate::memory::{FixedClock, Heard, MemorySockets, MemoryStore, MemorySubscriptions, sample};
use crate::ports::Condition;
use crate::subscription::Update;
use crate::text::Text;

fn noon() -> FixedClock {
    FixedClock(sample::stamp(43_200).at)
}

type Live = Subscribe<MemoryStore, MemorySubscriptions, MemorySockets, FixedClock>;

fn connection() -> ConnectionId {
    ConnectionId::parse("L0SM9cOFvHcCIhw=").unwrap()
}

/// A service with the sample order at this version.
async fn live(versions: u32) -> Live {
    let orders = MemoryStore::default();
    let mut order = sample::order();
    orders.insert(&order).await.unwrap();
    for n in 2..=versions {
        let notes = Patch::Set(Text::parse(format!("note {n}")).unwrap());
        let edited = order.edit(&Edit { notes, ..Edit::default() }, None, sample::stamp(n)).unwrap().unwrap();
        orders.update(&order, &edited, Condition::Version).await.unwrap();
        order = edited;
    }
    let table = MemorySubscriptions::default();
    // Somebody has subscribed for hours.
    table.keep(&sample::tenant(), sample::stamp(0).at, noon().now().plus(NOTED)).await.unwrap();
    Subscribe { orders, table, sockets: MemorySockets::default(), clock: noon(), most_connections: 3 }
}

async fn ask(live: &Live, caller: Caller, wanted: Wanted) -> Result<Vec<Heard>, SubscribeError> {
    let expires_at = noon().now().plus(Duration::from_secs(60));
    let request = SubscribeRequest { caller, connection: connection(), expires_at, wanted };
    live.run(&request).await?;
    Ok(live.sockets.heard(&connection()))
}

/// Has this version of the order noted so many minutes ago.
async fn note(live: &Live, version: u64, minutes: u64) {
    let order = OrderKey { tenant: sample::tenant(), id: sample::order_id(1) };
    let (customer, message) = (sample::order().customer.id.clone(), String::new());
    let update = Update { order, customer, version, committed_at: noon().now(), message };
    live.table.note(&update, noon().now().minus(Duration::from_secs(60 * minutes))).await.unwrap();
}

fn wanted(after: Option<u64>) -> Wanted {
    Wanted::Order { id: sample::order_id(1), after }
}

#[tokio::test]
async fn what_is_missing_is_sent_before_it_is_said_that_it_is_all() {
    let id = sample::order_id(1);
    let subscribed = Heard::Subscribed(Some((id, 4)));
    let heard = ask(&live(4).await, sample::caller(), wanted(Some(2))).await.unwrap();
    assert_eq!(heard, [Heard::Event(id, 3, 0), Heard::Event(id, 4, 0), subscribed.clone()]);
    for after in [None, Some(4), Some(9)] {
        let heard = ask(&live(4).await, sample::caller(), wanted(after)).await.unwrap();
        assert_eq!(heard, std::slice::from_ref(&subscribed), "{after:?}");
    }
}

#[tokio::test]
async fn versions_that_the_history_has_no_more_are_named() {
    let live = live(130).await;
    let heard = ask(&live, sample::caller(), wanted(Some(5))).await.unwrap();
    let id = sample::order_id(1);
    assert_eq!(heard.first(), Some(&Heard::Missed(id, 6, 30)));
    assert_eq!(heard.get(1), Some(&Heard::Event(id, 31, 0)));
    assert_eq!(heard.len(), 102);
}

#[tokio::test]
async fn who_was_away_learns_of_all_orders_that_changed_meanwhile() {
    let live = live(3).await;
    for (version, minutes) in [(1, 30), (2, 20), (3, 10)] {
        note(&live, version, minutes).await;
    }
    let ago = |minutes: u64| noon().now().minus(Duration::from_secs(60 * minutes));
    let all = |minutes: u64| Wanted::All { customer: None, since: Some(ago(minutes)) };
    let id = sample::order_id(1);
    let heard = ask(&live, sample::caller(), all(19)).await.unwrap();
    assert_eq!(heard, [Heard::Event(id, 2, 0), Heard::Event(id, 3, 0), Heard::Subscribed(None)], "with a margin");
    let heard = ask(&live, sample::caller(), all(24 * 60)).await.unwrap();
    assert!(heard.contains(&Heard::MissedTooMuch));
}

#[tokio::test]
async fn a_time_to_come_is_taken_as_now() {
    let later = Wanted::All { customer: None, since: Some(noon().now().plus(Duration::from_secs(3_600))) };
    let live = live(1).await;
    note(&live, 1, 0).await;
    let heard = ask(&live, sample::caller(), later).await.unwrap();
    let events = (0..3).map(|n| Heard::Event(sample::order_id(1), 1, n));
    assert_eq!(heard, events.chain([Heard::Subscribed(None)]).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_confined_caller_subscribes_to_its_customer_and_to_no_other() {
    let live = live(1).await;
    let customer = |name| Some(CustomerId::parse(name).unwrap());
    let confined = Caller { customer: customer("cust-2"), ..sample::caller() };
    let other = Wanted::All { customer: customer("cust-1"), since: None };
    let refused = ask(&live, confined.clone(), other).await;
    assert_eq!(refused, Err(Forbidden::OtherCustomer.into()));
    assert_eq!(ask(&live, confined.clone(), wanted(None)).await, Err(GetOrderError::NotFound.into()));
    let stranger = Caller { tenant: TenantId::parse("other").unwrap(), ..sample::caller() };
    assert_eq!(ask(&live, stranger, wanted(None)).await, Err(GetOrderError::NotFound.into()));
    assert!(live.table.is_empty());
    ask(&live, confined, Wanted::All { customer: None, since: None }).await.unwrap();
    let keys = live.table.of_connection(&connection()).await.unwrap().keys;
    assert_eq!(keys, [SubscriptionKey::Customer(sample::tenant(), CustomerId::parse("cust-2").unwrap())]);
}

#[tokio::test]
async fn a_connection_has_a_hundred_subscriptions_and_may_repeat_them() {
    let live = live(1).await;
    for n in 0..100 {
        let customer = Some(CustomerId::parse(format!("cust-{n}")).unwrap());
        ask(&live, sample::caller(), Wanted::All { customer, since: None }).await.unwrap();
    }
    assert_eq!(ask(&live, sample::caller(), wanted(None)).await, Err(SubscribeError::TooMany));
    let repeated = Wanted::All { customer: Some(CustomerId::parse("cust-7").unwrap()), since: None };
    assert!(ask(&live, sample::caller(), repeated).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_takes_no_message_is_closed() {
    let live = live(2).await;
    live.sockets.hang(&connection());
    let outcome = ask(&live, sample::caller(), wanted(Some(0))).await;
    assert_eq!(outcome, Err(PostError::Slow.into()));
    assert!(live.sockets.is_gone(&connection()));
}

#[tokio::test]
async fn who_gives_a_time_before_anybody_subscribed_is_told_that_changes_may_be_missing() {
    let live = Live { table: MemorySubscriptions::default(), ..live(1).await };
    let since = |secs: u64| Wanted::All { customer: None, since: Some(noon().now().minus(Duration::from_secs(secs))) };
    let heard = ask(&live, sample::caller(), since(1)).await.unwrap();
    assert_eq!(heard, [Heard::MissedTooMuch, Heard::Subscribed(None)]);
    let heard = ask(&live, sample::caller(), since(0)).await.unwrap();
    assert_eq!(
        heard.last_chunk(),
        Some(&[Heard::Subscribed(None), Heard::Subscribed(None)]),
        "from now on all is noted"
    );
}

#[tokio::test]
async fn who_followed_an_order_that_was_deleted_meanwhile_is_told_and_nobody_else() {
    let live = live(1).await;
    let order = live.orders.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap();
    let deleted = order.delete(Duration::from_secs(60), sample::stamp(2)).unwrap();
    live.orders.update(&order, &deleted, Condition::Version).await.unwrap();
    let heard = ask(&live, sample::caller(), wanted(Some(1))).await.unwrap();
    assert!(matches!(heard[..], [Heard::Event(_, 2, 0), .., Heard::Subscribed(Some((_, 2)))]), "{heard:?}");
    let stranger = Caller { customer: Some(CustomerId::parse("cust-2").unwrap()), ..sample::caller() };
    assert_eq!(ask(&live, stranger, wanted(Some(1))).await, Err(GetOrderError::NotFound.into()));
    assert_eq!(ask(&live, sample::caller(), wanted(None)).await, Err(GetOrderError::NotFound.into()));
}

/// Asks over another connection.
async fn ask_over(live: &Live, name: &str, caller: Caller, wanted: Wanted) -> Result<(), SubscribeError> {
    let (connection, expires_at) = (ConnectionId::parse(name).unwrap(), noon().now().plus(Duration::from_secs(60)));
    live.run(&SubscribeRequest { caller, connection, expires_at, wanted }).await
}

#[tokio::test]
async fn a_subject_has_so_many_connections_that_subscribe_and_a_closed_one_makes_room() {
    let live = live(1).await;
    let all = Wanted::All { customer: None, since: None };
    let subscribe = async |name: &str| ask_over(&live, name, sample::caller(), all.clone()).await;
    for name in ["a", "b", "c", "c"] {
        assert_eq!(subscribe(name).await, Ok(()));
    }
    assert_eq!(subscribe("d").await, Err(SubscribeError::TooManyConnections));
    assert_eq!(live.table.of_connection(&ConnectionId::parse("d").unwrap()).await.unwrap(), Connected::default());
    let other = Caller { subject: "another".to_owned(), ..sample::caller() };
    assert_eq!(ask_over(&live, "e", other, all.clone()).await, Ok(()));
    forget_connection(&live.table, &ConnectionId::parse("b").unwrap()).await.unwrap();
    assert_eq!(subscribe("d").await, Ok(()));
}

#[tokio::test]
async fn a_subject_is_sent_what_it_missed_so_many_times_a_minute_over_however_many_connections() {
    let live = live(1).await;
    for n in 0..MOST_REPLAYS {
        let name = if n % 2 == 0 { "a" } else { "b" };
        assert_eq!(ask_over(&live, name, sample::caller(), wanted(Some(1))).await, Ok(()));
    }
    for since in [None, Some(noon().now())] {
        let all = Wanted::All { customer: None, since };
        let refused = since.is_some().then_some(SubscribeError::TooManyReplays);
        assert_eq!(ask_over(&live, "a", sample::caller(), all).await.err(), refused);
    }
    assert_eq!(ask_over(&live, "b", sample::caller(), wanted(Some(0))).await, Err(SubscribeError::TooManyReplays));
    let later = Live { clock: FixedClock(noon().now().plus(Duration::from_secs(60))), ..live };
    assert_eq!(ask_over(&later, "b", sample::caller(), wanted(Some(0))).await, Ok(()));
}
