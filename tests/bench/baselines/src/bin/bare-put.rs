//! One conditional `PutItem` of an item that is as large as a new order and in the same indexes, with nothing around it: the
//! floor of a write.

use aws_sdk_dynamodb::Client;
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
        .item("pk", AttributeValue::S(format!("bare#{key}")))
        .item("gs", AttributeValue::S("bare#pending#0".to_owned()))
        .item("gc", AttributeValue::S("bare#cust-1".to_owned()))
        .item("k", AttributeValue::S(key.to_owned()))
        .item("body", AttributeValue::S(String::from_utf8(request.body().to_vec())?))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await?;
    Ok(Response::new(Body::from("{}")))
}
