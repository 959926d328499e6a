//! Orders go on while the inventory service is down.

use std::time::{Duration, Instant};

use e2e::{Answer, Shop, eventually, order_of};
use futures_util::StreamExt;

/// Each fault lasts this long: 30 seconds in all.
const EACH: Duration = Duration::from_millis(7_500);

#[tokio::test]
async fn thirty_seconds_of_outage_lose_no_order_and_no_unit() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let product = shop.product(10_000).await;
    let body = order_of(&[(&product, 2)]);
    let mut answers: Vec<Answer> = Vec::new();
    for (kind, value) in [("reset", 0), ("hang", 0), ("status", 500), ("delay", 2_000)] {
        shop.partners.fault("products", kind, value).await;
        shop.partners.fault("reservations", kind, value).await;
        let started = Instant::now();
        while started.elapsed() < EACH {
            let batch = futures_util::stream::iter(0..4).map(|_| {
                let key = uuid::Uuid::new_v4().to_string();
                let (shop, body) = (&shop, &body);
                async move { shop.place(&key, body).await }
            });
            answers.extend(batch.buffer_unordered(4).collect::<Vec<_>>().await);
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    for answer in &answers {
        assert!(matches!(answer.status, 201 | 202), "{answer:?}");
        assert!(answer.status == 201 || !answer.header("retry-after").is_empty());
    }
    let slowest = answers.iter().map(handler_ms).max().unwrap();
    assert!(slowest <= slowest_allowed(), "the slowest handler took {slowest} ms, not {}", slowest_allowed());
    let pending = answers.iter().filter(|answer| answer.status == 202).count();
    println!("{} orders, {pending} of them pending, slowest handler {slowest} ms", answers.len());
    assert!(pending > 0, "there was no outage");

    crate::calm(&shop).await;
    for answer in &answers {
        let path = format!("/orders/{}", answer.id());
        eventually("the completion of every order", || async {
            (shop.get(&path).await.body["status"] == "confirmed").then_some(())
        })
        .await;
    }
    let units = 2 * answers.len() as u64;
    eventually("every reservation being confirmed, to the unit", || async {
        (shop.partners.units(&product).await == (10_000 - units, 0, units)).then_some(())
    })
    .await;
}

/// What a handler may take: the time of all its calls of a partner, which the template says, and of a release that is due
/// to a reservation whose answer came late; then the vote on the circuit, and one write of the order.
fn slowest_allowed() -> u64 {
    let (release, vote, write) = (500, 400, 100);
    whole_patience() + release + vote + write
}

/// The longest time that all calls of a partner by one request may take, in milliseconds.
pub fn whole_patience() -> u64 {
    ["CustomerWholeMillis", "InventoryWholeMillis"].map(default_of).into_iter().max().unwrap()
}

/// The default of a parameter of the template, which the stack under test is deployed with.
fn default_of(parameter: &str) -> u64 {
    let template = include_str!("../../../template.yaml");
    let (_, declared) = template.split_once(&format!("\n  {parameter}:\n")).unwrap();
    let (_, default) = declared.split_once("Default: ").unwrap();
    default.lines().next().unwrap().parse().unwrap()
}

/// How long the handler took, by its own account.
fn handler_ms(answer: &Answer) -> u64 {
    let timing = answer.header("server-timing");
    timing
        .strip_prefix("handler;dur=")
        .and_then(|ms| ms.parse().ok())
        .unwrap_or_else(|| panic!("no timing: {answer:?}"))
}
