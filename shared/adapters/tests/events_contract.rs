//! Event names, sources, rules, schemas, the AsyncAPI document and the code say the same.
//!
//! `make schemas` writes the schemas and the document anew from the types.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use adapters::live::{Answer, AnswerView, MissedView, SocketRequest, SubscribedView};
use adapters::publisher::{CloudEvent, SOURCE, schema_name};
use domain::details::{Edit, Patch};
use domain::event::new_events;
use domain::history::EventKind;
use domain::memory::sample;
use domain::order::Order;
use domain::status::Status;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

fn path(file: &str) -> String {
    format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"))
}

fn schema_file(kind: EventKind) -> String {
    format!("docs/schemas/{}.json", kind.as_str())
}

/// The schema of one event: that of every event, with what is always the same in this one.
fn schema(kind: EventKind) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<CloudEvent<'_>>().to_value();
    schema["$id"] = json!(schema_name(kind.as_str()));
    schema["title"] = json!(kind.as_str());
    let fixed = [
        ("specversion", "1.0"),
        ("type", kind.as_str()),
        ("datacontenttype", "application/json"),
        ("dataschema", &schema_name(kind.as_str())),
    ];
    for (name, value) in fixed {
        schema["properties"][name]["const"] = json!(value);
    }
    for (name, pattern) in [
        ("id", "^[0-9a-f-]{36}:[1-9][0-9]*:[0-9]+$"),
        ("source", "^orders/.+$"),
        ("subject", "^[0-9a-f-]{36}$"),
        ("sequence", "^[0-9]{10}$"),
        ("traceparent", "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"),
    ] {
        schema["properties"][name]["pattern"] = json!(pattern);
    }
    schema["properties"]["time"]["format"] = json!("date-time");
    schema
}

/// The document of everything that this service sends.
fn async_api() -> Value {
    let message = |kind: &EventKind| {
        let message = json!({
            "name": kind.as_str(),
            "contentType": "application/cloudevents+json",
            "correlationId": { "location": "$message.payload#/subject" },
            "payload": { "$ref": format!("./schemas/{}.json", kind.as_str()) },
        });
        (kind.as_str().to_owned(), message)
    };
    let references = |to: &str| -> serde_json::Map<String, Value> {
        let reference = |kind: &EventKind| {
            (kind.as_str().to_owned(), json!({ "$ref": format!("#/{to}/messages/{}", kind.as_str()) }))
        };
        EventKind::ALL.iter().map(reference).collect()
    };
    let sends = |channel: &str| {
        json!({
            "action": "send",
            "channel": { "$ref": format!("#/channels/{channel}") },
            "messages": references(&format!("channels/{channel}")).into_iter().map(|(_, value)| value).collect::<Vec<_>>(),
        })
    };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Order service events",
            "version": "1.0.0",
            "description": "Every committed version of an order, as CloudEvents 1.0. See events.md.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "bus": {
                "address": "{stack}-events",
                "title": "EventBridge bus",
                "description": format!("Source `{SOURCE}`, DetailType the event's type, Detail the event. At least once, in no order."),
                "parameters": { "stack": { "description": "The name of the stack." } },
                "messages": references("components"),
            },
            "feed": {
                "address": "{stack}-feed.fifo",
                "title": "SNS FIFO topic",
                "description": "Message group: the order id. Deduplication id: the event's id. Attributes: `type`, `tenant`. At least once, in version order per order.",
                "parameters": { "stack": { "description": "The name of the stack." } },
                "messages": references("components"),
            },
            "live": {
                "address": "/v1",
                "title": "WebSocket connections",
                "description": "Messages of a connection, see live.md. Events as on the feed, at least once and in version order per order, of the orders that are subscribed to.",
                "messages": with(references("components"), LIVE.map(|(name, _)| (name, reference_of("components", name)))),
                "bindings": { "ws": { "method": "GET" } },
            },
        },
        "operations": {
            "announce": sends("bus"),
            "feed": sends("feed"),
            "push": {
                "action": "send",
                "channel": { "$ref": "#/channels/live" },
                "messages": EventKind::ALL.iter().map(|kind| kind.as_str().to_owned()).chain(told()).map(|name| reference_of("channels/live", &name)).collect::<Vec<_>>(),
            },
            "ask": {
                "action": "receive",
                "channel": { "$ref": "#/channels/live" },
                "messages": [reference_of("channels/live", ASKED)],
            },
        },
        "components": {
            "messages": with(
                EventKind::ALL.iter().map(message).collect(),
                LIVE.map(|(name, payload)| (name, live_message(name, payload()))),
            ),
        },
    })
}

/// What clients send over a connection.
const ASKED: &str = "request";

/// Makes the schema of a message.
type Payload = fn() -> Value;

/// The messages of a connection that are no events.
const LIVE: [(&str, Payload); 5] = [
    (ASKED, || schema_of::<SocketRequest>(false)),
    ("subscribed", || with_actions(schema_of::<SubscribedView>(true), &["subscribed"])),
    ("missed", || with_actions(schema_of::<MissedView>(true), &["missed"])),
    ("answer", || with_actions(schema_of::<AnswerView>(true), &["pong", "unsubscribed"])),
    ("problem", || json!({ "$ref": "./openapi.yaml#/components/schemas/Problem" })),
];

/// Those of them that the service sends.
fn told() -> impl Iterator<Item = String> {
    LIVE.into_iter().map(|(name, _)| name.to_owned()).filter(|name| name != ASKED)
}

