//! The audit trail of the stack under test: what was recorded of the events that came out.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{aws, setting};

/// One of the channels of events, by its attribute of the trail.
#[derive(Debug, Clone, Copy)]
pub enum Channel {
    /// The bus.
    Bus,
    /// The feed.
    Feed,
}

/// The table of the audit trail.
#[derive(Debug, Clone)]
pub struct Trail {
    client: Client,
    name: String,
}

impl Channel {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Bus => "b",
            Self::Feed => "f",
        }
    }
}

impl Trail {
    /// The table named by `AUDIT_TABLE`.
    pub async fn open() -> Self {
        Self { client: Client::new(&aws().await), name: setting("AUDIT_TABLE") }
    }

    /// The events of an order that came out of a channel, `<version>:<n>`.
    pub async fn seen(&self, order: &str, channel: Channel) -> Vec<String> {
        let get = self.client.get_item().table_name(&self.name).key("pk", key(order));
        let item = get.send().await.expect("the table answers").item.unwrap_or_default();
        let mut seen = item.get(channel.attribute()).map(|set| set.as_ss().expect("a set").clone()).unwrap_or_default();
        seen.sort();
        seen
    }

    /// Takes events from what came out, as if they never had.
    pub async fn lose(&self, order: &str, channel: Channel, events: &[&str]) {
        let events = events.iter().map(|event| (*event).to_owned()).collect();
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", key(order))
            .update_expression(format!("DELETE {} :events", channel.attribute()))
            .expression_attribute_values(":events", AttributeValue::Ss(events));
        update.send().await.expect("the table answers");
    }
}

fn key(order: &str) -> AttributeValue {
    AttributeValue::S(format!("order#{order}"))
}
