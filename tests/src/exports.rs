//! The table of exports of the stack under test, behind the service's back.

use std::time::SystemTime;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use crate::{aws, setting};

/// Exports of a storefront that run until the test ends them: no writer is called for them.
#[derive(Debug)]
pub struct RunningExports {
    client: Client,
    table: String,
    keys: Vec<String>,
}

impl RunningExports {
    /// So many of this tenant, in the table named by `EXPORTS_TABLE`.
    pub async fn begin(tenant: &str, number: usize) -> Self {
        let mut running = Self { client: Client::new(&aws().await), table: setting("EXPORTS_TABLE"), keys: Vec::new() };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970").as_millis();
        for _ in 0..number {
            let key = format!("{tenant}#{}", Uuid::new_v4());
            let put = running.client.put_item().table_name(&running.table);
            let put = put.item("pk", AttributeValue::S(key.clone())).item("g", AttributeValue::S(tenant.to_owned()));
            put.item("c", AttributeValue::N(now.to_string())).send().await.expect("the table takes it");
            running.keys.push(key);
        }
        running
    }

    /// Ends so many of them.
    pub async fn end(&mut self, number: usize) {
        for key in self.keys.drain(..number) {
            let delete = self.client.delete_item().table_name(&self.table).key("pk", AttributeValue::S(key));
            delete.send().await.expect("the table answers");
        }
    }
}
