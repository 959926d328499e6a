//! Rows of the lists that cannot be read: a page passes by each, and tells of it.

use std::collections::BTreeSet;

use adapters::telemetry::{self, Line};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::OrderId;
use domain::listing::{Filter, Limit, ListQuery, Position};
use domain::memory::sample;
use domain::ports::OrderStore;

use crate::engine::fill::copy_id;
use crate::engine::{Engine, TABLE};

/// So many copies there are.
const COPIES: u32 = 40;

/// Rows whose version is none: the newest and the oldest copy, and some side by side.
const UNREADABLE: [u32; 5] = [2, 20, 21, 22, COPIES + 1];

/// Rows that do not say where they are, of which the first three sort before all others.
const MISPLACED: [(u32, &str); 4] = [(5, "0y"), (6, "0y+"), (7, "0z"), (30, "019b76daabffz")];

async fn damage(engine: &Engine, id: OrderId, attribute: &str, value: &str) {
    let key = AttributeValue::S(format!("demo#{id}"));
    let update = engine.client.update_item().table_name(TABLE).key("pk", key).update_expression("SET #name = :value");
    let update = update.expression_attribute_names("#name", attribute);
    update.expression_attribute_values(":value", AttributeValue::S(value.to_owned())).send().await.unwrap();
}

/// Every place of a list, page after page: those of rows that can be read, and the others.
async fn walk(engine: &Engine, filter: Filter, limit: &str) -> (Vec<Position>, Vec<Position>) {
    let (store, limit) = (engine.store(1), Limit::parse(limit).unwrap());
    let (tenant, mut after) = (sample::tenant(), None);
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for _ in 0..=COPIES {
        let filter = filter.clone();
        let query =
            ListQuery { tenant: tenant.clone(), filter, created_after: None, created_before: None, after, limit };
        let page = store.list(&query).await.unwrap();
        assert!(page.places().len() <= usize::from(limit.get()));
        after = page.end();
        readable.extend(page.orders.iter().map(|order| order.position()));
        unreadable.extend(page.unreadable);
        if !page.has_more {
            return (readable, unreadable);
        }
        assert!(after.is_some(), "a page without a place has no next");
    }
    panic!("the list has no end");
}

#[tokio::test]
async fn rows_that_cannot_be_read_stop_no_list_and_are_told_of_once() {
    let engine = Engine::start().await;
    engine.fill(2..COPIES + 2).await;
    for n in UNREADABLE {
        damage(&engine, copy_id(n), "v", "damaged").await;
    }
    for (n, place) in MISPLACED {
        damage(&engine, copy_id(n), "k", place).await;
    }
    let order = sample::order();
    let lost: BTreeSet<_> = UNREADABLE.into_iter().chain(MISPLACED.map(|(n, _)| n)).map(copy_id).collect();
    let kept: BTreeSet<_> = (2..COPIES + 2).map(copy_id).chain([order.id]).filter(|id| !lost.contains(id)).collect();
    for filter in [Filter::All, Filter::Status(order.status), Filter::Customer(order.customer.id.clone())] {
        for limit in ["1", "2", "3", "100"] {
            let ((readable, unreadable), notes) = telemetry::noting(walk(&engine, filter.clone(), limit)).await;
            assert!(readable.is_sorted_by(|one, next| one > next), "{filter:?} by {limit}");
            assert_eq!(readable.iter().map(|place| place.id).collect::<BTreeSet<_>>(), kept, "{filter:?} by {limit}");
            let expected: BTreeSet<_> = UNREADABLE.map(copy_id).into();
            assert_eq!(unreadable.len(), expected.len(), "{filter:?} by {limit}");
            assert_eq!(unreadable.iter().map(|place| place.id).collect::<BTreeSet<_>>(), expected);
            let told = notes.tell(Line::info("listed")).into_json();
            assert_eq!(told["OrdersUnlisted"], lost.len(), "{filter:?} by {limit}: {told}");
            let causes = told["causes"].to_string();
            for id in &lost {
                assert_eq!(causes.matches(&id.to_string()).count(), 1, "{id}: {causes}");
            }
        }
    }
}
