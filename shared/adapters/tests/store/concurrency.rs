//! Many writers on one order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::details::{Edit, Patch};
use domain::event::new_events;
use domain::memory::sample;
use domain::metadata::Metadata;
use domain::order::{Order, Refused};
use domain::ports::OrderStore;
use domain::status::Status;
use domain::text::Text;
use domain::use_cases::{ChangeError, IfMatch, Target, change_order};

use crate::engine::Engine;

/// What writer `n` wants: a status, shipping information or metadata.
fn wish(n: u32, order: &Order, target: &Target) -> Result<Option<Order>, Refused> {
    let stamp = target.stamp.clone();
    match n % 3 {
        0 => order.transition(order.status.allowed().first().copied().unwrap_or(Status::Delivered), None, stamp),
        1 => {
            let tracking_number = Text::parse(format!("track-{n}")).unwrap();
            order.ship(domain::shipment::Shipment { tracking_number, ..sample::shipment() }, stamp)
        }
        _ => {
            let mut pairs = order.details.metadata.as_map().clone();
            pairs.insert(format!("writer-{n}"), "was here".to_owned());
            let metadata = Patch::Set(Metadata::parse(pairs).unwrap());
            order.edit(&Edit { metadata, ..Edit::default() }, None, stamp)
        }
    }
}

#[tokio::test]
async fn fifty_writers_lose_no_acknowledged_change_and_skip_no_version() {
    let store = Arc::new(Engine::start().await.store(1));
    store.insert(&sample::order()).await.unwrap();
    let acknowledged = Arc::new(AtomicU32::new(0));
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..50u32 {
        let (store, acknowledged) = (Arc::clone(&store), Arc::clone(&acknowledged));
        writers.spawn(async move {
            let (caller, id, stamp) = (sample::caller(), sample::order_id(1), sample::stamp(100 + n));
            let target = Target { caller, id, if_match: IfMatch::Any, stamp };
            // A client that hears of a conflict retries; everything else is an answer.
            loop {
                match change_order(&*store, &target, &|order: &Order| wish(n, order, &target)).await {
                    Err(ChangeError::Conflict) => tokio::task::yield_now().await,
                    Ok(order) => {
                        let own =
                            |entry: &&domain::history::HistoryEntry| entry.stamp.request_id == target.stamp.request_id;
                        let version = order.history.iter().find(own).map(|entry| entry.version);
                        acknowledged.fetch_add(u32::from(version.is_some()), Ordering::Relaxed);
                        return (n, version);
                    }
                    Err(ChangeError::Refused(_)) => return (n, None),
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    let outcomes = writers.join_all().await;
    let order = store.get(&sample::tenant(), sample::order_id(1)).await.unwrap().unwrap();

    assert_eq!(order.version, 1 + u64::from(acknowledged.load(Ordering::Relaxed)));
    let versions: Vec<u64> = order.history.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, (1..=order.version).collect::<Vec<_>>());
    for (n, version) in outcomes {
        if let Some(version) = version {
            let entry = order.history.iter().find(|entry| entry.version == version).unwrap();
            assert_eq!(entry.stamp.request_id, sample::stamp(100 + n).request_id);
            assert!(n % 3 != 2 || order.details.metadata.as_map().contains_key(&format!("writer-{n}")));
        }
    }
    let announced: Vec<_> = new_events(0, &order).iter().map(|event| event.kind).collect();
    let recorded: Vec<_> = order.history.iter().flat_map(|entry| entry.events.clone()).collect();
    assert_eq!(announced, recorded);
}
