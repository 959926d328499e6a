//! A DynamoDB engine (dynoxide) on loopback, one per test, with the table of template.yaml and a meter on its client.

pub mod fill;
mod meter;

use std::sync::Arc;

use adapters::audit::{AuditTable, MarkerQueue};
use adapters::store::{DynamoStore, Shards};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use domain::memory::sample;
use domain::ports::{EventRecorder, TrailError};
use dynoxide::Database;
use tokio::net::TcpListener;

pub use meter::{Call, Meter};

/// The name of the audit trail's table.
pub const AUDIT_TABLE: &str = "audit";

/// The name of the reports' table.
pub const REPORTS_TABLE: &str = "reports";

/// The name of the subscriptions' table.
pub const SUBSCRIPTIONS_TABLE: &str = "subscriptions";

/// The name of the exports' table.
pub const EXPORTS_TABLE: &str = "exports";

/// The table's name.
pub const TABLE: &str = "orders";

/// What the indexes project beside the keys; the end-to-end suite proves that template.yaml projects the same.
const PROJECTED: [&str; 8] = ["cu", "s", "i", "v", "u", "cy", "t", "x"];

/// An engine with an empty table.
pub struct Engine {
    /// The engine itself, to fill the table quickly.
    pub database: Database,
    /// Its address.
    #[allow(dead_code, reason = "the bench tells another process")]
    pub endpoint: String,
    /// A client of the engine.
    pub client: Client,
    /// What the client's calls cost.
    pub meter: Arc<Meter>,
}

impl Engine {
    /// Starts an engine in memory.
    pub async fn start() -> Self {
        Self::on(Database::memory().unwrap()).await
    }

    /// Starts an engine on this database.
    pub async fn on(database: Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        let meter = Arc::new(Meter::default());
        let client = client(&endpoint, &meter);
        create_table(&client).await;
        create_table_of_pk(&client, AUDIT_TABLE).await;
        create_exports_table(&client).await;
        create_reports_table(&client).await;
        create_subscriptions_table(&client).await;
        Self { database, endpoint, client, meter }
    }

    /// A store on the table.
    pub fn store(&self, shards: u32) -> DynamoStore {
        DynamoStore::new(self.client.clone(), TABLE, Shards { status: shards, follow_up: shards }, "eu-central-1")
    }
}

/// An empty audit trail that markers reach at once.
pub async fn trail() -> AuditTable<Markers> {
    let client = Engine::start().await.client;
    AuditTable::new(client.clone(), AUDIT_TABLE, Markers(AuditTable::new(client, AUDIT_TABLE, ())))
}

/// A queue whose markers are recorded as soon as they are put into it.
pub struct Markers(AuditTable);

impl MarkerQueue for Markers {
    async fn put(&self, marker: &str) -> Result<(), TrailError> {
        self.0.pass(marker, sample::stamp(1).at).await
    }

    async fn is_empty(&self) -> Result<bool, TrailError> {
        Ok(true)
    }
}

/// A store on an empty table, with this many shards.
pub async fn store(shards: u32) -> DynamoStore {
    Engine::start().await.store(shards)
}

/// A client of the engine at this address, whose calls are metered.
pub fn client(endpoint: &str, meter: &Arc<Meter>) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::for_tests())
        .region(Region::from_static("eu-central-1"))
        .endpoint_url(endpoint)
        .http_client(adapters::aws::http_client().unwrap())
        .interceptor(meter::Reader(Arc::clone(meter)))
        .build();
    Client::from_conf(config)
}

/// A table whose key is `pk` alone.
async fn create_table_of_pk(client: &Client, table: &str) {
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().unwrap();
    let pk = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    client
        .create_table()
        .table_name(table)
        .attribute_definitions(pk.build().unwrap())
        .key_schema(key)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

async fn create_reports_table(client: &Client) {
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let attribute = |name| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    client
        .create_table()
        .table_name(REPORTS_TABLE)
        .set_attribute_definitions(Some(["pk", "sk"].map(attribute).to_vec()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

async fn create_subscriptions_table(client: &Client) {
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let attribute = |name| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let by_connection = GlobalSecondaryIndex::builder()
        .index_name("by-connection")
        .key_schema(key("c", KeyType::Hash))
        .key_schema(key("pk", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
    client
        .create_table()
        .table_name(SUBSCRIPTIONS_TABLE)
        .set_attribute_definitions(Some(["pk", "sk", "c"].map(attribute).to_vec()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(by_connection.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

async fn create_exports_table(client: &Client) {
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let attribute = |(name, kind)| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build();
    let attributes =
        [("pk", ScalarAttributeType::S), ("g", ScalarAttributeType::S), ("c", ScalarAttributeType::N)].map(attribute);
    let by_storefront = GlobalSecondaryIndex::builder()
        .index_name("by-storefront")
        .key_schema(key("g", KeyType::Hash))
        .key_schema(key("c", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
    client
        .create_table()
        .table_name(EXPORTS_TABLE)
        .set_attribute_definitions(Some(attributes.into_iter().collect::<Result<_, _>>().unwrap()))
        .key_schema(key("pk", KeyType::Hash))
        .global_secondary_indexes(by_storefront.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
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
