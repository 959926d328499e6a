//! One run: processes take turns as the dice have it, some die, then calm returns and everything must come right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::memory::MemoryTrail;
use domain::ports::{Clock, OrderKey, Run, Window};
use domain::timestamp::Timestamp;
use domain::use_cases::{Advance, Delivery, FollowUps, Reconcile, Sweep, first_unpublished};

use crate::bugs::Bug;
use crate::channels::{self, SimChannel};
use crate::client::{RETENTION, Shopper, Wish};
use crate::invariants;
use crate::process::{Process, Work};
use crate::reports;
use crate::table::{Batch, Consumer, SHARDS};
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

/// A day: whatever nobody confirmed has expired.
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// Runs the whole service under the dice of this seed.
pub fn run(seed: u64, bug: Option<Bug>, is_traced: bool) -> Outcome {
    let world = World::new(seed, bug, is_traced);
    let shoppers: Vec<Shopper> = (0..5 + world.pick(5)).map(|n| Shopper::new(&world, n)).collect();
    // Each sends twice, for the first answer may have been lost.
    let sendings = [shoppers.clone(), shoppers.clone()].concat();
    let wishes = 10 + world.pick(25);
    Scheduler { world: Arc::clone(&world), processes: Vec::new(), sendings, wishes }.storm();
    world.calm();
    recover(&world);
    let violation = invariants::check(&world).and_then(|()| after_the_retention(&world, shoppers)).err();
    Outcome { violation, faults: world.faults() }
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
                2 => self.consume(Consumer::PublishEvents),
                3 => self.consume(Consumer::RunFollowUps),
                4 if self.world.chance(200) => self.sweep(),
                5 if self.world.is_calm => self.step(),
                5 => self.pass(i64::try_from(self.world.pick(1_000)).unwrap()),
                6 if !self.world.is_calm && self.world.chance(50) => self.pass(60_000),
                7 => self.world.maybe_arrive(),
                8 => self.kill(),
                9 => self.count(),
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
        // Where nothing goes wrong, all want something of one order at once.
        let most = if self.world.is_calm { 1 } else { 4 };
        let order = orders[self.world.pick(orders.len().min(most))].id;
        let wish = Wish::any(&self.world);
        let who = self.world.process("change");
        self.world.note(&who.name, "asks for", &(wish, order));
        let future = wish.ask(Arc::clone(&self.world), who.clone(), order);
        self.processes.push(Process::new(who.name, Work::Request, self.world.now(), future));
    }

    fn consume(&mut self, by: Consumer) {
        let shard = self.world.pick(SHARDS);
        self.processes.extend(consumer(&self.world, by, shard));
    }

    fn sweep(&mut self) {
        let who = self.world.process("sweep-follow-ups");
        let future = sweep(Arc::clone(&self.world), who.clone());
        self.processes.push(Process::new(who.name, Work::Schedule, self.world.now(), future));
    }

    fn count(&mut self) {
        if self.world.reports.is_drained() {
            return;
        }
        let who = self.world.process("count-orders");
        let future = reports::count(Arc::clone(&self.world), who.clone());
        self.processes.push(Process::new(who.name, Work::Schedule, self.world.now(), future));
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
        if let Work::Stream(consumer, shard) = dead.work {
            self.world.table.consumer_died(&self.world, consumer, shard);
        }
    }
}

/// Lets everything run that waits, until nothing does. What nobody confirmed expires, unless nothing went wrong: then
/// nothing may depend on it.
fn recover(world: &Arc<World>) {
    for _ in 0..MOST_ROUNDS {
        world.arrive();
        drain(world);
        let dead = world.table.dead_letters();
        if !dead.is_empty() {
            finish(world, "redrive", |world, who| redrive(world, who, dead));
        }
        world.advance(61_000);
        finish(world, "sweep-follow-ups", sweep);
        let soon = Timestamp::from_millis(world.now()).plus(A_DAY);
        if world.table.is_drained() && !world.table.is_due(soon) {
            break;
        }
    }
    count_all(world);
    finish(world, "reconcile-events", reconcile);
    if !world.is_calm {
        world.pass(A_DAY);
    }
}

fn drain(world: &Arc<World>) {
    for by in Consumer::ALL {
        for shard in 0..SHARDS {
            while let Some(process) = consumer(world, by, shard) {
                process.finish();
            }
        }
    }
}

