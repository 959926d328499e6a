//! The events that came out of the bus, from the queue that holds a copy of each.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::Value;

use crate::{Queue, eventually};

/// All events read so far, by order: the tests of this process share one queue.
static ARRIVED: Mutex<Option<HashMap<String, Vec<Value>>>> = Mutex::new(None);

/// The queue behind the bus.
#[derive(Debug, Clone)]
pub struct Events {
    queue: Queue,
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl Events {
    /// The queue at `EVENTS_QUEUE_URL`.
    #[must_use]
    pub fn new() -> Self {
        Self { queue: Queue::named("EVENTS_QUEUE_URL") }
    }

    /// The CloudEvents of an order in order of id, once there are at least `count` different ones.
    pub async fn of(&self, order: &str, count: usize) -> Vec<Value> {
        let what = format!("the arrival of {count} events of order {order}");
        eventually(&what, || async {
            self.drain().await;
            Some(arrived(order)).filter(|events| events.len() >= count)
        })
        .await
    }

    /// Reads what the queue holds now and takes it off the queue.
    async fn drain(&self) {
        for body in self.queue.take().await {
            let envelope: Value = serde_json::from_str(&body).expect("JSON");
            let event = envelope["detail"].clone();
            let order = event["subject"].as_str().expect("a subject").to_owned();
            note(order, event);
        }
    }
}

fn note(order: String, event: Value) {
    let mut arrived = ARRIVED.lock().expect("no test panics while it holds this");
    arrived.get_or_insert_default().entry(order).or_default().push(event);
}

/// The events of an order that arrived, each once, in order of id.
fn arrived(order: &str) -> Vec<Value> {
    let arrived = ARRIVED.lock().expect("no test panics while it holds this");
    let mut events = arrived.as_ref().and_then(|arrived| arrived.get(order)).cloned().unwrap_or_default();
    events.sort_by_key(place);
    events.dedup_by_key(|event| place(event));
    events
}

/// Version and index of an event within its order.
fn place(event: &Value) -> (u64, u64) {
    let mut parts = event["id"].as_str().expect("an id").split(':').skip(1).map(|part| part.parse().expect("a number"));
    (parts.next().expect("a version"), parts.next().expect("an index"))
}
