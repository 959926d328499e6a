//! `POST /exports`, `GET /exports/{export_id}` and the files that come of them

use std::collections::BTreeMap;

use e2e::{Answer, RunningExports, Shop, eventually, order_of};
use serde_json::{Value, json};
use uuid::Uuid;

fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// The file of a new export, and the export.
async fn file_of(shop: &Shop, format: &str, filters: Value) -> (Answer, String) {
    let created = shop.export(&new_key(), &json!({"format": format, "filters": filters})).await;
    assert_eq!((created.status, created.body["download"].is_null()), (202, true), "{created:?}");
    assert_eq!(created.header("location"), format!("/v1/exports/{}", created.id()));
    let export = shop.exported(&created.id()).await;
    let file = shop.download(&export).await;
    assert_eq!(export.body["bytes"], file.len());
    (export, file)
}

/// The orders of a file of JSON Lines.
async fn orders_of(shop: &Shop, filters: Value) -> Vec<Value> {
    let (export, file) = file_of(shop, "jsonl", filters).await;
    let orders: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&export.body["orders"], &export.body["unreadable"]), (&json!(orders.len()), &json!(0)));
    orders
}

/// The order as `GET /orders/{id}` answers it, without its history.
async fn shown(shop: &Shop, id: &str) -> Value {
    let mut order = shop.get(&format!("/orders/{id}")).await.body;
    order.as_object_mut().unwrap().remove("history");
    order
}

/// Five orders in different stages, the newest first, one of them deleted.
async fn orders(shop: &Shop) -> Vec<String> {
    let product = shop.product(100).await;
    let mut ids = Vec::new();
    for quantity in 1..=5 {
        ids.push(shop.order(&[(&product, quantity)]).await.id());
    }
    shop.move_to(&ids[0], "canceled").await;
    let shipping = json!({"carrier": "=cmd()", "tracking_number": "1", "tracking_url": "https://track.example/1"});
    shop.move_to(&ids[1], "processing").await;
    shop.put_once_confirmed(&format!("/orders/{}/shipping", ids[1]), &shipping).await;
    shop.put(&format!("/orders/{}", ids[2]), &json!({"notes": "=1+1\nand \"more\", Zoë"})).await;
    shop.delete(&format!("/orders/{}", ids[3])).await;
    ids.remove(3);
    ids.reverse();
    ids
}

#[tokio::test]
async fn a_file_of_json_lines_holds_every_order_as_it_is_shown() {
    let shop = Shop::open().await;
    let ids = orders(&shop).await;
    let exported = orders_of(&shop, json!({})).await;
    let mut expected = Vec::new();
    for id in &ids {
        expected.push(shown(&shop, id).await);
    }
    assert_eq!(exported, expected);
}

/// The records of a table, each by the names of the columns.
fn records(table: &str) -> Vec<BTreeMap<String, String>> {
    let table = table.strip_prefix('\u{feff}').unwrap();
    let mut rows = vec![vec![String::new()]];
    let (mut is_quoted, mut characters) = (false, table.chars().peekable());
    while let Some(character) = characters.next() {
        let cell = rows.last_mut().unwrap().last_mut().unwrap();
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => rows.last_mut().unwrap().push(String::new()),
            '\r' if !is_quoted => assert_eq!(characters.next(), Some('\n')),
            other => cell.push(other),
        }
        if character == '\r' && !is_quoted && characters.peek().is_some() {
            rows.push(vec![String::new()]);
        }
    }
    let names = rows.remove(0);
    rows.into_iter().map(|row| names.iter().cloned().zip(row).collect()).collect()
}

#[tokio::test]
async fn a_table_holds_every_order_as_it_is_shown_and_no_formula() {
    let shop = Shop::open().await;
    let ids = orders(&shop).await;
    let (_, table) = file_of(&shop, "csv", json!({})).await;
    let records = records(&table);
    assert_eq!(records.iter().map(|record| record["id"].clone()).collect::<Vec<_>>(), ids);
    for (record, id) in records.iter().zip(&ids) {
        let order = shown(&shop, id).await;
        let text = |pointer: &str| match order.pointer(pointer) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        for (column, pointer) in [
            ("status", "/status"),
            ("version", "/version"),
            ("customer_email", "/customer/email"),
            ("total_amount", "/total/amount"),
            ("total_currency", "/total/currency"),
            ("address_city", "/shipping_address/city"),
            ("tracking_url", "/shipping/tracking_url"),
            ("created_at", "/created_at"),
        ] {
            assert_eq!(record[column], text(pointer), "{column}");
        }
        for (column, pointer) in [("lines", "/lines"), ("metadata", "/metadata")] {
            assert_eq!(Some(&serde_json::from_str::<Value>(&record[column]).unwrap()), order.pointer(pointer));
        }
    }
    let of = |id: &str| records.iter().find(|record| record["id"] == id).unwrap();
    assert_eq!(of(&ids[1])["notes"], "'=1+1\nand \"more\", Zoë");
    assert_eq!(of(&ids[2])["carrier"], "'=cmd()");
}

