//! The work of `put-product` of AWS's sample in Rust (<https://github.com/aws-samples/serverless-rust-demo>): a product is
//! read from the request and put, three attributes in no index, whatever was there before.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use serde::Deserialize;

#[derive(Deserialize)]
struct Product {
    id: String,
    name: String,
    price: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &Client::new(&adapters::aws::config()?);
    let table = &std::env::var("ORDERS_TABLE")?;
    run(service_fn(async |request: Request| put(client, table, &request).await)).await
}

async fn put(client: &Client, table: &str, request: &Request) -> Result<Response<Body>, Error> {
    let product: Product = serde_json::from_slice(request.body())?;
    let id = request.path_parameters_ref().and_then(|parameters| parameters.first("id")).unwrap_or_default();
    if product.id != id {
        return Err("the product of the path is not that of the body".into());
    }
    client
        .put_item()
        .table_name(table)
        .item("pk", AttributeValue::S(format!("product#{id}")))
        .item("name", AttributeValue::S(product.name))
        .item("price", AttributeValue::N(product.price.to_string()))
        .send()
        .await?;
    let created = Response::builder().status(201).header("content-type", "application/json");
    Ok(created.body(Body::from("{\"message\":\"Product created\"}"))?)
}
