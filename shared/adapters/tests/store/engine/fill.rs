//! Fills the tables with many orders, quickly.

use std::ops::Range;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::OrderId;
use domain::memory::sample;
use domain::ports::OrderStore;
use dynoxide::{AttributeValue as Stored, ImportOptions, Item};
use uuid::Uuid;

use super::{Engine, TABLE};

/// The id of the nth copy.
pub fn copy_id(n: u32) -> OrderId {
    OrderId::from_uuid(Uuid::from_u64_pair(0x0192_f0c1_7a3e_7000, 0x8000_0000_0000_0000 | u64::from(n)))
}

impl Engine {
    /// Adds copies of the sample order, a millisecond apart.
    pub async fn fill(&self, orders: Range<u32>) {
        self.store(1).insert(&sample::order()).await.unwrap();
        let key = AttributeValue::S(format!("demo#{}", sample::order_id(1)));
        let item = self.client.get_item().table_name(TABLE).key("pk", key).send().await.unwrap().item.unwrap();
        let template: Item = item.into_iter().map(|(name, value)| (name, stored(value))).collect();
        let copy = |n: u32| {
            let mut item = template.clone();
            let id = copy_id(n);
            item.insert("pk".to_owned(), Stored::S(format!("demo#{id}")));
            let place = format!("{:012x}{}", 1_767_225_601_000_u64 + u64::from(n), id.as_uuid().simple());
            item.insert("k".to_owned(), Stored::S(place));
            item
        };
        self.import(TABLE, orders.map(copy).collect());
        self.meter.take();
    }

    /// Adds items as they are.
    pub fn import(&self, table: &str, items: Vec<Item>) {
        self.database.import_items(table, items, ImportOptions::default()).unwrap();
    }
}

fn stored(value: AttributeValue) -> Stored {
    match value {
        AttributeValue::S(text) => Stored::S(text),
        AttributeValue::N(number) => Stored::N(number),
        AttributeValue::B(blob) => Stored::B(blob.into_inner()),
        AttributeValue::L(list) => Stored::L(list.into_iter().map(stored).collect()),
        AttributeValue::M(map) => Stored::M(map.into_iter().map(|(name, value)| (name, stored(value))).collect()),
        other => panic!("an order's item holds no {other:?}"),
    }
}
