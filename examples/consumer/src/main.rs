//! SQS FIFO queue of the feed -> the newest snapshot of every order, in a table of the consumer's own.
//!
//! Events come at least once. The place of an event, `<sequence>:<n>`, is written together with its effect and on
//! condition that it is a later one: so an event that was seen is dropped, however often it comes, and one that comes
//! late (a redriven dead letter) cannot overwrite what is newer.

use adapters::{aws, config, telemetry};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::Value;

/// What this consumer reads of an event; the whole is described in docs/schemas.
#[derive(Debug, Deserialize)]
struct Event {
    /// `<order id>:<version>:<n>`
    id: String,
    /// The order id.
    subject: String,
    /// The version, ten digits.
    sequence: String,
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    order: Value,
}

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It was new.
    Applied,
    /// It, or a later one, was there before.
    Dropped,
}

/// Why an event was not dealt with; it is retried.
#[derive(Debug, thiserror::Error)]
enum ConsumeError {
    #[error("the message is not an event: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the table gives no answer: {0}")]
    Table(String),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let (client, table) = (Client::new(&aws::config()?), config::required("SNAPSHOTS_TABLE")?);
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let (client, table) = (&client, table.as_str());
        async move { Ok::<_, Error>(handle(client, table, event.payload).await) }
    }))
    .await
}

/// In order: after a message that failed the rest is retried as well, or it would overtake.
async fn handle(client: &Client, table: &str, event: SqsEvent) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    let mut is_stopped = false;
    for message in event.records {
        if !is_stopped && let Err(error) = consume(client, table, &message.body.unwrap_or_default()).await {
            tracing::error!(cause = %error, "an event is not consumed");
            is_stopped = true;
        }
        if is_stopped {
            response.add_failure(message.message_id.unwrap_or_default());
        }
    }
    response
}

async fn consume(client: &Client, table: &str, body: &str) -> Result<Outcome, ConsumeError> {
    let event: Event = serde_json::from_str(body)?;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = client
        .update_item()
        .table_name(table)
        .key("order", text(&event.subject))
        .update_expression("SET #place = :place, #snapshot = :snapshot")
        .condition_expression("attribute_not_exists(#place) OR #place < :place")
        .expression_attribute_names("#place", "place")
        .expression_attribute_names("#snapshot", "snapshot")
        .expression_attribute_values(":place", text(&place(&event)))
        .expression_attribute_values(":snapshot", text(&event.data.order.to_string()));
    // Boxed, or the compiler gives up on the depth of nested futures.
    match Box::pin(update.send()).await {
        Ok(_) => Ok(Outcome::Applied),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Outcome::Dropped),
            _ => Err(ConsumeError::Table(DisplayErrorContext(&error).to_string())),
        },
    }
}

/// Where an event stands among those of its order, so that text sorts as they do.
fn place(event: &Event) -> String {
    let index = event.id.rsplit(':').next().unwrap_or_default();
    format!("{}:{index:0>3}", event.sequence)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use aws_lambda_events::sqs::SqsMessage;
    use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    type Places = Arc<Mutex<HashMap<String, String>>>;

    /// A table that keeps the condition of the update.
    fn table() -> (Client, Places) {
        let places = Places::default();
        let (later, refused) = (Arc::clone(&places), Arc::clone(&places));
        let is_later = move |input: &UpdateItemInput, places: &Places| {
            let (order, place) = written(input);
            places.lock().unwrap().get(&order).is_none_or(|known| *known < place)
        };
        let takes = mock!(Client::update_item)
            .match_requests(move |input| is_later(input, &later))
            .then_compute_output(move |input| {
                let (order, place) = written(input);
                refused.lock().unwrap().insert(order, place);
                UpdateItemOutput::builder().build()
            });
        let refuses = mock!(Client::update_item).match_requests(|_| true).then_error(|| {
            UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
        });
        (mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[takes, refuses]), places)
    }

    fn written(input: &UpdateItemInput) -> (String, String) {
        let text = |value: &AttributeValue| value.as_s().unwrap().clone();
        let values = input.expression_attribute_values().unwrap();
        (text(&input.key().unwrap()["order"]), text(&values[":place"]))
    }

    fn event(version: u64, index: usize) -> String {
        format!(
            r#"{{"id": "o-1:{version}:{index}", "subject": "o-1", "sequence": "{version:010}", "data": {{"order": {{}}}}}}"#
        )
    }

    #[tokio::test]
    async fn an_event_is_applied_once_and_what_is_late_is_dropped() {
        let (client, places) = table();
        let mut outcomes = Vec::new();
        for body in [event(1, 0), event(1, 1), event(1, 0), event(2, 0), event(1, 1), event(10, 0), event(9, 0)] {
            outcomes.push(consume(&client, "snapshots", &body).await.unwrap());
        }
        use Outcome::{Applied, Dropped};
        assert_eq!(outcomes, [Applied, Applied, Dropped, Applied, Dropped, Applied, Dropped]);
        assert_eq!(places.lock().unwrap()["o-1"], "0000000010:000");
    }

    #[tokio::test]
    async fn after_a_message_that_failed_the_rest_is_retried() {
        let (client, places) = table();
        let message = |id: &str, body: String| {
            let mut message = SqsMessage::default();
            (message.message_id, message.body) = (Some(id.to_owned()), Some(body));
            message
        };
        let mut batch = SqsEvent::default();
        batch.records = vec![message("a", event(1, 0)), message("b", "nonsense".to_owned()), message("c", event(2, 0))];
        let failures = handle(&client, "snapshots", batch).await.batch_item_failures;
        let failures: Vec<_> = failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        assert_eq!((failures, places.lock().unwrap()["o-1"].as_str()), (vec!["b", "c"], "0000000001:000"));
    }

    #[tokio::test]
    async fn the_sample_event_is_consumed() {
        let (client, places) = table();
        let sample: SqsEvent = serde_json::from_str(include_str!("../event.json")).unwrap();
        let order = serde_json::from_str::<Event>(sample.records[0].body.as_deref().unwrap()).unwrap().subject;
        assert!(handle(&client, "snapshots", sample).await.batch_item_failures.is_empty());
        assert_eq!(places.lock().unwrap()[&order], "0000000001:001");
    }
}
