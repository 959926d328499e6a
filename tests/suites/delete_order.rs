//! `DELETE /orders/{id}`

use e2e::{Shop, refusal};
use order_service_client::{Edit, ListQuery, NewOrder, ProblemKind, Shipment, Status};

#[tokio::test]
async fn a_deleted_order_is_gone_from_every_route_and_its_key_answers_410() {
    let shop = Shop::open().await;
    let wanted = NewOrder::new("cust-1").line(shop.product(5).await, 1);
    let order = shop.client.place_order_as("key", &wanted).await.unwrap().order;
    shop.client.delete_order(&order).await.unwrap();
    for refused in [
        refusal(shop.client.order(order.id).await),
        refusal(shop.client.update_order(&order, &Edit::default()).await),
        refusal(shop.client.ship_order(&order, &Shipment::new("c", "n")).await),
        refusal(shop.client.move_order(&order, Status::Processing).await),
        refusal(shop.client.delete_order(&order).await),
    ] {
        assert_eq!(refused, ProblemKind::OrderNotFound);
    }
    assert_eq!(shop.client.page(&ListQuery::default(), None).await.unwrap().data, []);
    assert_eq!(refusal(shop.client.place_order_as("key", &wanted).await), ProblemKind::OrderDeleted);
    let events = shop.events.of(&order.id.to_string(), 4).await;
    assert_eq!(events[3]["type"], "order.deleted");
}

#[tokio::test]
async fn an_order_on_its_way_is_not_deleted() {
    let shop = Shop::open().await;
    let order = shop.buy(&[(&shop.product(5).await, 1)]).await;
    let order = shop.moved(&order, Status::Processing).await;
    let shipped = shop.moved(&order, Status::Shipped).await;
    assert_eq!(refusal(shop.client.delete_order(&shipped).await), ProblemKind::OrderShipped);
}
