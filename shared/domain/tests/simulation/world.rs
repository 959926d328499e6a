//! Everything that outlives a process: the services, the clock, and the dice that decide what goes wrong.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use domain::history::Stamp;
use domain::memory::{CountingIds, sample};
use domain::ports::Clock;
use domain::timestamp::Timestamp;
use futures_util::FutureExt;

use crate::bugs::Bug;
use crate::channels::{Bus, Feed};
use crate::client::Ledger;
use crate::partners::Stockroom;
use crate::process::Point;
use crate::reports::Reports;
use crate::table::Table;

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A process dies between two effects.
    Crash,
    /// A process is ended because it took too long.
    TimedOut,
    /// A call is refused: throttled, 503; nothing happened.
    Refused,
    /// A call is lost on its way; nothing happened.
    LostRequest,
    /// A call does its work and its answer is lost.
    LostAnswer,
    /// A call does its work after the caller has given up.
    Late,
    /// A library repeats a call that did its work.
    Repeated,
    /// Some entries of a batch are refused.
    PartialFailure,
    /// A record comes again although it was dealt with.
    Duplicate,
    /// An index does not show a write yet.
    StaleIndex,
    /// A reservation expires before it could be confirmed.
    Expired,
    /// The clock of a process is wrong.
    Skew,
}

/// Why a call gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Nothing happened, and the caller knows.
    Refused,
    /// It may have happened.
    NoAnswer,
}

/// Who makes a call.
#[derive(Debug, Clone)]
pub struct Who {
    /// The name of the process.
    pub name: String,
    /// Its request id, unique in the run.
    pub request_id: String,
    /// How far its clock is off, in milliseconds.
    skew: i64,
}

impl Who {
    /// Whether it changes an order for a client.
    pub fn is_client(&self) -> bool {
        self.name.starts_with("change")
    }
}

/// When every run begins: 2026.
const START: i64 = 1_767_225_600_000;

/// The services as one process sees them.
#[derive(Clone)]
pub struct Ports {
    /// The world.
    pub world: Arc<World>,
    /// The process.
    pub who: Who,
}

impl Ports {
    /// The services of this world, for this process.
    pub fn of(world: &Arc<World>, who: &Who) -> Self {
        Self { world: Arc::clone(world), who: who.clone() }
    }
}

/// What a port in memory answers, which it does at once.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

impl Clock for Ports {
    fn now(&self) -> Timestamp {
        self.world.time(&self.who)
    }
}

type LateEffect = Box<dyn FnOnce(&World) + Send>;

/// Chance and time.
pub struct Dice {
    rng: fastrand::Rng,
    now: i64,
    /// Per mille of calls that go wrong; 0 once calm.
    trouble: u32,
    faults: BTreeMap<Fault, u64>,
    late: Vec<LateEffect>,
    processes: u64,
    is_traced: bool,
}

/// Patience with partners: some runs never lose it, some do within a storm.
const PENDING_TIMEOUTS: [Duration; 2] = [Duration::from_secs(24 * 3_600), Duration::from_secs(90)];

/// The services and the dice.
pub struct World {
    /// DynamoDB with its stream.
    pub table: Table,
    /// EventBridge.
    pub bus: Bus,
    /// SNS FIFO.
    pub feed: Feed,
    /// What orders amount to.
    pub reports: Reports,
    /// The inventory service.
    pub stockroom: Stockroom,
    /// Ids of orders without a key.
    pub ids: CountingIds,
    /// What clients were told.
    pub ledger: Mutex<Ledger>,
    /// `PendingTimeoutHours`
    pub pending_timeout: Duration,
    /// Whether nothing goes wrong from the start.
    pub is_calm: bool,
    /// The rule that is broken on purpose.
    pub bug: Option<Bug>,
    dice: Mutex<Dice>,
}

impl World {
    /// A new world, all of whose chances follow from the seed.
    pub fn new(seed: u64, bug: Option<Bug>, is_traced: bool) -> Arc<Self> {
        let mut rng = fastrand::Rng::with_seed(seed);
        // Some runs are calm, some are a storm: either finds what the other does not.
        let trouble = [0, 20, 80, 160, 250][rng.usize(0..5)];
        let stockroom = Stockroom::new([rng.u32(3..12), rng.u32(3..20), rng.u32(3..40), 100]);
        let pending_timeout = PENDING_TIMEOUTS[rng.usize(0..2)];
        let dice =
            Dice { rng, now: START, trouble, faults: BTreeMap::new(), late: Vec::new(), processes: 0, is_traced };
        Arc::new(Self {
            table: Table::default(),
            bus: Bus::default(),
            feed: Feed::default(),
            reports: Reports::default(),
            stockroom,
            ids: CountingIds::default(),
            ledger: Mutex::default(),
            pending_timeout,
            is_calm: trouble == 0,
            bug,
            dice: Mutex::new(dice),
        })
    }

