//! EventBridge and SNS FIFO: calls that are refused whole or in part, and the deliveries that follow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use domain::event::{Event, EventId};
use domain::history::EventKind;
use domain::id::OrderId;
use domain::ports::{BatchLimits, ChannelEntry, EventChannel, EventForm, EventPublisher, PerChannel, PublishError};
use domain::use_cases::{Both, CommittedChange, Delivery, publish_changes};

use crate::bugs::Bug;
use crate::process::Point;
use crate::world::{Fault, Who, World};

/// SNS drops a deduplication id that it has seen within five minutes.
const DEDUPLICATION_MILLIS: i64 = 300_000;

/// An event as the channels take it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
}

impl EventForm for Sent {
    fn write(event: &Event<'_>) -> Result<Self, PublishError> {
        Ok(Self { id: event.id, kind: event.kind })
    }
}

/// The bus, and what it took.
#[derive(Default)]
pub struct Bus {
    taken: Mutex<Vec<Sent>>,
}

/// The feed, and what it passed on, in order.
#[derive(Default)]
pub struct Feed {
    taken: Mutex<Vec<Sent>>,
    seen: Mutex<BTreeMap<String, i64>>,
}

impl Bus {
    /// What came out.
    pub fn taken(&self) -> Vec<Sent> {
        self.taken.lock().unwrap().clone()
    }
}

impl Feed {
    /// What came out.
    pub fn taken(&self) -> Vec<Sent> {
        self.taken.lock().unwrap().clone()
    }

    fn take(&self, world: &World, event: &Sent) {
        let id = match world.bug {
            Some(Bug::FeedDeduplicatesByVersion) => format!("{}:{}", event.id.order, event.id.version),
            _ => event.id.to_string(),
        };
        let now = world.now();
        let mut seen = self.seen.lock().unwrap();
        if seen.get(&id).is_none_or(|at| now - at >= DEDUPLICATION_MILLIS) {
            seen.insert(id, now);
            self.taken.lock().unwrap().push(event.clone());
            world.reports.deliver(event.id.order);
        }
    }
}

/// One of the channels as one process sees it.
#[derive(Clone)]
pub struct SimChannel {
    world: Arc<World>,
    who: Who,
    is_bus: bool,
}

impl EventChannel for SimChannel {
    type Form = Sent;
    type Content = Sent;

    const LIMITS: BatchLimits = BatchLimits { entries: 3, bytes: 5 };

    fn entry(&self, event: &Event<'_>, written: &Sent) -> Result<ChannelEntry<Sent>, PublishError> {
        Ok(ChannelEntry { content: written.clone(), bytes: 1 + event.id.index % 4 })
    }

    async fn put(&self, batch: Vec<Sent>) -> Vec<Result<(), PublishError>> {
        assert!(batch.len() <= Self::LIMITS.entries, "a batch is larger than AWS takes");
        let (bug, what) = (self.world.bug, if self.is_bus { "put on the bus" } else { "put on the feed" });
        let ids: Vec<String> = batch.iter().map(|event| event.id.to_string()).collect();
        let (is_bus, sent) = (self.is_bus, batch.clone());
        let answer = self.world.call(&self.who, what, move |world| take(world, is_bus, &sent)).await;
        self.world.note(&self.who.name, "  of", &ids);
        match answer {
            Ok(_) if bug == Some(Bug::FailedEntriesIgnored) => vec![Ok(()); batch.len()],
            Ok(results) => results,
            Err(lost) => vec![Err(PublishError(format!("{lost:?}"))); batch.len()],
        }
    }

    async fn pause(&self, _: u32) {
        Point::default().await;
    }
}

fn take(world: &World, is_bus: bool, batch: &[Sent]) -> Vec<Result<(), PublishError>> {
    let entry = |event: &Sent| {
        if world.strikes(Fault::PartialFailure) {
            return Err(PublishError("InternalFailure".to_owned()));
        }
        if is_bus {
            world.bus.taken.lock().unwrap().push(event.clone());
        } else {
            world.feed.take(world, event);
        }
        Ok(())
    };
    batch.iter().map(entry).collect()
}

/// The two channels.
pub fn channels(world: &Arc<World>, who: &Who) -> PerChannel<Delivery<SimChannel>> {
    let channel = |is_bus| Delivery(SimChannel { world: Arc::clone(world), who: who.clone(), is_bus });
    PerChannel { bus: channel(true), feed: channel(false) }
}

/// What publish-events publishes through.
pub fn publisher(world: &Arc<World>, who: &Who) -> Both<SimChannel, SimChannel> {
    let PerChannel { bus, feed } = channels(world, who);
    Both(bus, feed)
}

/// The publisher's work on a batch, with or without its rule of order.
pub async fn publish(world: &Arc<World>, who: &Who, changes: &[CommittedChange]) -> Vec<bool> {
    let publisher = publisher(world, who);
    match world.bug {
        Some(Bug::OrderGoesOnAfterFailure) => publish_regardless(&publisher, changes).await,
        _ => publish_changes(&publisher, changes).await,
    }
}

/// Each order's events one after the other, whatever became of the one before.
async fn publish_regardless(publisher: &impl EventPublisher, changes: &[CommittedChange]) -> Vec<bool> {
    let mut published = Vec::new();
    for change in changes {
        let mut is_out = true;
        for event in domain::event::new_events(change.known, &change.new) {
            is_out &= publisher.publish(&[event]).await.iter().all(Result::is_ok);
        }
        published.push(is_out);
    }
    published
}

/// The events of each order, in the order in which they came, those seen before dropped.
pub fn by_order(taken: &[Sent]) -> BTreeMap<OrderId, Vec<EventId>> {
    let mut orders = BTreeMap::<OrderId, Vec<EventId>>::new();
    for event in taken {
        let events = orders.entry(event.id.order).or_default();
        if !events.contains(&event.id) {
            events.push(event.id);
        }
    }
    orders
}
