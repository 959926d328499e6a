//! Messages to clients as JSON: events as they are, and what is said of subscriptions.

use domain::id::OrderId;
use domain::ports::Message;
use domain::timestamp::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::publisher::event_json;

/// The largest message: API Gateway takes 128 KB, in frames of 32 KB.
pub const MAX_MESSAGE: usize = 128_000;

/// What was missed has been sent, and changes are sent from now on.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct SubscribedView {
    /// `subscribed`
    action: &'static str,
    /// The order, for a subscription to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// The order's version when it was subscribed to. Events of later versions follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// The service's time. Resume all orders `since` then, or since the `time` of a later event.
    at: String,
    /// When the token expires, and with it the connection, RFC 3339.
    expires_at: String,
}

/// Something was missed that cannot be sent any more: read it from the API.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct MissedView {
    /// `missed`
    action: &'static str,
    /// The order; without it, orders have to be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// The first version whose events are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
}

/// An answer that needs no more to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To a `ping`, with the service's time.
    Pong(Timestamp),
    /// The subscription has ended, to this order or to all.
    Unsubscribed(Option<OrderId>),
}

/// An answer as JSON.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct AnswerView {
    /// `pong` or `unsubscribed`
    action: &'static str,
    /// With `pong`: the service's time, as in `subscribed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// The order that is not subscribed to any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
}

impl Answer {
    /// The JSON.
    #[must_use]
    pub fn text(self) -> String {
        let view = match self {
            Self::Pong(at) => AnswerView { action: "pong", at: Some(at.to_string()), order_id: None },
            Self::Unsubscribed(order) => {
                AnswerView { action: "unsubscribed", at: None, order_id: order.map(|id| id.to_string()) }
            }
        };
        json!(view).to_string()
    }
}

/// The message as text of at most [`MAX_MESSAGE`] bytes.
pub(super) fn text(message: Message<'_>) -> Result<String, serde_json::Error> {
    match message {
        Message::Event(event) => fitted(event_json(&event)?),
        Message::Text(text) => Ok(text.to_owned()),
        Message::Missed { order, from, to } => serde_json::to_string(&MissedView {
            action: "missed",
            order_id: Some(order.to_string()),
            from: Some(from),
            to: Some(to),
        }),
        Message::MissedTooMuch => {
            serde_json::to_string(&MissedView { action: "missed", order_id: None, from: None, to: None })
        }
        Message::Subscribed { order, at, expires_at } => serde_json::to_string(&SubscribedView {
            action: "subscribed",
            order_id: order.map(|(id, _)| id.to_string()),
            sequence: order.map(|(_, version)| version),
            at: at.to_string(),
            expires_at: expires_at.to_string(),
        }),
    }
}

/// An event that is small enough to be sent: without what makes it large, and it says so, as the feed does.
pub(super) fn fitted(event: String) -> Result<String, serde_json::Error> {
    if event.len() <= MAX_MESSAGE {
        return Ok(event);
    }
    let mut event: Value = serde_json::from_str(&event)?;
    for omitted in [&["history", "lines"][..], &["order", "changes"]] {
        if let Some(data) = event.get_mut("data").and_then(Value::as_object_mut) {
            match omitted {
                ["order", ..] => data.retain(|name, _| !omitted.contains(&name.as_str())),
                _ => {
                    if let Some(order) = data.get_mut("order").and_then(Value::as_object_mut) {
                        order.retain(|name, _| !omitted.contains(&name.as_str()));
                    }
                }
            }
            data.insert("omitted".to_owned(), omitted.into());
        }
        let text = event.to_string();
        if text.len() <= MAX_MESSAGE {
            return Ok(text);
        }
    }
    Ok(event.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::new_events;
    use domain::memory::sample;

    fn event_with(member: &str, bytes: usize) -> Value {
        let mut event: Value =
            serde_json::from_str(&text(Message::Event(new_events(0, &sample::order())[0])).unwrap()).unwrap();
        event["data"]["order"][member] = "x".repeat(bytes).into();
        event
    }

    #[test]
    fn an_event_leaves_out_what_makes_it_too_large_and_says_so() {
        let small = event_with("history", 10).to_string();
        assert_eq!(fitted(small.clone()).unwrap(), small);
        let long = fitted(event_with("history", MAX_MESSAGE).to_string()).unwrap();
        let event: Value = serde_json::from_str(&long).unwrap();
        assert_eq!(event["data"]["omitted"], json!(["history", "lines"]));
        assert_eq!((&event["data"]["order"]["version"], event["data"]["order"].get("history")), (&json!(1), None));
        let huge = fitted(event_with("metadata", MAX_MESSAGE).to_string()).unwrap();
        let event: Value = serde_json::from_str(&huge).unwrap();
        assert_eq!(event["data"], json!({"omitted": ["order", "changes"]}));
        assert_eq!(event["sequence"], "0000000001");
    }

    #[test]
    fn what_is_said_of_subscriptions() {
        let (order, at) = (sample::order_id(1), sample::stamp(1).at);
        let json = |message| serde_json::from_str::<Value>(&text(message).unwrap()).unwrap();
        let id = "0192f0c1-7a3e-7cc0-8000-000000000001";
        let (said_at, expires_at) = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z");
        assert_eq!(
            json(Message::Subscribed { order: Some((order, 7)), at: sample::stamp(0).at, expires_at: at }),
            json!({"action": "subscribed", "order_id": id, "sequence": 7, "at": said_at, "expires_at": expires_at})
        );
        assert_eq!(
            json(Message::Subscribed { order: None, at: sample::stamp(0).at, expires_at: at }),
            json!({"action": "subscribed", "at": said_at, "expires_at": expires_at})
        );
        assert_eq!(
            json(Message::Missed { order, from: 3, to: 9 }),
            json!({"action": "missed", "order_id": id, "from": 3, "to": 9})
        );
        assert_eq!(json(Message::MissedTooMuch), json!({"action": "missed"}));
        assert_eq!(Answer::Pong(at).text(), r#"{"action":"pong","at":"2026-01-01T00:00:01.000Z"}"#);
        let ended: Value = serde_json::from_str(&Answer::Unsubscribed(Some(order)).text()).unwrap();
        assert_eq!(ended, json!({"action": "unsubscribed", "order_id": id}));
    }
}
