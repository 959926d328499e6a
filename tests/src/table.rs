//! The table of orders of the stack under test, behind the service's back.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use crate::{aws, setting};

/// The table of orders.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table named by `ORDERS_TABLE`.
    pub async fn open() -> Self {
        Self { client: Client::new(&aws().await), name: setting("ORDERS_TABLE") }
    }

    /// Stores something that is no order and has had a follow-up due since 1970, in this shard; its key.
    pub async fn poison(&self, shard: u32) -> String {
        let key = format!("poison#{}", Uuid::new_v4());
        let item = [
            ("pk", AttributeValue::S(key.clone())),
            ("w", AttributeValue::S(format!("{}#{shard}", setting("AWS_REGION")))),
            ("d", AttributeValue::N(shard.to_string())),
        ];
        let item: HashMap<_, _> = item.map(|(name, value)| (name.to_owned(), value)).into();
        self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await.expect("the table takes it");
        key
    }

    /// When the first follow-up of this item is due, in milliseconds since 1970.
    pub async fn due(&self, key: &str) -> u64 {
        let get = self.client.get_item().table_name(&self.name).key("pk", AttributeValue::S(key.to_owned()));
        let item = get.send().await.expect("the table answers").item.expect("the item");
        item["d"].as_n().expect("a number").parse().expect("milliseconds")
    }

    /// Takes the item out again.
    pub async fn remove(&self, key: &str) {
        let delete = self.client.delete_item().table_name(&self.name).key("pk", AttributeValue::S(key.to_owned()));
        delete.send().await.expect("the table answers");
    }
}
