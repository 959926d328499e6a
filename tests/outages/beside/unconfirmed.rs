//! Stock that is reserved for a while only is not shipped.

use e2e::{Shop, order_of};
use serde_json::json;

#[tokio::test]
async fn an_order_is_shipped_once_its_reservation_is_confirmed() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let product = shop.product(10).await;
    shop.partners.fault_of("reservations", "POST", "status", 503).await;
    let placed = shop.place("not-confirmed", &order_of(&[(&product, 3)])).await;
    assert_eq!((placed.status, &placed.body["status"]), (201, &json!("confirmed")));
    let path = format!("/orders/{}", placed.id());
    assert_eq!(shop.move_to(&placed.id(), "processing").await.status, 200);
    let shipping = json!({"carrier": "c", "tracking_number": "1"});
    for (path, body) in
        [(format!("{path}/shipping"), &shipping), (format!("{path}/status"), &json!({"status": "shipped"}))]
    {
        let refused = shop.put(&path, body).await;
        assert_eq!(
            (refused.status, refused.code(), refused.header("retry-after")),
            (409, "reservation_unconfirmed", "1")
        );
    }
    crate::calm(&shop).await;
    let shipped = shop.put_once_confirmed(&format!("{path}/shipping"), &shipping).await;
    assert_eq!((shipped.status, &shipped.body["status"]), (200, &json!("shipped")));
    assert_eq!(shop.partners.units(&product).await, (7, 0, 3));
}
