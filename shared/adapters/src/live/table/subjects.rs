//! What subjects take: the connections that they have open, and the replays that they asked for.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::id::TenantId;
use domain::ports::{StoreError, Subjects};
use domain::subscription::{ConnectionId, Subject};
use domain::timestamp::Timestamp;

use super::{CONNECTION, EXPIRES, Item, KEY, SORT, SubscriptionsTable, TTL, of_number, sort_of};
use crate::store::{charged, store_error};

const SUBJECT: &str = "subject#";

/// A minute's replays are of no use to the next, but clocks differ.
const KEPT: Duration = Duration::from_secs(3600);

impl Subjects for SubscriptionsTable {
    async fn count_connection(
        &self,
        subject: &Subject,
        connection: &ConnectionId,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<bool, StoreError> {
        let query = self.query().key_condition_expression("pk = :pk").filter_expression("e > :now AND c <> :own");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(write_subject(subject)));
        let query = query.expression_attribute_values(":now", of_number(now.as_secs()));
        let query = query.expression_attribute_values(":own", AttributeValue::S(connection.as_str().to_owned()));
        let mut others = 0;
        let take = |_: &Item| {
            others += 1;
            Ok(())
        };
        self.read(query.projection_expression(CONNECTION), take).await?;
        if others >= most {
            return Ok(false);
        }
        let mut item = counted_key(subject, connection);
        item.insert(CONNECTION.to_owned(), AttributeValue::S(connection.as_str().to_owned()));
        item.insert(EXPIRES.to_owned(), of_number(until.as_secs()));
        item.insert(TTL.to_owned(), of_number(until.as_secs()));
        self.put(item).await?;
        Ok(true)
    }

    async fn discount_connection(&self, subject: &Subject, connection: &ConnectionId) -> Result<(), StoreError> {
        self.delete(counted_key(subject, connection)).await
    }

    async fn count_replay(&self, subject: &Subject, minute: Timestamp, most: u32) -> Result<bool, StoreError> {
        let Subject { tenant, name } = subject;
        let key = Item::from([
            (KEY.to_owned(), AttributeValue::S(format!("replays#{tenant}#{name}"))),
            (SORT.to_owned(), AttributeValue::S(sort_of(minute))),
        ]);
        let count = self.client.update_item().table_name(&self.table).set_key(Some(key));
        let count = count.update_expression("ADD n :one SET #ttl = :ttl").expression_attribute_names("#ttl", TTL);
        let count = count.condition_expression("attribute_not_exists(n) OR n < :most");
        let count = count.expression_attribute_values(":one", of_number(1));
        let count = count.expression_attribute_values(":most", of_number(most.into()));
        let count = count.expression_attribute_values(":ttl", of_number(minute.plus(KEPT).as_secs()));
        let count = count.return_consumed_capacity(ReturnConsumedCapacity::Total);
        // Boxed, or the compiler gives up on the depth of nested futures.
        match Box::pin(count.send()).await {
            Ok(output) => {
                charged(output.consumed_capacity());
                Ok(true)
            }
            Err(error) if error.as_service_error().is_some_and(|told| told.is_conditional_check_failed_exception()) => {
                Ok(false)
            }
            Err(error) => Err(store_error(error)),
        }
    }
}

fn write_subject(Subject { tenant, name }: &Subject) -> String {
    format!("{SUBJECT}{tenant}#{name}")
}

/// The subject whose connection an item counts, if it does.
pub(super) fn read_subject(key: &str) -> Option<Subject> {
    let (tenant, name) = key.strip_prefix(SUBJECT)?.split_once('#')?;
    Some(Subject { tenant: TenantId::restore(tenant), name: name.to_owned() })
}

fn counted_key(subject: &Subject, connection: &ConnectionId) -> Item {
    Item::from([
        (KEY.to_owned(), AttributeValue::S(write_subject(subject))),
        (SORT.to_owned(), AttributeValue::S(connection.as_str().to_owned())),
    ])
}
