//! What a client asks for over its connection.

use domain::id::{CustomerId, OrderId};
use domain::timestamp::Timestamp;
use domain::use_cases::Wanted;
use serde::Deserialize;

use crate::http::read_json;
use crate::problem::{Fields, Problem};

/// A message of a client. Which members it has depends on its action.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SocketRequest {
    /// `subscribe`, `unsubscribe`, or `ping`, which keeps an idle connection open.
    #[cfg_attr(feature = "schemas", schemars(extend("enum" = ["subscribe", "unsubscribe", "ping"])))]
    action: String,
    /// An order; without it, all orders that the token allows.
    #[serde(default)]
    order_id: Option<String>,
    /// All orders of this customer.
    #[serde(default)]
    customer_id: Option<String>,
    /// With `order_id`: the last version that the client has; what came after it is sent first.
    #[serde(default)]
    last_sequence: Option<u64>,
    /// Without `order_id`: the last time that the client was given (`at` of `subscribed` or `pong`, `time` of an event); what
    /// changed since is sent first.
    #[serde(default)]
    since: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// To be told of this.
    Subscribe(Wanted),
    /// To be told of it no more.
    Unsubscribe(Wanted),
    /// An answer.
    Ping,
}

impl SocketRequest {
    /// Reads a message.
    ///
    /// # Errors
    /// [`crate::problem::Code::InvalidJson`]; [`crate::problem::Code::ValidationFailed`] naming every field that is wrong.
    pub fn read(text: &str) -> Result<Asked, Problem> {
        read_json::<Self>(text)?.into_asked()
    }

    fn into_asked(self) -> Result<Asked, Problem> {
        let mut fields = Fields::default();
        let asked: Option<fn(Wanted) -> Asked> = match self.action.as_str() {
            "subscribe" => Some(Asked::Subscribe),
            "unsubscribe" => Some(Asked::Unsubscribe),
            "ping" => Some(|_| Asked::Ping),
            _ => {
                fields.refuse("/action", "unknown_value", "must be subscribe, unsubscribe or ping");
                None
            }
        };
        self.refuse_what_does_not_go_together(&mut fields);
        let order = fields.optional("/order_id", self.order_id, |id| OrderId::parse(&id));
        let customer = fields.optional("/customer_id", self.customer_id, CustomerId::parse);
        let since = fields.optional("/since", self.since, |since| Timestamp::parse(&since));
        let wanted = match order {
            Some(id) => Wanted::Order { id, after: self.last_sequence },
            None => Wanted::All { customer, since },
        };
        fields.finish(asked.map(|asked| asked(wanted)))
    }

    fn refuse_what_does_not_go_together(&self, fields: &mut Fields) {
        if self.order_id.is_some() {
            if self.customer_id.is_some() {
                fields.refuse("/customer_id", "unknown_field", "does not go with order_id");
            }
            if self.since.is_some() {
                fields.refuse("/since", "unknown_field", "does not go with order_id; give last_sequence");
            }
        } else if self.last_sequence.is_some() {
            fields.refuse("/last_sequence", "unknown_field", "goes with order_id alone; give since");
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::memory::sample;

    use super::*;
    use crate::problem::Code;

    const ORDER: &str = "0192f0c1-7a3e-7cc0-8000-000000000001";

    #[test]
    fn a_client_asks_for_an_order_or_for_all() {
        let order = |after| Wanted::Order { id: sample::order_id(1), after };
        let all = |customer: Option<&str>, since: Option<&str>| Wanted::All {
            customer: customer.map(|id| CustomerId::parse(id).unwrap()),
            since: since.map(|at| Timestamp::parse(at).unwrap()),
        };
        for (text, asked) in [
            (format!(r#"{{"action":"subscribe","order_id":"{ORDER}"}}"#), Asked::Subscribe(order(None))),
            (
                format!(r#"{{"action":"subscribe","order_id":"{ORDER}","last_sequence":7}}"#),
                Asked::Subscribe(order(Some(7))),
            ),
            (format!(r#"{{"action":"unsubscribe","order_id":"{ORDER}"}}"#), Asked::Unsubscribe(order(None))),
            (r#"{"action":"subscribe"}"#.to_owned(), Asked::Subscribe(all(None, None))),
            (
                r#"{"action":"subscribe","customer_id":"cust-1","since":"2026-01-01T00:00:01.000Z"}"#.to_owned(),
                Asked::Subscribe(all(Some("cust-1"), Some("2026-01-01T00:00:01.000Z"))),
            ),
            (r#"{"action":"ping"}"#.to_owned(), Asked::Ping),
        ] {
            assert_eq!(SocketRequest::read(&text).unwrap(), asked, "{text}");
        }
    }

    #[test]
    fn garbage_is_refused_with_what_is_wrong() {
        for (text, code, pointer) in [
            ("", Code::InvalidJson, None),
            ("ping", Code::InvalidJson, None),
            ("[]", Code::ValidationFailed, Some("")),
            ("{}", Code::ValidationFailed, Some("")),
            (r#"{"action":"dance"}"#, Code::ValidationFailed, Some("/action")),
            (r#"{"action":7}"#, Code::ValidationFailed, Some("/action")),
            (r#"{"action":"subscribe","order_id":"x"}"#, Code::ValidationFailed, Some("/order_id")),
            (r#"{"action":"subscribe","customer_id":"a/b"}"#, Code::ValidationFailed, Some("/customer_id")),
            (r#"{"action":"subscribe","last_sequence":7}"#, Code::ValidationFailed, Some("/last_sequence")),
            (r#"{"action":"subscribe","since":"yesterday"}"#, Code::ValidationFailed, Some("/since")),
            (r#"{"action":"subscribe","token":"secret"}"#, Code::ValidationFailed, Some("/token")),
        ] {
            let problem = SocketRequest::read(text).unwrap_err();
            let first = problem.field_errors().first().map(|error| error.pointer.as_str());
            assert_eq!((problem.code(), first), (code, pointer), "{text}");
        }
        let both = format!(
            r#"{{"action":"subscribe","order_id":"{ORDER}","customer_id":"c","since":"2026-01-01T00:00:01Z"}}"#
        );
        assert_eq!(SocketRequest::read(&both).unwrap_err().field_errors().len(), 2);
    }
}
