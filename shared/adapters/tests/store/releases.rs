//! What earlier releases stored, streamed and announced, read and worked on by the present code: while a release is deployed
//! gradually, and after a rollback, two of them share the table, the stream and the bus (docs/versioning.md).
//!
//! `tests/releases/<version>` holds what that release made. `UPDATE_FIXTURES=1` writes the folder of a new version, once;
//! what a release made is never written again, since it would hide what the present code can no longer read.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adapters::publisher::CloudEvent;
use adapters::store::DynamoStore;
use adapters::stream::StreamBatch;
use adapters::testing::MemoryDeadLetters;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::event::new_events;
use domain::memory::{MemoryPublisher, sample};
use domain::order::Order;
use domain::ports::{Condition, OrderStore};
use domain::status::Status;
use domain::use_cases::{FollowUps, Outcome};
use serde_dynamo::Item;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::engine::{Engine, TABLE};

/// What the folders hold, so that no change of one goes unseen.
const RELEASED: [(&str, &str); 1] = [("0.1.0", "f2dd39b8e6ed49ac00afe5c76530a801fa9330cbeb499e33a52bd137f0e3a88b")];

/// The images of one order, oldest first.
type Life = Vec<Order>;

/// Orders that between them have been through everything, by name.
fn lives() -> Vec<(&'static str, Life)> {
    let stamp = sample::stamp;
    let placed = sample::order();
    let confirmed = placed.followed_up(true, &[], stamp(2));
    let processing = confirmed.transition(Status::Processing, None, stamp(3)).unwrap().unwrap();
    let shipped = processing.ship(sample::shipment(), stamp(4)).unwrap().unwrap();
    let delivered = shipped.transition(Status::Delivered, None, stamp(5)).unwrap().unwrap();
    let pending = sample::bare_order();
    let canceled = pending.transition(Status::Canceled, None, stamp(6)).unwrap().unwrap();
    let deleted = confirmed.delete(Duration::from_secs(60), stamp(7)).unwrap();
    let erased = deleted.erased();
    vec![
        ("placed", vec![placed.clone()]),
        ("delivered", vec![placed.clone(), confirmed.clone(), processing, shipped, delivered]),
        ("pending", vec![pending.clone()]),
        ("canceled", vec![pending, canceled]),
        ("deleted", vec![placed.clone(), confirmed.clone(), deleted.clone()]),
        ("erased", vec![placed, confirmed, deleted, erased]),
    ]
}

/// What the present code makes of a life: the items that it stores, and the events that it announces.
async fn made(life: &Life) -> (Vec<Item>, Vec<Value>) {
    let engine = Engine::start().await;
    let store = engine.store(1);
    let mut items = Vec::new();
    for (index, order) in life.iter().enumerate() {
        match index.checked_sub(1).map(|before| &life[before]) {
            None => drop(store.insert(order).await.unwrap()),
            Some(before) if before.version == order.version => {
                store.update(before, order, Condition::VersionAndFollowUps).await.unwrap();
            }
            Some(before) => store.update(before, order, Condition::Version).await.unwrap(),
        }
        items.push(stored(&engine).await.into());
    }
    (items, events_of(life.last().unwrap()))
}

fn events_of(order: &Order) -> Vec<Value> {
    new_events(0, order).iter().map(|event| serde_json::to_value(CloudEvent::from(event)).unwrap()).collect()
}

/// The one item of the table; every life is of the sample order's id.
async fn stored(engine: &Engine) -> HashMap<String, AttributeValue> {
    engine.client.get_item().table_name(TABLE).key("pk", key()).send().await.unwrap().item.unwrap()
}

fn key() -> AttributeValue {
    AttributeValue::S(format!("{}#{}", sample::tenant(), sample::order_id(1)))
}

/// The stream records of a life, as Lambda hands them over.
fn records(items: &[Item]) -> Value {
    let record = |(index, new): (usize, &Item)| {
        let mut change = json!({
            "ApproximateCreationDateTime": 1_767_225_600,
            "Keys": { "pk": new.get("pk") },
            "NewImage": new,
            "SequenceNumber": (index + 1).to_string(),
            "SizeBytes": 1_000,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        if let Some(before) = index.checked_sub(1) {
            change["OldImage"] = serde_json::to_value(&items[before]).unwrap();
        }
        json!({
            "eventID": format!("event-{index}"),
            "eventName": if index == 0 { "INSERT" } else { "MODIFY" },
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-central-1",
            "dynamodb": change,
            "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",
        })
    };
    json!({ "Records": items.iter().enumerate().map(record).collect::<Vec<_>>() })
}

fn folder() -> PathBuf {
    PathBuf::from(format!("{}/tests/releases", env!("CARGO_MANIFEST_DIR")))
}

/// What each release made, by release and life: `item`, `records`, `events`.
fn fixtures() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for release in fs::read_dir(folder()).unwrap() {
        for file in fs::read_dir(release.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            found
                .push((path.display().to_string(), serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()));
        }
    }
    assert!(found.len() >= lives().len(), "no release left data");
    found
}

/// Stores the fixture's item, with an attribute that no release knows; a store on its table.
async fn restored(fixture: &Value) -> (Engine, DynamoStore) {
    let engine = Engine::start().await;
    let item: Item = serde_json::from_value(fixture["item"].clone()).unwrap();
    let mut item: HashMap<String, AttributeValue> = item.into();
    item.insert("unknown".to_owned(), AttributeValue::S("kept".to_owned()));
    engine.client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    let store = engine.store(1);
    (engine, store)
}

async fn read(store: &DynamoStore) -> Order {
    store.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap()
}

/// Writes what a release made.
fn leave(folder: &Path, files: &[(String, String)]) -> Result<(), String> {
    if folder.exists() {
        return Err(format!(
            "{} is there, and what a release made is never written again. If the present code makes something else, raise \
             `version` in Cargo.toml and write the folder of the new version; if it cannot read the old data any more, \
             mend the code",
            folder.display()
        ));
    }
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    files.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text).map_err(|error| error.to_string()))
}

