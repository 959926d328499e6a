//! Counts a client's calls and what DynamoDB says they cost.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::scan::{ScanInput, ScanOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

/// One call that was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its API name.
    pub operation: &'static str,
    /// Its capacity units, table and indexes together; 0 for a refused write.
    pub units: f64,
    /// The items that a query or a scan read.
    pub items: i32,
}

/// The calls since it was last read.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Vec<Call>>);

impl Meter {
    /// The calls since the last time this was asked.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn note(&self, operation: &'static str, capacity: Option<&ConsumedCapacity>, items: i32) {
        let units = capacity.and_then(ConsumedCapacity::capacity_units).unwrap_or_default();
        self.0.lock().unwrap().push(Call { operation, units, items });
    }
}

/// Asks for the cost of every call and hands it to the meter.
#[derive(Debug)]
pub struct Reader(pub Arc<Meter>);

impl Intercept for Reader {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let indexes = Some(ReturnConsumedCapacity::Indexes);
        let input = context.input_mut();
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = indexes;
        } else if let Some(get) = input.downcast_mut::<GetItemInput>() {
            get.return_consumed_capacity = indexes;
        } else if let Some(update) = input.downcast_mut::<UpdateItemInput>() {
            update.return_consumed_capacity = indexes;
        } else if let Some(query) = input.downcast_mut::<QueryInput>() {
            query.return_consumed_capacity = indexes;
        } else if let Some(scan) = input.downcast_mut::<ScanInput>() {
            scan.return_consumed_capacity = indexes;
        } else if let Some(batch) = input.downcast_mut::<BatchGetItemInput>() {
            batch.return_consumed_capacity = indexes;
        } else if let Some(transaction) = input.downcast_mut::<TransactWriteItemsInput>() {
            transaction.return_consumed_capacity = indexes;
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match context.output_or_error() {
            Err(_) => self.0.note("refused", None, 0),
            Ok(output) => {
                if let Some(put) = output.downcast_ref::<PutItemOutput>() {
                    self.0.note("PutItem", put.consumed_capacity(), 1);
                } else if let Some(get) = output.downcast_ref::<GetItemOutput>() {
                    self.0.note("GetItem", get.consumed_capacity(), 1);
                } else if let Some(update) = output.downcast_ref::<UpdateItemOutput>() {
                    self.0.note("UpdateItem", update.consumed_capacity(), 1);
                } else if let Some(query) = output.downcast_ref::<QueryOutput>() {
                    self.0.note("Query", query.consumed_capacity(), query.scanned_count());
                } else if let Some(scan) = output.downcast_ref::<ScanOutput>() {
                    self.0.note("Scan", scan.consumed_capacity(), scan.scanned_count());
                } else if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
                    self.0.note("BatchGetItem", batch.consumed_capacity().first(), 0);
                } else if let Some(transaction) = output.downcast_ref::<TransactWriteItemsOutput>() {
                    self.0.note("TransactWriteItems", transaction.consumed_capacity().first(), 0);
                }
            }
        }
        Ok(())
    }
}
