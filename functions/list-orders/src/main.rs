//! `GET /orders`

use adapters::http::{ApiRequest, Cursors, Problem, Reply};
use adapters::store::DynamoStore;
use adapters::{aws, connections, http, telemetry};
use domain::caller::Scope;
use domain::ports::OrderStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let store = DynamoStore::from_env(&aws::config()?)?;
    let cursors = Cursors::from_env()?;
    connections::made([store.connection()]).await;
    http::serve(|request| handle(&store, &cursors, request)).await
}

async fn handle(store: &impl OrderStore, cursors: &Cursors, request: ApiRequest) -> Result<Reply, Problem> {
    let caller = request.caller(Scope::Read)?;
    let (list, cursor) = request.list_request()?;
    let mut query = list.for_caller(&caller)?;
    query.after = cursor.map(|cursor| cursors.read(&query, &cursor)).transpose()?;
    let page = store.list(&query).await?;
    Reply::page(&page, &query, cursors, &request.path_and_query())
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryStore, sample};
    use domain::order::{Order, OrderData};

    use super::*;

    fn cursors() -> Cursors {
        Cursors::new("a secret of at least 32 characters").unwrap()
    }

    async fn store_of(orders: u32) -> MemoryStore {
        let store = MemoryStore::default();
        for n in 1..=orders {
            let data = OrderData { id: sample::order_id(n), ..(*sample::order()).clone() };
            store.insert(&Order::restore(data)).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn the_sample_event_lists_two_confirmed_orders_and_links_to_the_rest() {
        let (store, cursors) = (store_of(3).await, cursors());
        let reply = handle(&store, &cursors, testing::sample_request("list-orders")).await;
        let (status, headers, body) = testing::parts(reply);
        assert_eq!((status, body["data"].as_array().unwrap().len()), (200, 2));
        assert_eq!((&body["page"]["limit"], &body["page"]["has_more"]), (&2.into(), &true.into()));
        let cursor = body["page"]["next_cursor"].as_str().unwrap();
        assert_eq!(headers["link"], format!("</v1/orders?cursor={cursor}&limit=2&status=confirmed>; rel=\"next\""));
    }

    #[tokio::test]
    async fn a_confined_caller_is_told_of_the_filter_it_sent() {
        let request = testing::attempt("list-orders", "lambda", |event| {
            event["requestContext"]["authorizer"]["customer_id"] = "cust-1".into();
        });
        let reply = handle(&store_of(1).await, &cursors(), request).await;
        let (status, _, body) = testing::parts(reply);
        assert_eq!((status, body["code"].as_str()), (400, Some("unsupported_filter")));
        let expected = "a token that is confined to a customer lists that customer's orders without status";
        assert_eq!(body["detail"], expected);
    }

    #[tokio::test]
    async fn the_last_page_links_nowhere() {
        let (store, cursors) = (store_of(1).await, cursors());
        let reply = handle(&store, &cursors, testing::sample_request("list-orders")).await;
        let (_, headers, body) = testing::parts(reply);
        assert_eq!((headers.get("link"), &body["page"]["next_cursor"]), (None, &serde_json::Value::Null));
    }

    #[tokio::test]
    async fn orders_whose_rows_cannot_be_read_are_left_out_and_stop_no_list() {
        let (store, cursors) = (store_of(6).await, cursors());
        for n in [5, 4, 3, 1] {
            store.damage_row(sample::order_id(n));
        }
        let mut pages = Vec::new();
        let mut cursor = None;
        loop {
            let request = testing::attempt("list-orders", "lambda", |event| {
                event["multiValueQueryStringParameters"] = serde_json::json!({ "limit": ["2"] });
                if let Some(cursor) = &cursor {
                    event["multiValueQueryStringParameters"]["cursor"] = serde_json::json!([cursor]);
                }
            });
            let (status, _, body) = testing::parts(handle(&store, &cursors, request).await);
            assert_eq!(status, 200);
            pages.push(body["data"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect::<Vec<_>>());
            cursor = body["page"]["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        let row = |n| vec![serde_json::json!(sample::order_id(n).to_string())];
        assert_eq!(pages, [row(6), Vec::new(), row(2)]);
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let (store, cursors) = (store_of(3).await, cursors());
        let list = async |query: &[(&str, &str)]| {
            let query: serde_json::Map<_, _> =
                query.iter().map(|(name, value)| ((*name).to_owned(), serde_json::json!([value]))).collect();
            let request = testing::attempt("list-orders", "lambda", |event| {
                event["multiValueQueryStringParameters"] = query.into();
            });
            testing::shape(handle(&store, &cursors, request).await)
        };
        insta::assert_snapshot!("page", list(&[("limit", "1")]).await);
        insta::assert_snapshot!("last_page", list(&[("customer_id", "cust-9")]).await);
        insta::assert_snapshot!("invalid_parameter", list(&[("limit", "0"), ("page", "2")]).await);
        insta::assert_snapshot!("unsupported_filter", list(&[("status", "shipped"), ("customer_id", "cust-1")]).await);
        insta::assert_snapshot!("invalid_cursor", list(&[("cursor", "x")]).await);
    }
}