fn digest(folder: &Path) -> String {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(file.file_name().unwrap().as_encoded_bytes());
        digest.update(fs::read(&file).unwrap());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_present_release_has_left_its_data() {
    let (version, present) = (env!("CARGO_PKG_VERSION"), folder().join(env!("CARGO_PKG_VERSION")));
    if std::env::var("UPDATE_FIXTURES").is_ok() {
        let mut files = Vec::new();
        for (name, life) in lives() {
            let (items, events) = made(&life).await;
            let fixture = json!({ "item": items.last(), "records": records(&items), "events": events });
            files.push((format!("{name}.json"), format!("{fixture:#}\n")));
        }
        leave(&present, &files).unwrap();
    }
    assert!(
        present.exists(),
        "release {version} has left no data. Run this test once with UPDATE_FIXTURES=1, which writes {}; commit the \
         folder, and add it to RELEASED",
        present.display()
    );
}

#[test]
fn what_a_release_made_stays_as_it_was() {
    let mut folders: Vec<_> = fs::read_dir(folder()).unwrap().map(|release| release.unwrap().path()).collect();
    folders.sort();
    let found: Vec<_> =
        folders.iter().map(|path| (path.file_name().unwrap().to_str().unwrap(), digest(path))).collect();
    let kept: Vec<_> = RELEASED.iter().map(|(version, digest)| (*version, (*digest).to_owned())).collect();
    assert_eq!(
        found, kept,
        "restore the folder of a release from its tag; only the folder of a new version is added, with its digest in RELEASED"
    );
}

#[test]
fn the_data_of_a_release_is_written_once() {
    let version = std::env::temp_dir().join(format!("releases-{}", std::process::id())).join("9.9.9");
    let file = |text: &str| [("placed.json".to_owned(), text.to_owned())];
    leave(&version, &file("then")).unwrap();
    let refused = leave(&version, &file("now")).unwrap_err();
    assert!(refused.contains("never written again") && refused.contains("Cargo.toml"), "{refused}");
    assert_eq!(fs::read_to_string(version.join("placed.json")).unwrap(), "then");
    fs::remove_dir_all(version.parent().unwrap()).unwrap();
}

#[tokio::test]
async fn an_order_of_every_release_is_read_as_it_was_and_announced_in_the_same_words() {
    for (name, fixture) in fixtures() {
        let (_, store) = restored(&fixture).await;
        let order = read(&store).await;
        let version: u64 = fixture["item"]["v"]["N"].as_str().unwrap().parse().unwrap();
        assert_eq!((order.version, order.status.as_str()), (version, fixture["item"]["s"]["S"].as_str().unwrap()));
        let (then, now) = (fixture["events"].as_array().unwrap(), events_of(&order));
        if !order.is_erased() {
            assert_eq!(then.len(), now.len(), "{name}");
            for (then, now) in then.iter().zip(&now) {
                assert!(includes(now, then), "{name}: {now} was {then}");
            }
        }
    }
}

/// Whether every member of the one is a member of the other, at any depth: a newer release may add some.
fn includes(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|own| includes(own, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| includes(whole, part))
        }
        (whole, part) => whole == part,
    }
}

#[tokio::test]
async fn a_change_of_an_order_of_any_release_keeps_what_it_does_not_know() {
    let mut changed = 0;
    for (name, fixture) in fixtures() {
        let (engine, store) = restored(&fixture).await;
        let order = read(&store).await;
        let Ok(Some(next)) = order.transition(Status::Canceled, None, sample::stamp(60)) else { continue };
        store.update(&order, &next, Condition::Version).await.unwrap();
        assert_eq!(read(&store).await, next, "{name}");
        assert_eq!(stored(&engine).await["unknown"], AttributeValue::S("kept".to_owned()), "{name}");
        changed += 1;
    }
    assert!(changed >= 2, "{changed} orders could be changed");
}

#[tokio::test]
async fn the_stream_records_of_every_release_are_published_event_by_event() {
    for (name, fixture) in fixtures() {
        let (publisher, dead_letters) = (MemoryPublisher::default(), MemoryDeadLetters::default());
        let batch = StreamBatch::read(serde_json::from_value(fixture["records"].clone()).unwrap(), "eu-central-1");
        let answer = batch.publish(&publisher, &dead_letters).await;
        assert!(answer.batch_item_failures.is_empty() && dead_letters.buried().is_empty(), "{name}");
        let ids: Vec<String> = publisher.published().iter().map(|event| event.id.to_string()).collect();
        let then: Vec<&str> =
            fixture["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect();
        // An erased order has no history left; its events went out before.
        assert!(ids == then || then.is_empty(), "{name}: {ids:?}, then {then:?}");
        assert!(!ids.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn the_follow_ups_of_every_release_are_done() {
    let mut done = 0;
    for (name, fixture) in fixtures() {
        let (_, store) = restored(&fixture).await;
        let order = read(&store).await;
        let (customers, inventory) = (sample::customers(), sample::inventory());
        let follow_ups = FollowUps { store, customers, inventory, pending_timeout: Duration::from_secs(86_400) };
        let stamp = sample::stamp(120);
        if order.due(stamp.at).is_none() {
            continue;
        }
        assert_eq!(follow_ups.run(order, &stamp).await, Ok(Outcome::Done), "{name}");
        assert_eq!(read(&follow_ups.store).await.due(stamp.at), None, "{name}");
        done += 1;
    }
    assert!(done >= 3, "{done} orders had follow-ups");
}
