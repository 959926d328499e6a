//! Many clients change one order at once.

use std::collections::BTreeMap;

use e2e::{Shop, eventually, refusal};
use futures_util::StreamExt;
use order_service_client::{Edit, LineRequest, Order, Patch, ProblemKind, Shipment, Status};
use uuid::Uuid;

/// One writer: status, shipping or metadata, on no condition, repeated after a conflict.
async fn write(shop: &Shop, id: Uuid, n: usize) -> Option<Order> {
    loop {
        let result = match n % 3 {
            0 => shop.client.move_order(id, Status::Processing).await,
            1 => shop.client.ship_order(id, &Shipment::new("c", format!("track-{n}"))).await,
            _ => {
                let metadata = Patch::Set(BTreeMap::from([("writer".to_owned(), n.to_string())]));
                shop.client.update_order(id, &Edit { metadata, ..Edit::default() }).await
            }
        };
        match result {
            Ok(order) => return Some(order),
            Err(error) => match refusal(Err::<(), _>(error)) {
                ProblemKind::Conflict | ProblemKind::ReservationUnconfirmed => {}
                ProblemKind::IllegalTransition { .. } => return None,
                other => panic!("{other:?}"),
            },
        }
    }
}

#[tokio::test]
async fn fifty_writers_lose_no_acknowledged_change_and_the_events_match_the_history() {
    let shop = Shop::open().await;
    let id = shop.buy(&[(&shop.product(1).await, 1)]).await.id;
    let writers = futures_util::stream::iter(0..50).map(|n| write(&shop, id, n)).buffer_unordered(50);
    let acknowledged: Vec<Order> = writers.filter_map(std::future::ready).collect().await;
    let order = shop.client.order(id).await.unwrap();
    let versions: Vec<u64> = order.history.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, (1..=order.version).collect::<Vec<_>>());
    for written in &acknowledged {
        let change = written.history.last().unwrap();
        assert!(order.history.contains(change), "an acknowledged change is missing: {change:?}");
    }
    let recorded: Vec<&String> = order.history.iter().flat_map(|entry| &entry.events).collect();
    let events = shop.events.of(&id.to_string(), recorded.len()).await;
    let announced: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(announced, recorded);
}

#[tokio::test]
async fn twenty_line_edits_at_once_reserve_what_the_order_has_and_nothing_else() {
    let shop = Shop::open().await;
    let product = shop.product(10_000).await;
    let id = shop.buy(&[(&product, 1)]).await.id;
    for round in 0..3 {
        let edit = |n: u32| {
            let edit = Edit { lines: Some(vec![LineRequest::new(&product, 10 * n + round + 2)]), ..Edit::default() };
            let client = shop.client.clone();
            async move { client.update_order(id, &edit).await }
        };
        let edits = futures_util::stream::iter(0..20).map(edit).buffer_unordered(20);
        for lost in edits.collect::<Vec<_>>().await.into_iter().filter(Result::is_err) {
            let refused = refusal(lost);
            let expected = matches!(refused, ProblemKind::Conflict | ProblemKind::ReservationUnconfirmed);
            assert!(expected, "losing to other writers is a conflict: {refused:?}");
        }
    }
    let quantity = shop.client.order(id).await.unwrap().lines[0].quantity;
    eventually("no reservation but the order's", || async {
        (shop.partners.units(&product).await == (10_000 - quantity, 0, quantity)).then_some(())
    })
    .await;
}
