//! One run: processes take turns as the dice have it, some die, then calm returns and everything must come right.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::id::OrderId;
use domain::memory::{MemoryPublisher, MemoryTrail};
use domain::ports::{OrderKey, Seen, Window};
use domain::timestamp::Timestamp;
use domain::use_cases::{Reconcile, SettleOrder, first_unpublished, sweep_orders};

use crate::bugs::Bug;
use crate::channels;
use crate::client::{Shopper, Wish};
use crate::invariants;
use crate::process::{Process, Work};
use crate::table::{Batch, SHARDS};
use crate::world::{Fault, Ports, Who, World};

/// A bound on the turns of a run.
const MOST_TURNS: usize = 20_000;

/// A bound on the rounds that it may take until everything is right.
const MOST_ROUNDS: usize = 60;

/// What a run found.
pub struct Outcome {
    /// The first invariant that does not hold.
    pub violation: Option<String>,
    /// What was injected.
    pub faults: BTreeMap<Fault, u64>,
}

/// Runs the whole service under the dice of this seed.
pub fn run(seed: u64, bug: Option<Bug>, is_traced: bool) -> Outcome {
    let world = World::new(seed, bug, is_traced);
    Scheduler {
        processes: Vec::new(),
        sendings: sendings(&world),
        wishes: 10 + world.pick(25),
        world: Arc::clone(&world),
    }
    .storm();
    world.calm();
    recover(&world);
    Outcome { violation: invariants::check(&world).err(), faults: world.faults() }
}

/// What shoppers send: each twice, for the first answer may have been lost.
fn sendings(world: &World) -> Vec<Shopper> {
    let shoppers: Vec<Shopper> = (0..5 + world.pick(5)).map(|n| Shopper::new(world, n)).collect();
    [shoppers.clone(), shoppers].concat()
}

/// Lets processes run, start and die.
struct Scheduler {
    world: Arc<World>,
    processes: Vec<Process>,
    /// What shoppers have yet to send.
    sendings: Vec<Shopper>,
    /// How many more changes clients ask for.
    wishes: usize,
}

impl Scheduler {
    fn storm(mut self) {
        for _ in 0..MOST_TURNS {
            if self.sendings.is_empty() && self.wishes == 0 && self.processes.is_empty() {
                break;
            }
            match self.world.pick(20) {
                0 => self.send(),
                1 => self.wish(),
                2 => self.publish(),
                3 => self.spawn("settle-inventory", Work::Settle, settle),
                4 if self.world.chance(200) => self.spawn("sweep-orders", Work::Schedule, sweep),
                5 => self.pass(i64::try_from(self.world.pick(1_000)).unwrap()),
                6 if self.world.chance(50) => self.pass(60_000),
                7 => self.world.maybe_arrive(),
                8 => self.kill(),
                _ => self.step(),
            }
        }
        while !self.processes.is_empty() {
            self.bury(0);
        }
    }

    fn send(&mut self) {
        if self.sendings.is_empty() {
            return;
        }
        let shopper = self.sendings.swap_remove(self.world.pick(self.sendings.len()));
        let who = self.world.process("create-order");
        let future = shopper.place(Arc::clone(&self.world), who.clone());
        self.processes.push(Process::new(who.name, Work::Request, self.world.now(), future));
    }

    fn wish(&mut self) {
        let orders = self.world.table.orders();
        if orders.is_empty() || self.wishes == 0 {
            return;
        }
        self.wishes -= 1;
        let order: OrderId = orders[self.world.pick(orders.len())].id;
        let wish = Wish::any(&self.world);
        let who = self.world.process("change");
        self.world.note(&who.name, "asks for", &(wish, order));
        let future = wish.ask(Arc::clone(&self.world), who.clone(), order);
        self.processes.push(Process::new(who.name, Work::Request, self.world.now(), future));
    }

    fn publish(&mut self) {
        let shard = self.world.pick(SHARDS);
        self.processes.extend(publisher(&self.world, shard));
    }

    fn spawn<F>(&mut self, function: &str, kind: Work, work: impl FnOnce(Arc<World>, Who) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let who = self.world.process(function);
        let future = work(Arc::clone(&self.world), who.clone());
        self.processes.push(Process::new(who.name, kind, self.world.now(), future));
    }

    /// Time passes, too much for some.
    fn pass(&mut self, millis: i64) {
        self.world.advance(millis);
        let now = self.world.now();
        while let Some(n) = self.processes.iter().position(|process| process.is_over(now)) {
            self.world.injected(Fault::TimedOut);
            self.bury(n);
        }
    }

    fn step(&mut self) {
        if self.processes.is_empty() {
            return;
        }
        let n = self.world.pick(self.processes.len());
        if self.processes[n].step() {
            self.processes.swap_remove(n);
        }
    }

