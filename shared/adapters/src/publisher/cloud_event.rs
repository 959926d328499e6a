//! An event as CloudEvents 1.0 JSON (<https://github.com/cloudevents/spec>).

use domain::event::Event;
use domain::ports::{EventForm, PublishError};
use serde::Serialize;

use crate::wire::{ChangesView, OrderView};

/// What precedes the tenant in `source`.
const SOURCE_OF: &str = "orders/";

/// The tenant that a CloudEvent's `source` names.
#[must_use]
pub fn tenant_of_source(source: &str) -> Option<&str> {
    source.strip_prefix(SOURCE_OF).filter(|tenant| !tenant.is_empty())
}

/// What an entry counts beside the event: source, type, bus or topic, ids and attributes, rounded up.
pub(super) const ENVELOPE: usize = 1024;

/// The most bytes of one event: 256 KiB with its envelope, which both bus and topic take.
pub const MAX_EVENT: usize = 256 * 1024 - ENVELOPE;

/// What a large event leaves out of its order.
const OMITTED: [&str; 2] = ["history", "lines"];

/// The JSON form of an event.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct CloudEvent<'a> {
    /// The version of CloudEvents.
    specversion: &'static str,
    /// `<order id>:<version>:<n>`, the same however often the event is sent.
    id: String,
    /// `orders/<tenant>`
    source: String,
    /// What happened.
    #[serde(rename = "type")]
    kind: String,
    /// The order id.
    subject: String,
    /// When the version was committed, RFC 3339.
    time: String,
    /// The form of `data`.
    datacontenttype: &'static str,
    /// Names the schema of this document.
    dataschema: String,
    /// The version, ten digits, so that text sorts as numbers do.
    sequence: String,
    /// The trace of the change (W3C Trace Context); absent for changes that an older release made.
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    /// The order, and what became different.
    data: EventData<'a>,
}

/// What an event carries.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct EventData<'a> {
    /// The order as it was when the event was sent.
    order: OrderView<'a>,
    /// What the version changed, by field.
    changes: ChangesView<'a>,
    /// The fields that `order` lacks because the event would be too large with them.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    omitted: &'static [&'static str],
}

impl<'a> From<&Event<'a>> for CloudEvent<'a> {
    fn from(event: &Event<'a>) -> Self {
        let changes = event.entry.changes.as_slice().into();
        Self::new(event, EventData { order: event.order.into(), changes, omitted: &[] })
    }
}

impl<'a> CloudEvent<'a> {
    fn new(event: &Event<'a>, data: EventData<'a>) -> Self {
        Self {
            specversion: "1.0",
            id: event.id.to_string(),
            source: format!("{SOURCE_OF}{}", event.order.tenant),
            kind: event.kind.as_str().to_owned(),
            subject: event.order.id.to_string(),
            time: event.entry.stamp.at.to_string(),
            datacontenttype: "application/json",
            dataschema: schema_name(event.kind.as_str()),
            sequence: format!("{:010}", event.entry.version),
            traceparent: event.entry.stamp.trace.map(|trace| trace.to_string()),
            data,
        }
    }

    /// The event with what bounds its size: an order without history and lines, and said to be so.
    fn shortened(event: &Event<'a>) -> Self {
        let changes = event.entry.changes.as_slice().into();
        let order = OrderView::from(event.order).without_history_and_lines();
        Self::new(event, EventData { order, changes, omitted: &OMITTED })
    }
}

/// The `dataschema` of events of this type.
#[must_use]
pub fn schema_name(kind: &str) -> String {
    format!("urn:schema:orders:{kind}:1")
}

/// The text that bus and feed carry.
#[derive(Debug, Clone)]
pub struct CloudEventJson(pub(super) String);

impl EventForm for CloudEventJson {
    fn write(event: &Event<'_>) -> Result<Self, PublishError> {
        json(event).map(Self).map_err(|error| PublishError(error.to_string()))
    }
}

/// The event as JSON of at most [`MAX_EVENT`] bytes.
pub(crate) fn json(event: &Event<'_>) -> Result<String, serde_json::Error> {
    let whole = serde_json::to_string(&CloudEvent::from(event))?;
    if whole.len() <= MAX_EVENT {
        return Ok(whole);
    }
    serde_json::to_string(&CloudEvent::shortened(event))
}
