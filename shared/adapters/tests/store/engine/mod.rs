//! A DynamoDB engine (dynoxide) on loopback, one per test, with the table of template.yaml and a meter on its client.

mod meter;

use std::sync::Arc;

use adapters::store::{DynamoStore, Shards};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use dynoxide::Database;
use tokio::net::TcpListener;

pub use meter::{Call, Meter};

/// The table's name.
pub const TABLE: &str = "orders";

/// What the indexes project beside the keys; the end-to-end suite proves that template.yaml projects the same.
const PROJECTED: [&str; 8] = ["cu", "s", "i", "v", "u", "cy", "t", "x"];

/// An engine with an empty table.
pub struct Engine {
    /// The engine itself, to fill the table quickly.
    pub database: Database,
    /// A client of the engine.
    pub client: Client,
    /// What the client's calls cost.
    pub meter: Arc<Meter>,
}

impl Engine {
    /// Starts an engine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let database = Database::memory().unwrap();
        tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        let meter = Arc::new(Meter::default());
        let client = client(&endpoint, &meter);
        create_table(&client).await;
        Self { database, client, meter }
    }

    /// A store on the table.
    pub fn store(&self, shards: u32) -> DynamoStore {
        DynamoStore::new(self.client.clone(), TABLE, Shards { status: shards, follow_up: shards }, "eu-central-1")
    }
}

/// A store on an empty table, with this many shards.
pub async fn store(shards: u32) -> DynamoStore {
    Engine::start().await.store(shards)
}

fn client(endpoint: &str, meter: &Arc<Meter>) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::for_tests())
        .region(Region::from_static("eu-central-1"))
        .endpoint_url(endpoint)
        .http_client(http)
        .interceptor(meter::Reader(Arc::clone(meter)))
        .build();
    Client::from_conf(config)
}

async fn create_table(client: &Client) {
    let attribute = |name| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = |name, partition| {
        let projected = PROJECTED.map(str::to_owned).to_vec();
        let projection = Projection::builder().projection_type(ProjectionType::Include);
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(partition, KeyType::Hash))
            .key_schema(key("k", KeyType::Range))
            .projection(projection.set_non_key_attributes(Some(projected)).build())
            .build()
            .unwrap()
    };
    let follow_up = GlobalSecondaryIndex::builder()
        .index_name("by-follow-up")
        .key_schema(key("w", KeyType::Hash))
        .key_schema(key("d", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    let due = AttributeDefinition::builder().attribute_name("d").attribute_type(ScalarAttributeType::N);
    client
        .create_table()
        .table_name(TABLE)
        .set_attribute_definitions(Some(["pk", "gs", "gc", "k", "w"].map(attribute).to_vec()))
        .attribute_definitions(due.build().unwrap())
        .key_schema(key("pk", KeyType::Hash))
        .global_secondary_indexes(index("by-status", "gs"))
        .global_secondary_indexes(index("by-customer", "gc"))
        .global_secondary_indexes(follow_up)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}
