//! One conditional `PutItem` of an item with the attributes of a new order, in the same indexes, and nothing around it: the floor
//! of a write.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Body, Error, Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &Client::new(&adapters::aws::config()?);
    let table = &std::env::var("ORDERS_TABLE")?;
    run(service_fn(async |request: Request| put(client, table, &request).await)).await
}

async fn put(client: &Client, table: &str, request: &Request) -> Result<Response<Body>, Error> {
    let key = request.headers().get("idempotency-key").ok_or("a request has a key")?.to_str()?;
    client
        .put_item()
        .table_name(table)
        .set_item(Some(item(key)))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await?;
    Ok(Response::new(Body::from("{}")))
}

/// What the sample of create-order becomes in the table (`shared/adapters/src/store/record`).
fn item(key: &str) -> HashMap<String, AttributeValue> {
    let entry = [
        ("v", number("1")),
        ("t", number("1796127274148")),
        ("e", text("crf")),
        ("a", text("shop-backend")),
        ("r", text("8476a536-e9f4-11e8-9739-2dfe598c3fcd")),
        ("w", AttributeValue::B(Blob::new([0x84; 25]))),
    ];
    let address = [
        ("n", text("Ada Lovelace")),
        ("a", text("12 St James's Square")),
        ("c", text("London")),
        ("z", text("SW1Y 4JH")),
        ("y", text("GB")),
    ];
    let line = |number_of_line, product| {
        map([
            ("i", number(number_of_line)),
            ("p", text(product)),
            ("n", text("Product sku-1")),
            ("q", number("2")),
            ("u", number("990")),
        ])
    };
    let confirm = map([("k", text("confirm")), ("t", number("1796127274148"))]);
    named([
        ("pk", AttributeValue::S(format!("bare#{key}"))),
        ("fm", number("1")),
        ("v", number("1")),
        ("s", text("confirmed")),
        ("u", number("1796127274148")),
        ("g", text("eu-central-1")),
        ("f", AttributeValue::B(Blob::new([0x84; 32]))),
        ("rs", AttributeValue::B(Blob::new([0x84; 16]))),
        ("d", number("1796127304148")),
        ("c", number("1796127274148")),
        ("t", number("2971")),
        ("h", AttributeValue::L(vec![map(entry)])),
        ("a", map(address)),
        ("m", map([("campaign", text("autumn-sale")), ("channel", text("web"))])),
        ("l", AttributeValue::L(vec![line("1", "sku-1"), line("2", "sku-2")])),
        ("fu", AttributeValue::L(vec![confirm])),
        ("gs", text("bare#confirmed#0")),
        ("gc", text("bare#cust-1")),
        ("k", AttributeValue::S(key.to_owned())),
        ("w", text("eu-central-1#0")),
        ("cu", text("cust-1")),
        ("ce", text("cust-1@customers.invalid")),
        ("cy", text("EUR")),
        ("i", text("reserved")),
    ])
}

fn named<const N: usize>(members: [(&str, AttributeValue); N]) -> HashMap<String, AttributeValue> {
    members.map(|(name, value)| (name.to_owned(), value)).into()
}

fn map<const N: usize>(members: [(&str, AttributeValue); N]) -> AttributeValue {
    AttributeValue::M(named(members))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}
