//! The reports: one more consumer of the feed, which counts orders in a table of its own.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::id::OrderId;
use domain::memory::{MemoryReports, sample};
use domain::ports::{Counted, OrderKey, ReportStore, RowsError, RowsQuery, Step, StoreError, UpdateError};
use domain::report::Rows;
use domain::use_cases::CountOrders;

use crate::bugs::Bug;
use crate::table::unanswered;
use crate::world::{Fault, Ports, Who, World, now};

/// The table, and the queue of the feed's events before it.
#[derive(Default)]
pub struct Reports {
    /// The table.
    pub table: MemoryReports,
    messages: Mutex<Vec<Message>>,
    delivered: AtomicUsize,
}

/// One message, until it is deleted.
#[derive(Debug, Clone)]
struct Message {
    number: usize,
    order: OrderKey,
}

impl Reports {
    /// The feed passes an event of this order on.
    pub fn deliver(&self, order: OrderId) {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        self.messages.lock().unwrap().push(Message { number, order: OrderKey { tenant: sample::tenant(), id: order } });
    }

    /// Whether no message waits.
    pub fn is_drained(&self) -> bool {
        self.messages.lock().unwrap().is_empty()
    }

    /// Some of the messages. Another process may have them as well.
    fn receive(&self, world: &World) -> Vec<Message> {
        let messages = self.messages.lock().unwrap();
        let first = world.pick(messages.len().max(1));
        messages.iter().skip(first).take(1 + world.pick(8)).cloned().collect()
    }

    fn delete(&self, message: &Message) {
        self.messages.lock().unwrap().retain(|waiting| waiting.number != message.number);
    }
}

/// The work of count-orders on one batch: what is not counted comes again.
pub async fn count(world: Arc<World>, who: Who) {
    let messages = world.reports.receive(&world);
    let ports = Ports::of(&world, &who);
    let orders: BTreeSet<OrderKey> = messages.iter().map(|message| message.order.clone()).collect();
    let uncounted = CountOrders { store: ports.clone(), reports: ports }.run(orders).await;
    world.note(&who.name, "counted but for", &uncounted);
    for message in messages {
        let is_done = !uncounted.contains_key(&message.order) || world.bug == Some(Bug::UncountedIsDone);
        if is_done && !world.strikes(Fault::Duplicate) {
            world.reports.delete(&message);
        }
    }
}

impl ReportStore for Ports {
    async fn counted(&self, orders: &[OrderKey]) -> Vec<Result<Counted, StoreError>> {
        let asked = orders.to_vec();
        let read = move |world: &World| now(world.reports.table.counted(&asked));
        match self.world.call(&self.who, "read what is counted", read).await {
            Ok(counted) => counted,
            Err(error) => vec![Err(unanswered(error)); orders.len()],
        }
    }

    async fn count(&self, steps: &[Step]) -> Result<(), UpdateError> {
        let (steps, bug) = (steps.to_vec(), self.world.bug);
        let count = move |world: &World| match bug {
            Some(Bug::CountedRegardless) => {
                world.reports.table.count_regardless(&steps);
                Ok(())
            }
            _ => now(world.reports.table.count(&steps)),
        };
        self.world.call(&self.who, "count", count).await.map_err(unanswered)?
    }

    async fn rows(&self, _: &RowsQuery) -> Result<Rows, RowsError> {
        unreachable!("nobody reads a report here")
    }
}
