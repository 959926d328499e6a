//! How long a client waits while the inventory service is down.

use e2e::{Answer, Shop, order_of};

use crate::alone::outage::place_through_outage;

#[tokio::test]
async fn no_create_takes_longer_than_the_calls_of_its_partners_may() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let product = shop.product(10_000).await;
    let answers = place_through_outage(&shop, &order_of(&[(&product, 2)])).await;
    let slowest = answers.iter().map(handler_ms).max().unwrap();
    println!("{} orders, the slowest handler took {slowest} ms", answers.len());
    assert!(slowest <= slowest_allowed(), "the slowest handler took {slowest} ms, not {}", slowest_allowed());
    crate::calm(&shop).await;
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
