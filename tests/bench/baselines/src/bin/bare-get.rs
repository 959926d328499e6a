//! One `GetItem` of the path's order, with nothing around it: the floor of a read.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &Client::new(&adapters::aws::config()?);
    let table = &std::env::var("ORDERS_TABLE")?;
    run(service_fn(async |request: Request| get(client, table, &request).await)).await
}

async fn get(client: &Client, table: &str, request: &Request) -> Result<Response<Body>, Error> {
    let id = request.path_parameters_ref().and_then(|parameters| parameters.first("id")).unwrap_or_default();
    let key = AttributeValue::S(format!("demo#{id}"));
    let found = client.get_item().table_name(table).key("pk", key).consistent_read(true).send().await?;
    let item = found.item.ok_or("the order that the benchmark placed is not in the table")?;
    Ok(Response::new(Body::from(format!("{} attributes", item.len()))))
}
