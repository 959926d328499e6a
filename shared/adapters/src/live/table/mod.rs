//! Subscriptions and recent changes in DynamoDB. No part of a key but the last can hold a `#`.
//!
//! | item | `pk` | `sk` | members |
//! | --- | --- | --- | --- |
//! | a subscription | `order#<tenant>#<order id>`, `customer#<tenant>#<customer id>` or `tenant#<tenant>` | the connection | `c`: the connection once more, for the index; `s`: the `sub` for which the connection is counted; `cu`: the customer that its token is confined to; `e`: when the token expires |
//! | a connection of a subject | `subject#<tenant>#<sub>` | the connection | `c`: the connection once more, for the index; `e`: until when it is counted |
//! | a subject's replays in a minute | `replays#<tenant>#<sub>` | the minute, in milliseconds | `n`: how many |
//! | a storefront that somebody subscribes to | `kept#<tenant>` | `kept` | `f`, `u`: its changes are noted from then until then, in milliseconds |
//! | a recent change | `recent#` and the key of its customer or storefront | `<milliseconds>#<order id>#<version>`: when it was noted | |
//!
//! All have `ttl`. Subscriptions are found by their key in the table itself, not in an index: an index trails its table, and
//! a subscriber that was registered a moment ago would not be told.

mod recent;
mod subjects;

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::id::{CustomerId, OrderId, TenantId};
use domain::ports::{Connected, OrderKey, StoreError, SubscriptionPage, Subscriptions};
use domain::subscription::{ConnectionId, Subject, Subscription, SubscriptionKey};
use domain::timestamp::Timestamp;

use self::subjects::read_subject;
use crate::aws;
use crate::config::{self, ConfigError};
use crate::connections::Connection;
use crate::store::{charged, store_error};

const KEY: &str = "pk";
const SORT: &str = "sk";
const CONNECTION: &str = "c";
const SUBJECT: &str = "s";
const CUSTOMER: &str = "cu";
const EXPIRES: &str = "e";
const TTL: &str = "ttl";

/// The index that knows what a connection subscribes to.
const BY_CONNECTION: &str = "by-connection";

/// So many subscriptions or changes are read at a time, about 100 KB.
const PAGE: i32 = 1_000;

/// Everything is kept a little longer than a connection can last, which is two hours.
const KEPT: Duration = Duration::from_secs(4 * 3600);

/// A call takes no longer, with all its attempts.
const PATIENCE: Duration = Duration::from_secs(8);
const ATTEMPTS: u32 = 8;

type Item = HashMap<String, AttributeValue>;

/// The table of the subscriptions.
#[derive(Debug, Clone)]
pub struct SubscriptionsTable {
    client: Client,
    table: String,
}

