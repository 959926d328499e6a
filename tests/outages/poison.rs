//! A message that nobody can settle.

use e2e::{Queue, Shop, eventually};

#[tokio::test]
async fn a_poison_message_ends_in_the_dead_letter_queue_and_holds_nobody_up() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let poison = format!("poison {}", uuid::Uuid::new_v4());
    Queue::named("SETTLE_QUEUE_URL").send(&poison).await;
    let product = shop.product(10).await;
    shop.order(&[(&product, 3)]).await;
    eventually("the settlement of an order behind the poison", || async {
        (shop.partners.units(&product).await == (7, 0, 3)).then_some(())
    })
    .await;
    let dead_letters = Queue::named("UNSETTLED_QUEUE_URL");
    eventually("the poison in the dead-letter queue", || async {
        dead_letters.take().await.contains(&poison).then_some(())
    })
    .await;
}
