//! Items that no release can read have the oldest follow-ups of all.

use std::time::{SystemTime, UNIX_EPOCH};

use e2e::{Shop, Table, eventually, order_of};

#[tokio::test]
async fn unreadable_orders_are_put_off_and_hold_nobody_up() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let table = Table::open().await;
    let mut poison = Vec::new();
    for shard in 0..32 {
        poison.push(table.poison(shard).await);
    }
    let product = shop.product(10).await;
    shop.partners.fault("reservations", "status", 500).await;
    let placed = shop.place("behind-the-poison", &order_of(&[(&product, 3)])).await;
    assert_eq!(placed.status, 202);
    let path = format!("/orders/{}", placed.id());
    crate::calm(&shop).await;
    eventually("the completion of an order behind the poison", || async {
        (shop.get(&path).await.body["status"] == "confirmed").then_some(())
    })
    .await;
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    for key in &poison {
        eventually("the item being put off", || async { (table.due(key).await > now).then_some(()) }).await;
        table.remove(key).await;
    }
}
