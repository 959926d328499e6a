//! What comes out of the bus.

use e2e::Shop;

#[tokio::test]
async fn a_new_order_is_announced_by_cloud_events_that_hold_all_of_it() {
    let shop = Shop::open().await;
    let product = shop.product(2).await;
    let order = shop.order(&[(&product, 1)]).await;
    let events = shop.events.of(&order.id(), 3).await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order.created", "inventory.reserved", "order.confirmed"]);
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["id"], format!("{}:1:{index}", order.id()));
        assert_eq!(event["source"], format!("orders/{}", shop.tenant));
        assert_eq!(event["subject"], order.id());
        assert_eq!(event["sequence"], "0000000001");
        assert_eq!(event["time"], order.body["created_at"]);
        assert_eq!(event["datacontenttype"], "application/json");
        assert_eq!(event["data"]["order"], order.body);
    }
}
