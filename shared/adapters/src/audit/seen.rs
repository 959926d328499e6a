//! Which events came out, one item an order: a string set for each channel, of `<version>:<n>`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::event::EventId;
use domain::id::OrderId;
use domain::ports::{AuditTrail, EventRecorder, Seen, TrailError};
use domain::timestamp::Timestamp;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::{AuditTable, EXPIRES, KEY, MarkerQueue, expiry, unavailable, unreadable};

/// The most keys that one call gets.
const BATCH: usize = 100;

/// The most calls that are on their way at a time.
const AT_ONCE: usize = 8;

/// DynamoDB may leave keys of a batch unread when it is busy; they are asked for again so often.
const RETRIES: u32 = 6;

/// How often, and how long in between, a marker is looked for: 20 s, twice the time that a message may wait for a batch.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(500);

/// A message that could not be recorded is retried after 180 s, the queue's visibility timeout. So long after a marker was
/// recorded, what came before it is recorded as well; at once if the queue is empty.
const RETRIED_AFTER: Duration = Duration::from_secs(200);

const ORDER: &str = "order#";
const BUS: &str = "b";
const FEED: &str = "f";

/// When a marker was first recorded, in seconds since 1970.
const RECORDED: &str = "at";

type Item = HashMap<String, AttributeValue>;

impl<Q: Send + Sync> EventRecorder for AuditTable<Q> {
    async fn record(&self, order: OrderId, seen: &Seen, now: Timestamp) -> Result<(), TrailError> {
        let mut update =
            self.client.update_item().table_name(&self.table).key(KEY, AttributeValue::S(order_key(order)));
        let mut additions = Vec::new();
        for (name, events) in [(BUS, &seen.bus), (FEED, &seen.feed)] {
            if !events.is_empty() {
                update = update.expression_attribute_values(format!(":{name}"), set(events));
                additions.push(format!("{name} :{name}"));
            }
        }
        let expression = format!("SET #ttl = :ttl ADD {}", additions.join(", "));
        update = update.expression_attribute_names("#ttl", EXPIRES).expression_attribute_values(":ttl", expiry(now));
        // Boxed, or the compiler gives up on the depth of nested futures.
        Box::pin(update.update_expression(expression).send()).await.map_err(unavailable)?;
        Ok(())
    }

    async fn pass(&self, marker: &str, now: Timestamp) -> Result<(), TrailError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(marker_key(marker)))
            .update_expression("SET #ttl = :ttl, #at = if_not_exists(#at, :now)")
            .expression_attribute_names("#ttl", EXPIRES)
            .expression_attribute_names("#at", RECORDED)
            .expression_attribute_values(":now", AttributeValue::N(now.as_secs().to_string()))
            .expression_attribute_values(":ttl", expiry(now));
        Box::pin(update.send()).await.map_err(unavailable)?;
        Ok(())
    }
}

impl<Q: MarkerQueue> AuditTrail for AuditTable<Q> {
    async fn seen(&self, orders: &[OrderId]) -> Result<BTreeMap<OrderId, Seen>, TrailError> {
        let batches: Vec<Vec<OrderId>> = orders.chunks(BATCH).map(<[OrderId]>::to_vec).collect();
        let answers = stream::iter(batches).map(|orders| self.batch(orders)).buffer_unordered(AT_ONCE);
        let items: Vec<Vec<Item>> = answers.try_collect().await?;
        items.into_iter().flatten().map(order).collect()
    }

    async fn has_passed(&self, marker: &str, now: Timestamp) -> Result<bool, TrailError> {
        if self.recorded_at(marker).await?.is_none() {
            self.queue.put(marker).await?;
        }
        for _ in 0..LOOKS {
            if let Some(recorded) = self.recorded_at(marker).await?
                && (recorded.plus(RETRIED_AFTER) <= now || self.queue.is_empty().await?)
            {
                return Ok(true);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(false)
    }
}

impl<Q> AuditTable<Q> {
    /// When the marker was recorded.
    async fn recorded_at(&self, marker: &str) -> Result<Option<Timestamp>, TrailError> {
        let Some(item) = self.item(marker_key(marker)).await? else { return Ok(None) };
        let seconds = item.get(RECORDED).and_then(|seconds| seconds.as_n().ok()?.parse().ok());
        seconds.map(|seconds| Some(Timestamp::from_secs(seconds))).ok_or_else(|| unreadable(marker))
    }

    async fn batch(&self, orders: Vec<OrderId>) -> Result<Vec<Item>, TrailError> {
        let key = |order: &OrderId| HashMap::from([(KEY.to_owned(), AttributeValue::S(order_key(*order)))]);
        let mut keys: Vec<Item> = orders.iter().map(key).collect();
        let mut found = Vec::with_capacity(keys.len());
        for retry in 0..=RETRIES {
            if retry > 0 {
                tokio::time::sleep(Duration::from_millis(25 << retry)).await;
            }
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let get = self.client.batch_get_item().request_items(&self.table, request.map_err(unavailable)?);
            let answer = Box::pin(get.send()).await.map_err(unavailable)?;
            found.extend(answer.responses.unwrap_or_default().into_values().flatten());
            keys = answer.unprocessed_keys.unwrap_or_default().into_values().flat_map(|left| left.keys).collect();
            if keys.is_empty() {
                return Ok(found);
            }
        }
        Err(TrailError::Unavailable(format!("{} keys were left unread", keys.len())))
    }
}

fn order_key(order: OrderId) -> String {
    format!("{ORDER}{order}")
}

fn marker_key(marker: &str) -> String {
    format!("marker#{marker}")
}

fn set(events: &BTreeSet<EventId>) -> AttributeValue {
    AttributeValue::Ss(events.iter().map(|event| format!("{}:{}", event.version, event.index)).collect())
}

fn order(item: Item) -> Result<(OrderId, Seen), TrailError> {
    let key = item.get(KEY).and_then(|key| key.as_s().ok()?.strip_prefix(ORDER)).unwrap_or_default();
    let order = OrderId::parse(key).map_err(|_| unreadable(key))?;
    let events = |name| {
        let texts = item.get(name).map(|set| set.as_ss().map_err(|_| unreadable(key))).transpose()?;
        let event = |text: &String| EventId::parse(&format!("{order}:{text}")).ok_or_else(|| unreadable(key));
        texts.into_iter().flatten().map(event).collect::<Result<BTreeSet<_>, _>>()
    };
    Ok((order, Seen { bus: events(BUS)?, feed: events(FEED)? }))
}