fn schema_of<T: JsonSchema>(is_sent: bool) -> Value {
    let settings = SchemaSettings::draft2020_12();
    let settings = if is_sent { settings.for_serialize() } else { settings.for_deserialize() };
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn with_actions(mut schema: Value, actions: &[&str]) -> Value {
    schema["properties"]["action"]["enum"] = json!(actions);
    schema
}

fn live_message(name: &str, payload: Value) -> Value {
    json!({ "name": name, "contentType": "application/json", "payload": payload })
}

fn reference_of(to: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{to}/messages/{name}") })
}

fn with<const N: usize>(mut members: Map<String, Value>, more: [(&str, Value); N]) -> Map<String, Value> {
    members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    members
}

#[test]
fn a_connection_takes_and_gives_what_the_document_says() {
    let request = jsonschema::validator_for(&schema_of::<SocketRequest>(false)).unwrap();
    for message in [
        json!({"action": "subscribe", "order_id": "0192f0c1-7a3e-7cc0-8000-000000000001", "last_sequence": 7}),
        json!({"action": "subscribe", "customer_id": "cust-1", "since": "2026-01-01T00:00:01.000Z"}),
        json!({"action": "ping"}),
    ] {
        assert!(request.is_valid(&message), "{message}");
        assert!(SocketRequest::read(&message.to_string()).is_ok(), "{message}");
    }
    for message in [json!({"action": "dance"}), json!({"order_id": "x"}), json!({"action": "ping", "more": 1})] {
        assert!(!request.is_valid(&message), "{message}");
        assert!(SocketRequest::read(&message.to_string()).is_err(), "{message}");
    }
    let answer = jsonschema::validator_for(&LIVE[3].1()).unwrap();
    for sent in [Answer::Pong(sample::stamp(1).at), Answer::Unsubscribed(Some(sample::order_id(1)))] {
        assert!(answer.is_valid(&serde_json::from_str(&sent.text()).unwrap()), "{sent:?}");
    }
}

/// The file says what the code does; `make schemas` makes it so.
fn holds(file: &str, value: &Value) {
    if std::env::var("UPDATE_SCHEMAS").is_ok() {
        std::fs::write(path(file), serde_json::to_string_pretty(value).unwrap() + "\n").unwrap();
    }
    let written: Value = serde_json::from_str(&std::fs::read_to_string(path(file)).unwrap()).unwrap();
    assert!(written == *value, "{file} is not what the code does: run `make schemas`");
}

#[test]
fn every_event_has_its_schema_and_every_schema_its_event() {
    for kind in EventKind::ALL {
        holds(&schema_file(kind), &schema(kind));
    }
    let files = std::fs::read_dir(path("docs/schemas")).unwrap();
    let files: BTreeSet<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let kinds: BTreeSet<String> = EventKind::ALL.iter().map(|kind| format!("{}.json", kind.as_str())).collect();
    assert_eq!(files, kinds);
}

#[test]
fn the_asyncapi_document_names_every_event() {
    holds("docs/asyncapi.json", &async_api());
}

/// Orders that between them have been through everything.
fn orders() -> Vec<Order> {
    let stamp = sample::stamp;
    let placed = sample::order();
    let pending = sample::bare_order();
    let lines = Edit { notes: Patch::Set(domain::text::Notes::parse("gift").unwrap()), ..Edit::default() };
    let edited = placed.edit(&lines, None, stamp(2)).unwrap().unwrap();
    let edited = edited.followed_up(true, &[], stamp(2));
    let processing = edited.transition(Status::Processing, None, stamp(3)).unwrap().unwrap();
    let shipped = processing.ship(sample::shipment(), stamp(4)).unwrap().unwrap();
    let delivered = shipped.transition(Status::Delivered, None, stamp(5)).unwrap().unwrap();
    let reason = domain::text::Reason::parse("changed my mind").unwrap();
    let canceled = pending.transition(Status::Canceled, Some(reason), stamp(6)).unwrap().unwrap();
    let released = canceled.followed_up(false, &[pending.reservation], stamp(7));
    let deleted = edited.delete(std::time::Duration::from_secs(60), stamp(8)).unwrap();
    let completed = pending.completed(sample::contact(2), placed.lines.clone(), stamp(9));
    vec![delivered, released, deleted, completed]
}

#[test]
fn every_event_that_is_sent_fits_its_schema() {
    let mut seen = BTreeSet::new();
    for order in orders() {
        for event in new_events(0, &order) {
            let document = serde_json::to_value(CloudEvent::from(&event)).unwrap();
            let validator = jsonschema::validator_for(&schema(event.kind)).unwrap();
            let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", event.kind.as_str());
            let other = EventKind::ALL.into_iter().find(|kind| *kind != event.kind).unwrap();
            assert!(!jsonschema::is_valid(&schema(other), &document), "a schema fits another event");
            seen.insert(event.kind.as_str().to_owned());
        }
    }
    assert_eq!(seen.len(), EventKind::ALL.len(), "every kind was seen: {seen:?}");
}

#[test]
fn the_rules_of_the_template_match_the_source_that_is_sent() {
    let template = std::fs::read_to_string(path("template.yaml")).unwrap();
    let patterns: Vec<_> = template.lines().filter(|line| line.contains("EventPattern:")).collect();
    assert_eq!(patterns.len(), 2, "{patterns:?}");
    let expected = format!("EventPattern: {{ source: [{SOURCE}] }}");
    assert!(patterns.iter().all(|pattern| pattern.trim() == expected), "{patterns:?}");
}
