//! `GET /orders`

use e2e::{Answer, Shop};
use futures_util::TryStreamExt;
use order_service_client::{Filter, ListQuery, NewOrder, Status};
use serde_json::{Value, json};

fn ids(answer: &Answer) -> Vec<String> {
    let rows = answer.body["data"].as_array().unwrap_or_else(|| panic!("no page: {answer:?}"));
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Five orders, newest first; the first two placed are being processed.
async fn five_orders(shop: &Shop) -> Vec<String> {
    let product = shop.product(10).await;
    let mut orders = Vec::new();
    for n in 0..5 {
        let wanted =
            NewOrder::new(format!("cust-{}", n % 2 + 1)).line(&product, 1).external_reference(format!("PO-{n}"));
        orders.push(shop.client.place_order(&wanted).await.unwrap().order);
    }
    for order in &orders[..2] {
        shop.moved(order, Status::Processing).await;
    }
    orders.iter().rev().map(|order| order.id.to_string()).collect()
}

async fn listed(shop: &Shop, query: impl Into<ListQuery>) -> Vec<String> {
    shop.client.orders(query).map_ok(|row| row.id.to_string()).try_collect().await.unwrap()
}

#[tokio::test]
async fn orders_are_listed_newest_first_by_every_filter_that_has_an_index() {
    let shop = Shop::open().await;
    let orders = five_orders(&shop).await;
    assert_eq!(listed(&shop, Filter::All).await, orders);
    assert_eq!(listed(&shop, Filter::Status(Status::Processing)).await, orders[3..]);
    assert_eq!(listed(&shop, Filter::Status(Status::Confirmed)).await, orders[..3]);
    assert_eq!(listed(&shop, Filter::Status(Status::Shipped)).await, [] as [String; 0]);
    let of_second = [orders[1].clone(), orders[3].clone()];
    assert_eq!(listed(&shop, Filter::Customer("cust-2".to_owned())).await, of_second);
    let created = shop.client.order(orders[4].parse().unwrap()).await.unwrap().created_at;
    assert_eq!(listed(&shop, ListQuery::default().created_after(created)).await, orders[..4]);
    assert_eq!(listed(&shop, ListQuery::default().created_before(created)).await, [] as [String; 0]);
    assert_eq!(listed(&shop, ListQuery::default().limit(2)).await, orders, "page after page");
    let stranger = Shop::open().await;
    assert_eq!(listed(&stranger, Filter::All).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_row_shows_the_order_as_it_is() {
    let shop = Shop::open().await;
    let orders = five_orders(&shop).await;
    let page = shop.get("/orders?limit=1").await;
    let order = shop.get(&format!("/orders/{}", orders[0])).await.body;
    let row = &page.body["data"][0];
    for field in ["id", "status", "inventory", "total", "external_reference", "version", "created_at", "updated_at"] {
        assert_eq!(row[field], order[field], "{field}");
    }
    assert_eq!(row["customer_id"], order["customer"]["id"]);
}

#[tokio::test]
async fn pages_are_walked_by_cursor_and_by_link() {
    let shop = Shop::open().await;
    let orders = five_orders(&shop).await;
    let mut seen = Vec::new();
    let mut path = "/orders?limit=2".to_owned();
    loop {
        let answer = shop.get(&path).await;
        assert_eq!(answer.body["page"]["limit"], 2);
        seen.extend(ids(&answer));
        let Value::String(cursor) = &answer.body["page"]["next_cursor"] else {
            assert_eq!((answer.header("link"), &answer.body["page"]["has_more"]), ("", &json!(false)));
            break;
        };
        path = format!("/orders?limit=2&cursor={cursor}");
        let link = format!("cursor={cursor}&limit=2>; rel=\"next\"");
        assert!(answer.header("link").ends_with(&link), "{answer:?}");
    }
    assert_eq!(seen, orders);
}

#[tokio::test]
async fn a_cursor_belongs_to_one_list_of_one_tenant() {
    let (shop, stranger) = (Shop::open().await, Shop::open().await);
    five_orders(&shop).await;
    let cursor = shop.get("/orders?limit=1").await.body["page"]["next_cursor"].as_str().unwrap().to_owned();
    for answer in [
        stranger.get(&format!("/orders?cursor={cursor}")).await,
        shop.get(&format!("/orders?status=confirmed&cursor={cursor}")).await,
    ] {
        assert_eq!((answer.status, answer.code()), (400, "invalid_cursor"));
    }
    assert_eq!(shop.get(&format!("/orders?limit=3&cursor={cursor}")).await.status, 200);
}
