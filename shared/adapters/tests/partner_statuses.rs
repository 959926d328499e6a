//! What every status means, call by call: what docs/partners.md does not list is an outage.

#![allow(clippy::unwrap_used, reason = "tests")]

mod canned;

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::outbound::{Breaker, CallScope, PartnerClient};
use adapters::partners::{HttpCustomers, HttpInventory};
use domain::memory::sample;
use domain::ports::{ConfirmError, CustomerService, InventoryService, ReserveError};
use domain::reservation::ReservationId;
use futures_util::future::join_all;
use reqwest::Url;
use uuid::Uuid;

use canned::{Canned, Server};

/// What a call's answer is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Done,
    Refused,
    OutOfStock,
    Outage,
}

use Meaning::{Done, OutOfStock, Outage, Refused};

/// The contract: the statuses that are definite for each call. All others are outages.
fn contract() -> BTreeMap<&'static str, Vec<(std::ops::RangeInclusive<u16>, Meaning)>> {
    BTreeMap::from([
        ("GET customer", vec![(200..=200, Done), (404..=404, Refused)]),
        ("GET products", vec![(200..=200, Done)]),
        (
            "PUT reservation",
            vec![(200..=299, Done), (409..=409, OutOfStock), (410..=410, Refused), (422..=422, Refused)],
        ),
        ("POST confirm", vec![(200..=299, Done), (410..=410, Refused)]),
        ("DELETE reservation", vec![(200..=299, Done)]),
    ])
}

fn body_of(call: &str) -> &'static str {
    match call {
        "GET customer" => r#"{"id":"cust-1","name":"Ada","email":"ada@shop.example"}"#,
        "GET products" => r#"{"products":[]}"#,
        _ => "",
    }
}

/// Makes the call of a partner that answers everything with this status.
async fn meaning(call: &str, url: Url) -> Meaning {
    let partner = PartnerClient::new().unwrap().partner("partner", url, Breaker::new(None));
    let reservation = sample::order().reservation();
    if call == "GET customer" {
        return match HttpCustomers::new(partner, Duration::ZERO).find(&sample::tenant(), &reservation_customer()).await
        {
            Ok(Some(_)) => Done,
            Ok(None) => Refused,
            Err(_) => Outage,
        };
    }
    let inventory = HttpInventory::new(partner, Duration::ZERO);
    let id = ReservationId::from_uuid(Uuid::from_u128(1));
    match call {
        "GET products" => {
            inventory.products(&sample::tenant(), &reservation.lines.products()).await.map_or(Outage, |_| Done)
        }
        "PUT reservation" => match inventory.reserve(&reservation).await {
            Ok(()) => Done,
            Err(ReserveError::OutOfStock(_)) => OutOfStock,
            Err(ReserveError::Refused) => Refused,
            Err(ReserveError::Unavailable(_)) => Outage,
        },
        "POST confirm" => match inventory.confirm(&sample::tenant(), id).await {
            Ok(()) => Done,
            Err(ConfirmError::NotReserved) => Refused,
            Err(ConfirmError::Unavailable(_)) => Outage,
        },
        "DELETE reservation" => inventory.release(&sample::tenant(), id).await.map_or(Outage, |()| Done),
        other => panic!("no such call: {other}"),
    }
}

fn reservation_customer() -> domain::id::CustomerId {
    domain::id::CustomerId::parse("cust-1").unwrap()
}

#[tokio::test]
async fn every_status_means_what_the_contract_lists_and_all_others_are_outages() {
    for (call, listed) in contract() {
        let server = Server::start(|status| Canned { status, body: body_of(call).into() }).await;
        let check = async |status: u16| {
            let expected =
                listed.iter().find(|(range, _)| range.contains(&status)).map_or(Outage, |(_, meaning)| *meaning);
            let scope = CallScope::within(Duration::from_secs(30), None);
            (status, expected, scope.run(meaning(call, server.url(status))).await)
        };
        for block in (200..=599).collect::<Vec<u16>>().chunks(100) {
            for (status, expected, found) in join_all(block.iter().map(|status| check(*status))).await {
                assert_eq!(found, expected, "{call} answered {status}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_stock_names_the_shortages_that_can_be_read() {
    let good = r#"{"product_id":"tea","requested":2,"available":1}"#;
    for (body, shortages) in [
        (format!(r#"{{"unavailable":[{good},{{"product_id":"","requested":1,"available":0}},7]}}"#), 1),
        ("<html>Conflict</html>".to_owned(), 0),
        (String::new(), 0),
        (r#"{"unavailable":{}}"#.to_owned(), 0),
    ] {
        let server = Server::start(|status| Canned { status, body: body.clone().into() }).await;
        let partner = PartnerClient::new().unwrap().partner("partner", server.url(409), Breaker::new(None));
        match HttpInventory::new(partner, Duration::ZERO).reserve(&sample::order().reservation()).await {
            Err(ReserveError::OutOfStock(named)) => assert_eq!(named.len(), shortages, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}