    fn kill(&mut self) {
        if self.processes.is_empty() || !self.world.strikes(Fault::Crash) {
            return;
        }
        self.bury(self.world.pick(self.processes.len()));
    }

    fn bury(&mut self, n: usize) {
        let dead = self.processes.swap_remove(n);
        self.world.note(&dead.name, "dies", &());
        if let Work::Publish(shard) = dead.work {
            self.world.table.publisher_died(&self.world, shard);
        }
    }
}

/// Lets everything run that waits, until nothing does.
fn recover(world: &Arc<World>) {
    for _ in 0..MOST_ROUNDS {
        world.arrive();
        for shard in 0..SHARDS {
            while let Some(process) = publisher(world, shard) {
                process.finish();
            }
        }
        let dead = world.table.dead_letters();
        if !dead.is_empty() {
            finish(world, "redrive", |world, who| redrive(world, who, dead));
        }
        while !world.queue.is_empty() {
            finish(world, "settle-inventory", settle);
            world.advance(30_000);
        }
        world.advance(61_000);
        finish(world, "sweep-orders", sweep);
        let is_done = world.table.is_drained() && world.queue.is_empty();
        if is_done && !world.table.overdue(Timestamp::from_millis(i64::MAX / 2_000)) {
            break;
        }
    }
    finish(world, "reconcile-events", reconcile);
    // What nobody confirmed is given back.
    world.advance(24 * 3_600_000);
}

fn finish<F>(world: &Arc<World>, function: &str, work: impl FnOnce(Arc<World>, Who) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let who = world.process(function);
    let future = work(Arc::clone(world), who.clone());
    Process::new(who.name, Work::Schedule, world.now(), future).finish();
}

/// publish-events, on the next batch of this shard.
fn publisher(world: &Arc<World>, shard: usize) -> Option<Process> {
    let batch = world.table.next_batch(world, shard)?;
    let who = world.process("publish-events");
    let future = publish(Arc::clone(world), who.clone(), batch);
    Some(Process::new(who.name, Work::Publish(shard), world.now(), future))
}

async fn publish(world: Arc<World>, who: Who, batch: Batch) {
    let published = channels::publish(&world, &who, &batch.changes).await;
    let first_failed = match world.bug {
        Some(Bug::LastFailureIsCheckpoint) => published.iter().rposition(|is_out| !is_out),
        _ => first_unpublished(&published),
    };
    world.note(&who.name, "published but for", &first_failed);
    world.table.checkpoint(&world, &batch, first_failed);
}

/// settle-inventory, on what the queue gives.
async fn settle(world: Arc<World>, who: Who) {
    for message in world.queue.receive(&world) {
        let stamp =
            domain::history::Stamp { request_id: format!("{}-{}", who.request_id, message.id), ..world.stamp(&who) };
        let settled = settler(&world, &who).run(&message.order, &stamp).await;
        world.note(&who.name, "settled", &(&message.order.id, &settled));
        if settled.is_ok() || world.bug == Some(Bug::FailedMessageIsDeleted) {
            world.queue.delete(message.id);
        }
    }
}

async fn sweep(world: Arc<World>, who: Who) {
    if world.bug == Some(Bug::FailedMessageIsDeleted) {
        return;
    }
    let swept = sweep_orders(&settler(&world, &who), &world.stamp(&who), 100).await;
    world.note(&who.name, "swept", &swept);
}

/// The operator's redrive of what could not be published.
async fn redrive(world: Arc<World>, who: Who, keys: Vec<OrderKey>) {
    let store = Ports::of(&world, &who);
    let reconcile = Reconcile { store, publisher: channels::publisher(&world, &who) };
    let done = reconcile.resend_orders(&keys).await;
    world.note(&who.name, "redriven", &done);
}

/// The reconciler, over all time; it must find nothing.
async fn reconcile(world: Arc<World>, who: Who) {
    let trail = MemoryTrail::default();
    for event in world.bus.taken() {
        trail.note(Seen { id: event.id, at: event.at });
    }
    let window = Window { from: Timestamp::from_millis(0), to: Timestamp::from_millis(i64::MAX / 2_000) };
    let store = Ports::of(&world, &who);
    let reconcile = Reconcile { store, publisher: MemoryPublisher::default() };
    let found = reconcile.run(window, &trail, true).await.expect("calm");
    world.note(&who.name, "reconciled", &found);
    world.ledger.lock().unwrap().reconciled = Some(found);
}

fn settler(world: &Arc<World>, who: &Who) -> SettleOrder<Ports, Ports, Ports> {
    let ports = Ports::of(world, who);
    SettleOrder { store: ports.clone(), customers: ports.clone(), inventory: ports }
}