/// Everything that the feed passed on is counted.
fn count_all(world: &Arc<World>) {
    while !world.reports.is_drained() {
        finish(world, "count-orders", reports::count);
    }
}

/// Deleted orders become tombstones, nothing else changes, and their keys stay taken.
fn after_the_retention(world: &Arc<World>, shoppers: Vec<Shopper>) -> Result<(), String> {
    let (before, sent) = (world.table.orders(), world.bus.taken().len());
    world.pass(RETENTION);
    finish(world, "sweep-follow-ups", sweep);
    drain(world);
    world.ledger.lock().unwrap().gone.clear();
    for shopper in shoppers {
        finish(world, "create-order", |world, who| shopper.place(world, who));
    }
    invariants::check_erased(world, &before, sent)
}

fn finish<F>(world: &Arc<World>, function: &str, work: impl FnOnce(Arc<World>, Who) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let who = world.process(function);
    let future = work(Arc::clone(world), who.clone());
    Process::new(who.name, Work::Schedule, world.now(), future).finish();
}

/// A consumer of the stream, on the next batch of this shard.
fn consumer(world: &Arc<World>, by: Consumer, shard: usize) -> Option<Process> {
    let batch = world.table.next_batch(world, by, shard)?;
    let (world, work, now) = (Arc::clone(world), Work::Stream(by, shard), world.now());
    Some(match by {
        Consumer::PublishEvents => {
            let who = world.process("publish-events");
            Process::new(who.name.clone(), work, now, publish(world, who, batch))
        }
        Consumer::RunFollowUps => {
            let who = world.process("run-follow-ups");
            Process::new(who.name.clone(), work, now, run_committed(world, who, batch))
        }
    })
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

async fn run_committed(world: Arc<World>, who: Who, batch: Batch) {
    let committed = batch.changes.iter().map(|change| change.new.clone());
    let committed = committed.filter(|order| !order.follow_ups.is_empty()).collect();
    let done = follow_ups(&world, &who).run_committed(committed, &world.stamp(&who)).await;
    world.note(&who.name, "followed up", &done);
    world.table.checkpoint(&world, &batch, None);
}

async fn sweep(world: Arc<World>, who: Who) {
    let clock = Ports::of(&world, &who);
    let until = clock.now().plus(Duration::from_secs(55));
    let swept = Sweep { follow_ups: follow_ups(&world, &who), clock }.run(&world.stamp(&who), until).await;
    world.note(&who.name, "swept", &swept);
}

/// The operator's redrive of what could not be published.
async fn redrive(world: Arc<World>, who: Who, keys: Vec<OrderKey>) {
    let reconcile = reconciler(&world, &who, MemoryTrail::default());
    let done = reconcile.resend_orders(&keys).await;
    world.note(&who.name, "redriven", &done);
}

/// The reconciler, over all time; it must find nothing, and it sends nothing: the invariants look at what came out.
async fn reconcile(world: Arc<World>, who: Who) {
    let trail = MemoryTrail::default();
    world.bus.taken().into_iter().for_each(|event| trail.note_on_bus(event.id));
    world.feed.taken().into_iter().for_each(|event| trail.note_on_feed(event.id));
    let window = Window { from: Timestamp::from_millis(0), to: Timestamp::from_millis(i64::MAX / 2_000) };
    let reconcile = reconciler(&world, &who, trail);
    let mut run = Run::asked_for(None, window, false, reconcile.clock.now());
    let end = reconcile.advance(&mut run, window.to).await.expect("calm");
    assert_eq!(end, Advance::Done);
    world.note(&who.name, "reconciled", &run.tally);
    world.ledger.lock().unwrap().reconciled = Some(run.tally);
}

fn reconciler(
    world: &Arc<World>,
    who: &Who,
    trail: MemoryTrail,
) -> Reconcile<Ports, MemoryTrail, Delivery<SimChannel>, Ports> {
    let (store, channels, clock) = (Ports::of(world, who), channels::channels(world, who), Ports::of(world, who));
    Reconcile { store, trail, channels, clock }
}

fn follow_ups(world: &Arc<World>, who: &Who) -> FollowUps<Ports, Ports, Ports> {
    let ports = Ports::of(world, who);
    let pending_timeout = world.pending_timeout;
    FollowUps { store: ports.clone(), customers: ports.clone(), inventory: ports, pending_timeout }
}
