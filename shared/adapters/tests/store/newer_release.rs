//! What a newer release stored survives the writes of this one, so that a rollback damages nothing.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::details::Edit;
use domain::history::Stamp;
use domain::line::Lines;
use domain::memory::sample;
use domain::order::{NewLines, Order};
use domain::ports::{Condition, OrderStore, UpdateError};
use domain::reservation::ReservationId;

use crate::engine::{Engine, TABLE};

type Attributes = HashMap<String, AttributeValue>;

fn key() -> AttributeValue {
    let order = sample::order();
    AttributeValue::S(format!("{}#{}", order.tenant, order.id))
}

/// The follow-ups of the sample order as they are stored.
async fn stored(engine: &Engine) -> Vec<Attributes> {
    let get = engine.client.get_item().table_name(TABLE).key("pk", key()).consistent_read(true);
    let item = get.send().await.unwrap().item.unwrap();
    item["fu"].as_l().unwrap().iter().map(|follow_up| follow_up.as_m().unwrap().clone()).collect()
}

/// What a newer release adds: attributes of every kind, and one that this release leaves out when it is zero.
fn added() -> Attributes {
    let text = AttributeValue::S("why".to_owned());
    let inner = AttributeValue::M([("x".to_owned(), AttributeValue::Null(true))].into());
    [
        ("n", AttributeValue::N("0".to_owned())),
        ("w", text.clone()),
        ("b", AttributeValue::B(Blob::new([0, 255]))),
        ("l", AttributeValue::L(vec![text, inner, AttributeValue::Bool(true)])),
        ("q", AttributeValue::Ss(vec!["one".to_owned(), "two".to_owned()])),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The sample order with a follow-up of this kind that a newer release stored; with the attributes of that follow-up.
async fn written_by_a_newer_release(kind: &str) -> (Engine, Order, Attributes) {
    let engine = Engine::start().await;
    let (store, order) = (engine.store(1), sample::order());
    store.insert(&order).await.unwrap();
    let mut follow_up = stored(&engine).await.remove(0);
    follow_up.insert("k".to_owned(), AttributeValue::S(kind.to_owned()));
    follow_up.extend(added());
    let update = engine.client.update_item().table_name(TABLE).key("pk", key());
    let update = update.update_expression("SET fu[0] = :newer");
    update.expression_attribute_values(":newer", AttributeValue::M(follow_up.clone())).send().await.unwrap();
    let read = store.get(&order.tenant, order.id).await.unwrap().unwrap();
    (engine, read, follow_up)
}

#[tokio::test]
async fn a_follow_up_that_is_postponed_keeps_what_a_newer_release_added() {
    let (engine, order, newer) = written_by_a_newer_release("confirm").await;
    let (store, stamp) = (engine.store(1), sample::stamp(60));
    let postponed = order.followed_up(false, &[], stamp);
    store.update(&order, &postponed, Condition::VersionAndFollowUps).await.unwrap();
    let again = postponed.followed_up(false, &[], Stamp { at: postponed.follow_ups[0].at, ..sample::stamp(61) });
    store.update(&postponed, &again, Condition::VersionAndFollowUps).await.unwrap();
    let now = stored(&engine).await.remove(0);
    for name in ["w", "b", "l", "q"] {
        assert_eq!(now[name], newer[name], "{name}");
    }
    assert_eq!(now["n"], AttributeValue::N("2".to_owned()));
    assert_ne!(now["t"], newer["t"]);
    let read = store.get(&order.tenant, order.id).await.unwrap().unwrap();
    assert_eq!((read.follow_ups[0].at, read.follow_ups[0].attempts), (again.follow_ups[0].at, 2));
}

#[tokio::test]
async fn a_follow_up_that_others_are_added_to_stays_as_it_is() {
    let (engine, order, newer) = written_by_a_newer_release("remind").await;
    let store = engine.store(1);
    let lines = Lines::unpriced(&sample::lines(&[(3, 1)]));
    let new = NewLines { lines, reservation: ReservationId::of_attempt(order.id, "request", 1) };
    let edited = order.edit(&Edit::default(), Some(new), sample::stamp(2)).unwrap().unwrap();
    store.update(&order, &edited, Condition::Version).await.unwrap();
    let all = stored(&engine).await;
    assert_eq!((all.len(), &all[0]), (3, &newer), "{all:?}");
}

#[tokio::test]
async fn nothing_that_a_newer_release_added_stays_of_an_order_that_is_erased_but_its_follow_ups() {
    let (engine, order, newer) = written_by_a_newer_release("remind").await;
    let store = engine.store(1);
    let deleted = order.delete(Duration::from_secs(60), sample::stamp(2)).unwrap();
    store.update(&order, &deleted, Condition::Version).await.unwrap();
    let update = engine.client.update_item().table_name(TABLE).key("pk", key()).update_expression("SET birthday = :b");
    update.expression_attribute_values(":b", AttributeValue::S("1990-01-01".to_owned())).send().await.unwrap();
    let deleted = store.get(&order.tenant, order.id).await.unwrap().unwrap();
    let erased = deleted.erased();
    store.update(&deleted, &erased, Condition::VersionAndFollowUps).await.unwrap();
    let again = store.update(&deleted, &erased, Condition::VersionAndFollowUps).await;
    assert_eq!(again, Err(UpdateError::Conflict), "the follow-ups are others now");
    let get = engine.client.get_item().table_name(TABLE).key("pk", key()).consistent_read(true).send().await.unwrap();
    assert_eq!(get.item.unwrap().get("birthday"), None);
    assert_eq!(stored(&engine).await.first(), Some(&newer));
    let read = store.get(&order.tenant, order.id).await.unwrap().unwrap();
    let of = |order: &Order| {
        let follow_ups: Vec<_> = order.follow_ups.iter().map(|follow_up| (follow_up.kind, follow_up.at)).collect();
        (order.version, order.customer.clone(), order.history.len(), order.is_deleted(), follow_ups)
    };
    assert_eq!(of(&read), of(&erased));
}

#[tokio::test]
async fn what_only_a_newer_release_would_write_is_a_condition_that_holds() {
    let (engine, order, newer) = written_by_a_newer_release("remind").await;
    let noted = order.erased();
    engine.store(1).update(&order, &noted, Condition::VersionAndFollowUps).await.unwrap();
    assert_eq!(stored(&engine).await, [newer]);
}