#[tokio::test]
async fn filters_choose_the_orders_as_those_of_a_list_do() {
    let shop = Shop::open().await;
    let ids = orders(&shop).await;
    let created_at = shown(&shop, &ids[1]).await["created_at"].clone();
    for (filters, query) in [
        (json!({"status": "canceled"}), "status=canceled".to_owned()),
        (json!({"customer_id": "cust-1"}), "customer_id=cust-1".to_owned()),
        (json!({"customer_id": "cust-2"}), "customer_id=cust-2".to_owned()),
        (json!({"created_after": created_at}), format!("created_after={}", created_at.as_str().unwrap())),
        (
            json!({"status": "confirmed", "created_before": created_at}),
            format!("status=confirmed&created_before={}", created_at.as_str().unwrap()),
        ),
    ] {
        let listed = shop.get(&format!("/orders?{query}")).await.body["data"].clone();
        let listed: Vec<_> = listed.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
        let exported: Vec<_> =
            orders_of(&shop, filters.clone()).await.iter().map(|order| order["id"].clone()).collect();
        assert_eq!(exported, listed, "{filters}");
    }
}

#[tokio::test]
async fn an_export_of_no_orders_is_an_empty_file_or_a_table_without_rows() {
    let shop = Shop::open().await;
    assert_eq!(file_of(&shop, "jsonl", json!({})).await.1, "");
    let (_, table) = file_of(&shop, "csv", json!({})).await;
    assert!(table.starts_with("\u{feff}\"id\",\"created_at\"") && table.matches("\r\n").count() == 1, "{table}");
}

#[tokio::test]
async fn a_key_names_one_export() {
    let shop = Shop::open().await;
    let key = new_key();
    let first = shop.export(&key, &json!({"format": "csv"})).await;
    let again = shop.export(&key, &json!({"format": "csv", "filters": {}})).await;
    assert_eq!((again.status, again.header("idempotent-replayed"), again.id()), (202, "true", first.id()));
    let other = shop.export(&key, &json!({"format": "jsonl"})).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
    shop.exported(&first.id()).await;
    let finished = shop.export(&key, &json!({"format": "csv"})).await;
    assert_eq!((finished.status, &finished.body["status"]), (202, &json!("succeeded")));
}

#[tokio::test]
async fn a_storefront_has_ten_exports_running_at_a_time() {
    let shop = Shop::open().await;
    let (key, table) = (new_key(), json!({"format": "csv"}));
    let first = shop.export(&key, &table).await;
    shop.exported(&first.id()).await;
    let mut running = RunningExports::begin(&shop.tenant, 10).await;
    // The index trails writes by a moment.
    let refused = eventually("the refusal of an eleventh export", || async {
        Some(shop.export(&new_key(), &table).await).filter(|answer| answer.code() == "too_many_exports")
    });
    let refused = refused.await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "60"));
    let again = shop.export(&key, &table).await;
    assert_eq!((again.status, again.header("idempotent-replayed"), again.id()), (202, "true", first.id()));
    running.end(1).await;
    let accepted = eventually("room for another export", || async {
        Some(shop.export(&new_key(), &table).await).filter(|answer| answer.status == 202)
    });
    shop.exported(&accepted.await.id()).await;
    running.end(9).await;
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused() {
    let shop = Shop::open().await;
    let both = json!({"format": "csv", "filters": {"status": "shipped", "customer_id": "cust-1"}});
    for (body, status, code) in [
        (json!({"format": "xml"}), 422, "validation_failed"),
        (json!({}), 422, "validation_failed"),
        (json!({"format": "csv", "limit": 1}), 422, "validation_failed"),
        (json!({"format": "csv", "filters": {"status": "lost"}}), 422, "validation_failed"),
        (both, 400, "unsupported_filter"),
        (order_of(&[("sku-1", 1)]), 422, "validation_failed"),
    ] {
        let answer = shop.export(&new_key(), &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    for id in ["nonsense".to_owned(), new_key()] {
        let answer = shop.get(&format!("/exports/{id}")).await;
        assert_eq!((answer.status, answer.code()), (404, "export_not_found"), "{id}");
    }
}

#[tokio::test]
async fn a_link_is_signed_for_15_minutes_and_for_this_file_alone() {
    let shop = Shop::open().await;
    let (export, _) = file_of(&shop, "csv", json!({})).await;
    let link = export.body["download"]["url"].as_str().unwrap();
    assert!(link.contains("X-Amz-Expires=900") || link.contains("X-Amz-Expires=899"), "{link}");
    let get = async |url: &str| reqwest::Client::new().get(url).send().await.unwrap();
    let there = get(link).await;
    let header = |name: &str| there.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(header("content-disposition"), format!("attachment; filename=\"orders-{}.csv\"", export.id()));
}
