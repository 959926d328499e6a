//! An event as CloudEvents 1.0 JSON (<https://github.com/cloudevents/spec>).

use domain::event::Event;
use serde::Serialize;

use crate::wire::{ChangesView, OrderView};

/// The JSON form of an event.
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    specversion: &'static str,
    /// `<order id>:<version>:<n>`
    id: String,
    /// `orders/<tenant>`
    source: String,
    #[serde(rename = "type")]
    kind: &'static str,
    /// The order id.
    subject: String,
    time: String,
    datacontenttype: &'static str,
    dataschema: String,
    /// The version, ten digits, so that text sorts as numbers do.
    sequence: String,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    order: OrderView<'a>,
    changes: ChangesView,
}

impl<'a> From<&Event<'a>> for CloudEvent<'a> {
    fn from(event: &Event<'a>) -> Self {
        Self {
            specversion: "1.0",
            id: event.id.to_string(),
            source: format!("orders/{}", event.order.tenant),
            kind: event.kind.as_str(),
            subject: event.order.id.to_string(),
            time: event.entry.stamp.at.to_string(),
            datacontenttype: "application/json",
            dataschema: format!("urn:schema:orders:{}:1", event.kind.as_str()),
            sequence: format!("{:010}", event.entry.version),
            data: Data { order: event.order.into(), changes: event.entry.changes.as_slice().into() },
        }
    }
}
