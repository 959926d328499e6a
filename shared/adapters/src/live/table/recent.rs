//! Changes that were noted lately, and for which storefronts they are noted.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::id::{OrderId, TenantId};
use domain::ports::{Noted, NotedPage, RecentChanges, StoreError};
use domain::subscription::{SubscriptionKey, Update};
use domain::timestamp::Timestamp;
use futures_util::future::try_join;

use super::{
    Item, KEPT, KEY, PAGE, SORT, SubscriptionsTable, TTL, corrupt, number, of_number, sort_of, text, write_key,
};
use crate::store::{charged, store_error};

const SINCE: &str = "f";
const UNTIL: &str = "u";

/// For so much longer than is asked for a storefront's changes are noted, so that few subscriptions have to write.
const AHEAD: Duration = Duration::from_secs(3600);

/// From when until when a storefront's changes are noted.
struct Kept {
    since: Timestamp,
    until: Timestamp,
}

impl SubscriptionsTable {
    async fn kept(&self, tenant: &TenantId) -> Result<Option<Kept>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(kept_key(tenant))).consistent_read(true);
        let get = get.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let output = Box::pin(get.send()).await.map_err(store_error)?;
        charged(output.consumed_capacity());
        let Some(item) = output.item() else { return Ok(None) };
        let time = |name| number(item, name).map(Timestamp::from_millis);
        Ok(Some(Kept { since: time(SINCE)?, until: time(UNTIL)? }))
    }
}

impl RecentChanges for SubscriptionsTable {
    async fn keep(&self, tenant: &TenantId, now: Timestamp, until: Timestamp) -> Result<(), StoreError> {
        let (mut since, mut kept_until) = (now, now);
        if let Some(kept) = self.kept(tenant).await?.filter(|kept| kept.until > now) {
            (since, kept_until) = (kept.since, kept.until);
        }
        if kept_until >= until {
            return Ok(());
        }
        let until = until.plus(AHEAD);
        let mut item = kept_key(tenant);
        item.insert(SINCE.to_owned(), of_number(since.as_millis()));
        item.insert(UNTIL.to_owned(), of_number(until.as_millis()));
        item.insert(TTL.to_owned(), of_number(until.as_secs()));
        self.put(item).await
    }

    async fn kept_since(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.kept(tenant).await?.filter(|kept| kept.until > now).map(|kept| kept.since))
    }

    async fn note(&self, update: &Update, at: Timestamp) -> Result<(), StoreError> {
        let [_, customer, tenant] = update.keys();
        let noted = Noted { at, order: update.order.id, version: update.version };
        let item = |key: &SubscriptionKey| {
            let mut item = noted_key(key, noted);
            item.insert(TTL.to_owned(), of_number(at.plus(KEPT).as_secs()));
            item
        };
        try_join(self.put(item(&customer)), self.put(item(&tenant))).await?;
        Ok(())
    }

    async fn newest(&self, key: &SubscriptionKey) -> Result<Option<Noted>, StoreError> {
        let query = self.query().key_condition_expression("pk = :pk").consistent_read(true);
        let query = query.expression_attribute_values(":pk", AttributeValue::S(recent_key(key)));
        let page = Box::pin(query.scan_index_forward(false).limit(1).send()).await.map_err(store_error)?;
        charged(page.consumed_capacity());
        page.items().first().map(read_noted).transpose()
    }

    async fn noted(
        &self,
        key: &SubscriptionKey,
        from: Timestamp,
        newest: Noted,
        after: Option<Noted>,
    ) -> Result<NotedPage, StoreError> {
        // DynamoDB refuses a range whose end comes before its beginning.
        if newest.at < from {
            return Ok(NotedPage::default());
        }
        let query = self.query().key_condition_expression("pk = :pk AND sk BETWEEN :from AND :newest");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(recent_key(key)));
        let query = query.expression_attribute_values(":from", AttributeValue::S(sort_of(from)));
        let query = query.expression_attribute_values(":newest", AttributeValue::S(sort_of_noted(newest)));
        let query = query.set_exclusive_start_key(after.map(|after| noted_key(key, after)));
        let page = Box::pin(query.consistent_read(true).limit(PAGE).send()).await.map_err(store_error)?;
        charged(page.consumed_capacity());
        let changes = page.items().iter().map(read_noted).collect::<Result<_, _>>()?;
        let next = page.last_evaluated_key().map(read_noted).transpose()?;
        Ok(NotedPage { changes, next })
    }
}

fn recent_key(key: &SubscriptionKey) -> String {
    format!("recent#{}", write_key(key))
}

fn noted_key(key: &SubscriptionKey, noted: Noted) -> Item {
    Item::from([
        (KEY.to_owned(), AttributeValue::S(recent_key(key))),
        (SORT.to_owned(), AttributeValue::S(sort_of_noted(noted))),
    ])
}

fn sort_of_noted(Noted { at, order, version }: Noted) -> String {
    format!("{}#{order}#{version}", sort_of(at))
}

fn read_noted(item: &Item) -> Result<Noted, StoreError> {
    let mut parts = text(item, SORT)?.split('#');
    let mut read = || {
        let at = Timestamp::from_millis(parts.next()?.parse().ok()?);
        Some(Noted { at, order: OrderId::parse(parts.next()?).ok()?, version: parts.next()?.parse().ok()? })
    };
    read().ok_or_else(corrupt)
}

fn kept_key(tenant: &TenantId) -> Item {
    let text = |value: String| AttributeValue::S(value);
    Item::from([(KEY.to_owned(), text(format!("kept#{tenant}"))), (SORT.to_owned(), text("kept".to_owned()))])
}