impl SubscriptionsTable {
    /// The table named by `SUBSCRIPTIONS_TABLE`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let table = config::required("SUBSCRIPTIONS_TABLE")?;
        // A throttled write of one storefront's key would otherwise have its order wait until the queue gives it once more.
        let patient = TimeoutConfig::builder()
            .connect_timeout(Duration::from_millis(500))
            .operation_attempt_timeout(Duration::from_millis(1_000))
            .operation_timeout(PATIENCE)
            .build();
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let config = Builder::from(aws).timeout_config(patient).retry_config(retries).build();
        Ok(Self::new(Client::from_conf(config), table))
    }

    /// This table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Makes a connection to `DynamoDB` before it is needed.
    pub fn connection(&self) -> Connection {
        aws::connection(&self.client, &self.table)
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put.return_consumed_capacity(ReturnConsumedCapacity::Total);
        // Boxed, or the compiler gives up on the depth of nested futures.
        let output = Box::pin(put.send()).await.map_err(store_error)?;
        charged(output.consumed_capacity());
        Ok(())
    }

    async fn delete(&self, key: Item) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        let delete = delete.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let output = Box::pin(delete.send()).await.map_err(store_error)?;
        charged(output.consumed_capacity());
        Ok(())
    }

    fn query(&self) -> QueryFluentBuilder {
        self.client.query().table_name(&self.table).return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Reads a query page by page.
    async fn read(
        &self,
        query: QueryFluentBuilder,
        mut take: impl FnMut(&Item) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = Box::pin(query.clone().set_exclusive_start_key(after).send()).await.map_err(store_error)?;
            charged(page.consumed_capacity());
            page.items().iter().try_for_each(&mut take)?;
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

impl Subscriptions for SubscriptionsTable {
    async fn add(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let Subscription { key, connection, subject, confined_to, expires_at } = subscription;
        let connection = AttributeValue::S(connection.as_str().to_owned());
        let mut item = Item::from([
            (KEY.to_owned(), AttributeValue::S(write_key(key))),
            (SORT.to_owned(), connection.clone()),
            (CONNECTION.to_owned(), connection),
            (EXPIRES.to_owned(), of_number(expires_at.as_secs())),
            (TTL.to_owned(), of_number(expires_at.plus(KEPT).as_secs())),
        ]);
        if let Some(subject) = subject {
            item.insert(SUBJECT.to_owned(), AttributeValue::S(subject.name.clone()));
        }
        if let Some(customer) = confined_to {
            item.insert(CUSTOMER.to_owned(), AttributeValue::S(customer.as_str().to_owned()));
        }
        self.put(item).await
    }

    async fn remove(&self, key: &SubscriptionKey, connection: &ConnectionId) -> Result<(), StoreError> {
        self.delete(item_key(key, connection)).await
    }

    async fn of_connection(&self, connection: &ConnectionId) -> Result<Connected, StoreError> {
        let query = self.query().index_name(BY_CONNECTION).key_condition_expression("c = :c");
        let query = query.expression_attribute_values(":c", AttributeValue::S(connection.as_str().to_owned()));
        let mut connected = Connected::default();
        let take = |item: &Item| {
            let key = text(item, KEY)?;
            match read_subject(key) {
                Some(subject) => connected.subject = Some(subject),
                // What a later release keeps of a connection is not for this one to forget.
                None => connected.keys.extend(read_key(key)),
            }
            Ok(())
        };
        self.read(query, take).await?;
        Ok(connected)
    }

    async fn page(&self, key: &SubscriptionKey, after: Option<&ConnectionId>) -> Result<SubscriptionPage, StoreError> {
        let query = self.query().key_condition_expression("pk = :pk").consistent_read(true).limit(PAGE);
        let query = query.expression_attribute_values(":pk", AttributeValue::S(write_key(key)));
        let query = query.set_exclusive_start_key(after.map(|after| item_key(key, after)));
        let page = Box::pin(query.send()).await.map_err(store_error)?;
        charged(page.consumed_capacity());
        let subscriptions = page.items().iter().map(|item| read_subscription(key, item)).collect::<Result<_, _>>()?;
        let next = page.last_evaluated_key().map(|last| connection_of(text(last, SORT)?)).transpose()?;
        Ok(SubscriptionPage { subscriptions, next })
    }
}

fn write_key(key: &SubscriptionKey) -> String {
    match key {
        SubscriptionKey::Order(OrderKey { tenant, id }) => format!("order#{tenant}#{id}"),
        SubscriptionKey::Customer(tenant, customer) => format!("customer#{tenant}#{customer}"),
        SubscriptionKey::Tenant(tenant) => format!("tenant#{tenant}"),
    }
}

fn read_key(key: &str) -> Option<SubscriptionKey> {
    let (kind, rest) = key.split_once('#')?;
    if kind == "tenant" {
        return Some(SubscriptionKey::Tenant(TenantId::restore(rest)));
    }
    let (tenant, of) = rest.split_once('#')?;
    let tenant = TenantId::restore(tenant);
    match kind {
        "order" => Some(SubscriptionKey::Order(OrderKey { tenant, id: OrderId::parse(of).ok()? })),
        "customer" => Some(SubscriptionKey::Customer(tenant, CustomerId::restore(of))),
        _ => None,
    }
}

/// Text that sorts as times do.
fn sort_of(at: Timestamp) -> String {
    format!("{:015}", at.as_millis())
}

fn item_key(key: &SubscriptionKey, connection: &ConnectionId) -> Item {
    Item::from([
        (KEY.to_owned(), AttributeValue::S(write_key(key))),
        (SORT.to_owned(), AttributeValue::S(connection.as_str().to_owned())),
    ])
}

fn read_subscription(key: &SubscriptionKey, item: &Item) -> Result<Subscription, StoreError> {
    let seconds = number(item, EXPIRES)?;
    let given = |name| item.contains_key(name).then(|| text(item, name)).transpose();
    let subject = |name: &str| Subject { tenant: key.tenant().clone(), name: name.to_owned() };
    Ok(Subscription {
        key: key.clone(),
        connection: connection_of(text(item, SORT)?)?,
        subject: given(SUBJECT)?.map(subject),
        confined_to: given(CUSTOMER)?.map(CustomerId::restore),
        expires_at: Timestamp::from_secs(seconds),
    })
}

fn connection_of(text: &str) -> Result<ConnectionId, StoreError> {
    ConnectionId::parse(text).map_err(|_| corrupt())
}

fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(corrupt)
}

fn number(item: &Item, name: &str) -> Result<i64, StoreError> {
    item.get(name).and_then(|value| value.as_n().ok()?.parse().ok()).ok_or_else(corrupt)
}

fn of_number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("an item of the subscriptions cannot be read".to_owned())
}
