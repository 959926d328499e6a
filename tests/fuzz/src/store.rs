//! What the table and its stream hand over.

use adapters::store::OrderRecord;
use adapters::stream::StreamBatch;
use aws_lambda_events::dynamodb::Event;
use serde_dynamo::Item;

/// An item as JSON. An order that can be read is the same after it was stored and read again.
pub fn item(data: &[u8]) {
    let Ok(item) = serde_json::from_slice::<Item>(data) else { return };
    let Ok(order) = OrderRecord::read(item) else { return };
    let stored = OrderRecord::from(&order).into_item().unwrap();
    assert_eq!(OrderRecord::read(stored).unwrap(), order);
}

/// A batch of the stream as Lambda sends it: at most one order of each record.
pub fn stream_record(data: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Event>(data) else { return };
    let records = event.records.len();
    assert!(StreamBatch::read(event, "eu-central-1").orders().len() <= records);
}
