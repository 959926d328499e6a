//! `GET /orders`

use e2e::{Answer, Shop};
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
        let body = json!({
            "customer_id": format!("cust-{}", n % 2 + 1),
            "lines": [{"product_id": product, "quantity": 1}],
            "external_reference": format!("PO-{n}"),
        });
        orders.push(shop.place(&n.to_string(), &body).await.id());
    }
    for id in &orders[..2] {
        assert_eq!(shop.move_to(id, "processing").await.status, 200);
    }
    orders.reverse();
    orders
}

#[tokio::test]
async fn orders_are_listed_newest_first_by_every_filter_that_has_an_index() {
    let shop = Shop::open().await;
    let orders = five_orders(&shop).await;
    assert_eq!(ids(&shop.get("/orders").await), orders);
    assert_eq!(ids(&shop.get("/orders?status=processing").await), orders[3..]);
    assert_eq!(ids(&shop.get("/orders?status=confirmed").await), orders[..3]);
    assert_eq!(ids(&shop.get("/orders?status=shipped").await), [] as [String; 0]);
    let of_second = [orders[1].clone(), orders[3].clone()];
    assert_eq!(ids(&shop.get("/orders?customer_id=cust-2").await), of_second);
    let oldest = shop.get(&format!("/orders/{}", orders[4])).await;
    let created = oldest.body["created_at"].as_str().unwrap();
    assert_eq!(ids(&shop.get(&format!("/orders?created_after={created}")).await), orders[..4]);
    assert_eq!(ids(&shop.get(&format!("/orders?created_before={created}")).await), [] as [String; 0]);
    let stranger = Shop::open().await;
    assert_eq!(ids(&stranger.get("/orders").await), [] as [String; 0]);
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