    /// Whether an order may stay pending for less than an outage.
    pub fn is_impatient(&self) -> bool {
        self.pending_timeout == PENDING_TIMEOUTS[1]
    }

    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap()
    }

    /// The time, in milliseconds.
    pub fn now(&self) -> i64 {
        self.dice().now
    }

    /// A number below `bound`.
    pub fn pick(&self, bound: usize) -> usize {
        self.dice().rng.usize(0..bound)
    }

    /// Whether something of these odds, in a thousand, happens.
    pub fn chance(&self, per_mille: u32) -> bool {
        self.dice().rng.u32(0..1000) < per_mille
    }

    /// Whether this goes wrong now; if so it counts as injected.
    pub fn strikes(&self, fault: Fault) -> bool {
        let mut dice = self.dice();
        let strikes = dice.trouble > 0 && dice.rng.u32(0..1000) < dice.trouble;
        if strikes {
            *dice.faults.entry(fault).or_default() += 1;
        }
        strikes
    }

    /// Counts something that went wrong.
    pub fn injected(&self, fault: Fault) {
        *self.dice().faults.entry(fault).or_default() += 1;
    }

    /// What was injected so far.
    pub fn faults(&self) -> BTreeMap<Fault, u64> {
        self.dice().faults.clone()
    }

    /// From now on nothing goes wrong.
    pub fn calm(&self) {
        self.dice().trouble = 0;
    }

    /// A new process, whose clock may be wrong.
    pub fn process(&self, function: &str) -> Who {
        let is_skewed = self.strikes(Fault::Skew);
        let mut dice = self.dice();
        dice.processes += 1;
        let skew = if is_skewed { dice.rng.i64(-2_000..2_000) } else { 0 };
        let (n, name) = (dice.processes, format!("{function} {}", dice.processes));
        // A storefront forwards its own request id with two requests.
        let id = if self.bug == Some(Bug::AttemptIdIsTheClients) { n / 2 } else { n };
        Who { name, request_id: format!("6f1c9a52-0d4e-4c1b-9a51-{id:012}"), skew }
    }

    /// The time, as this process has it.
    pub fn time(&self, who: &Who) -> Timestamp {
        Timestamp::from_millis(self.now() + who.skew)
    }

    /// The stamp of what this process does now.
    pub fn stamp(&self, who: &Who) -> Stamp {
        Stamp { at: self.time(who), actor: sample::caller().subject, request_id: who.request_id.clone(), trace: None }
    }

    /// Time passes, and with it reservations.
    pub fn advance(&self, millis: i64) {
        self.dice().now += millis;
        self.stockroom.expire(self);
    }

    /// So much time passes.
    pub fn pass(&self, time: Duration) {
        self.advance(i64::try_from(time.as_millis()).unwrap());
    }

    /// A follow-up did something wrong.
    pub fn mistake(&self, what: String) {
        self.ledger.lock().unwrap().mistakes.push(what);
    }

    /// What was late arrives.
    pub fn arrive(&self) {
        let late = std::mem::take(&mut self.dice().late);
        for effect in late {
            effect(self);
        }
    }

    /// Something late arrives at any time.
    pub fn maybe_arrive(&self) {
        if self.chance(100) {
            self.arrive();
        }
    }

    /// A line of the trace.
    pub fn note(&self, who: &str, what: &str, outcome: &impl Debug) {
        let dice = self.dice();
        if dice.is_traced {
            let outcome: String = format!("{outcome:?}").chars().take(120).collect();
            println!("{:>9} ms  {who:<22} {what}: {outcome}", dice.now - START);
        }
    }

    /// One call over the network. `effect` is what the service does with it; when it is late, the caller has given up
    /// by then, or a library that tried again meanwhile has heard that it is throttled.
    pub async fn call<T: Debug + Send>(
        &self,
        who: &Who,
        what: &str,
        effect: impl Fn(&Self) -> T + Send + Sync + 'static,
    ) -> Result<T, Lost> {
        Point::default().await;
        let answer = if self.strikes(Fault::Refused) {
            Err(Lost::Refused)
        } else if self.strikes(Fault::LostRequest) {
            Err(Lost::NoAnswer)
        } else if self.strikes(Fault::LostAnswer) {
            effect(self);
            Err(Lost::NoAnswer)
        } else if self.strikes(Fault::Late) {
            self.dice().late.push(Box::new(move |world| drop(effect(world))));
            Err(if self.chance(500) { Lost::NoAnswer } else { Lost::Refused })
        } else if self.strikes(Fault::Repeated) {
            effect(self);
            Point::default().await;
            Ok(effect(self))
        } else {
            Ok(effect(self))
        };
        self.note(&who.name, what, &answer);
        Point::default().await;
        answer
    }
}
