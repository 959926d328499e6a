//! Walks through all pages while orders are created, changed and deleted.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapters::store::DynamoStore;
use domain::id::{CustomerId, OrderId};
use domain::listing::{Filter, Limit, ListQuery, OrderSummary};
use domain::memory::sample;
use domain::order::{Order, OrderData};
use domain::ports::{Condition, OrderStore};
use domain::status::Status;

use crate::engine::Engine;

/// Orders that are there from the first page to the last, though some of them move on.
const LASTING: u32 = 60;

fn order(n: u32) -> Order {
    let (id, at) = (sample::order_id(n), sample::stamp(n).at);
    Order::restore(OrderData { id, created_at: at, ..(*sample::followed_up_order()).clone() })
}

#[tokio::test]
async fn a_walk_over_one_shard_misses_and_repeats_no_lasting_order() {
    walk_while_others_write(1).await;
}

#[tokio::test]
async fn a_walk_over_four_shards_misses_and_repeats_no_lasting_order() {
    walk_while_others_write(4).await;
}

async fn walk_while_others_write(shards: u32) {
    let store = Arc::new(Engine::start().await.store(shards));
    for n in 1..=LASTING {
        store.insert(&order(n)).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(Arc::clone(&store), Arc::clone(&stop)));
    let lasting: HashSet<OrderId> = (1..=LASTING).map(sample::order_id).collect();
    let customer = CustomerId::parse("cust-1").unwrap();
    for filter in [Filter::All, Filter::Customer(customer), Filter::All] {
        for limit in ["3", "7"] {
            let rows = walk(&store, filter.clone(), limit).await;
            let places: Vec<_> = rows.iter().map(OrderSummary::position).collect();
            assert!(places.is_sorted_by(|newer, older| newer > older), "newest first, none twice");
            let seen: HashSet<OrderId> = rows.iter().map(|row| row.id).collect();
            assert!(seen.is_superset(&lasting), "missed {:?}", lasting.difference(&seen));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();
    assert!(written > 0, "something was written meanwhile");
}

/// Moves lasting orders on and makes and deletes passing ones, between and after the lasting ones.
async fn write(store: Arc<DynamoStore>, stop: Arc<AtomicBool>) -> u32 {
    let mut written = 0;
    for n in 1.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let passing = order(LASTING + n);
        store.insert(&passing).await.unwrap();
        let lasting = store.get(&sample::tenant(), sample::order_id(n % LASTING + 1)).await.unwrap().unwrap();
        if let Some(to) = lasting.status.allowed().first().filter(|status| **status != Status::Canceled) {
            let moved = lasting.transition(*to, None, sample::stamp(1_000 + n)).unwrap().unwrap();
            store.update(&lasting, &moved, Condition::Version).await.unwrap();
        }
        if n % 2 == 0 {
            let deleted = passing.delete(Duration::from_secs(60), sample::stamp(2_000 + n)).unwrap();
            store.update(&passing, &deleted, Condition::Version).await.unwrap();
        }
        written += 1;
    }
    written
}

async fn walk(store: &DynamoStore, filter: Filter, limit: &str) -> Vec<OrderSummary> {
    let mut query = ListQuery {
        tenant: sample::tenant(),
        filter,
        created_after: None,
        created_before: None,
        after: None,
        limit: Limit::parse(limit).unwrap(),
    };
    let mut rows = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        query.after = page.end().or(query.after);
        rows.extend(page.orders);
        if !page.has_more {
            return rows;
        }
    }
}
