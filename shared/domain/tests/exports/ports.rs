//! The ports of an export, which may die at any of their calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use domain::export::{Export, Format, Upload};
use domain::id::{ExportId, OrderId, TenantId};
use domain::listing::{ListQuery, Page};
use domain::memory::{MemoryExports, MemoryFiles, MemoryStore, sample};
use domain::order::{Order, OrderData};
use domain::ports::{
    Clock, Condition, DueOrder, DuePage, ExportFiles, ExportRows, ExportStore, FileError, Inserted, OrderKey,
    OrderStore, StoreError, UpdateError,
};
use domain::status::Status;
use domain::timestamp::Timestamp;
use domain::use_cases::WriteExport;

/// When a call dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// It was not made.
    Before,
    /// It was made, and nobody was told.
    After,
}

/// Counts the calls that write something, and lets one of them die.
#[derive(Debug, Default)]
pub struct Fate {
    /// How many there were.
    pub calls: AtomicUsize,
    dies: Option<(usize, Death)>,
    /// Whether the files fail at every call.
    fails: bool,
    /// Lets others go first, by chance.
    yields: bool,
    /// Loses every other answer, by chance.
    loses: bool,
}

impl Fate {
    pub fn of(call: usize, death: Death) -> Arc<Self> {
        Arc::new(Self { dies: Some((call, death)), ..Self::default() })
    }

    pub fn failing() -> Arc<Self> {
        Arc::new(Self { fails: true, ..Self::default() })
    }

    pub fn yielding() -> Arc<Self> {
        Arc::new(Self { yields: true, ..Self::default() })
    }

    /// Lets others go first as well; the answer of this call is lost.
    pub fn losing(call: usize) -> Arc<Self> {
        Arc::new(Self { dies: Some((call, Death::After)), yields: true, ..Self::default() })
    }

    /// The same, of every other call, by chance.
    pub fn losing_many() -> Arc<Self> {
        Arc::new(Self { loses: true, yields: true, ..Self::default() })
    }

    async fn meet<T, E>(&self, dead: E, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        for _ in 0..if self.yields { fastrand::usize(0..6) } else { 0 } {
            tokio::task::yield_now().await;
        }
        match self.dies.filter(|(dies, _)| *dies == number) {
            Some((_, Death::Before)) => Err(dead),
            Some((_, Death::After)) => call.await.and(Err(dead)),
            None if self.loses && fastrand::bool() => call.await.and(Err(dead)),
            None => call.await,
        }
    }
}

/// Exports, and how many were stored that wait for a turn, each of which is a record of the stream.
#[derive(Debug, Clone)]
pub struct Exports(pub Arc<MemoryExports>, pub Arc<Fate>, pub Arc<AtomicUsize>);

#[derive(Debug, Clone)]
pub struct Files(pub Arc<MemoryFiles>, pub Arc<Fate>);

impl ExportStore for Exports {
    async fn insert(&self, export: &Export) -> Result<Option<Export>, StoreError> {
        self.0.insert(export).await
    }

    async fn load(&self, tenant: &TenantId, id: ExportId) -> Result<Option<Export>, StoreError> {
        self.0.load(tenant, id).await
    }

    async fn pause(&self, attempt: u32) {
        self.0.pause(attempt).await;
    }

    async fn running(&self, tenant: &TenantId, since: Timestamp, most: usize) -> Result<usize, StoreError> {
        self.0.running(tenant, since, most).await
    }

    async fn replace(&self, export: &Export) -> Result<(), UpdateError> {
        let dead = StoreError::Unavailable("dead".to_owned());
        let replaced = async {
            self.0.replace(export).await?;
            let is_waiting = export.progress().is_some_and(|progress| progress.is_waiting);
            self.2.fetch_add(usize::from(is_waiting), Ordering::SeqCst);
            Ok(())
        };
        self.1.meet(dead.into(), replaced).await
    }
}

impl ExportFiles for Files {
    const LEAST_PART: usize = 1;

    async fn begin(&self, export: &Export) -> Result<String, FileError> {
        if self.1.fails {
            return Err(dead());
        }
        self.1.meet(dead(), self.0.begin(export)).await
    }

    async fn put_part(&self, export: &Export, upload: &Upload, bytes: Vec<u8>) -> Result<String, FileError> {
        self.1.meet(dead(), self.0.put_part(export, upload, bytes)).await
    }

    async fn complete(&self, export: &Export, upload: &Upload) -> Result<(), FileError> {
        self.1.meet(dead(), self.0.complete(export, upload)).await
    }

    async fn link(&self, export: &Export, valid: Duration) -> Result<String, FileError> {
        self.0.link(export, valid).await
    }
}

fn dead() -> FileError {
    FileError::Unavailable("dead".to_owned())
}

/// Orders of which one cannot be read, and some are read as they were.
#[derive(Debug, Clone, Default)]
pub struct Orders(pub Arc<MemoryStore>, pub Option<OrderId>, pub Vec<(OrderId, Option<Order>)>);

impl OrderStore for Orders {
    async fn get(&self, tenant: &TenantId, id: OrderId) -> Result<Option<Order>, StoreError> {
        match self.1 {
            Some(damaged) if damaged == id => Err(StoreError::Corrupt("damaged".to_owned())),
            _ => match self.2.iter().find(|(lagging, _)| *lagging == id) {
                Some((_, before)) => Ok(before.clone()),
                None => self.0.get(tenant, id).await,
            },
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.0.list(query).await
    }

    async fn insert(&self, order: &Order) -> Result<Inserted, StoreError> {
        self.0.insert(order).await
    }

    async fn update(&self, before: &Order, after: &Order, condition: Condition) -> Result<(), UpdateError> {
        self.0.update(before, after, condition).await
    }

    async fn due(&self, _: u32, _: Timestamp, _: Option<&DueOrder>, _: u16) -> Result<DuePage, StoreError> {
        Ok(DuePage::default())
    }

    fn shards(&self) -> u32 {
        1
    }

    async fn put_off(&self, _: &OrderKey, _: Timestamp, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A row is the id of its order and the version, in a line.
#[derive(Debug, Clone, Copy)]
pub struct Ids;

impl ExportRows for Ids {
    fn begin(&self, format: Format, into: &mut Vec<u8>) -> Result<(), StoreError> {
        into.extend_from_slice(if format == Format::Csv { b"id,version\n" } else { b"" });
        Ok(())
    }

    fn add(&self, _: Format, order: &Order, into: &mut Vec<u8>) -> Result<(), StoreError> {
        into.extend_from_slice(format!("{},{}\n", order.id, order.version).as_bytes());
        Ok(())
    }
}

/// Stands still, unless it is moved.
#[derive(Debug, Clone)]
pub struct Watch(pub Arc<AtomicI64>);

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub type Writing = WriteExport<Orders, Exports, Files, Ids, Watch>;

/// A part has six orders: so a page of a hundred ends within one.
pub const PART: usize = 6 * 39;

/// An export of so many orders, stored.
pub async fn writing(orders: u32, export: &Export, fate: Arc<Fate>) -> Writing {
    let store = Orders::default();
    for n in 1..=orders {
        store.insert(&order(n)).await.unwrap();
    }
    let exports = Exports(Arc::default(), Arc::clone(&fate), Arc::default());
    exports.insert(export).await.unwrap();
    let clock = Watch(Arc::new(AtomicI64::new(export.created_at.as_millis())));
    let latest = store.clone();
    WriteExport { store, latest, exports, files: Files(Arc::default(), fate), rows: Ids, clock, part: PART }
}

pub fn order(n: u32) -> Order {
    let created_at = sample::stamp(n / 3).at;
    Order::restore(OrderData { id: sample::order_id(n), created_at, ..(*sample::order()).clone() })
}

/// The order before it was confirmed.
pub fn pending(n: u32) -> Order {
    Order::restore(OrderData { status: Status::Pending, ..(*order(n)).clone() })
}

pub fn never() -> Timestamp {
    Timestamp::from_secs(10_000_000_000)
}

/// The ids of the file, in their order.
pub fn ids(writing: &Writing, export: &Export) -> Vec<String> {
    let file = String::from_utf8(writing.files.0.file(export).unwrap()).unwrap();
    let ids = file.lines().skip(usize::from(export.format == Format::Csv));
    ids.map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

/// The ids of so many orders, the newest first.
pub fn all(orders: u32) -> Vec<String> {
    let mut orders: Vec<Order> = (1..=orders).map(order).collect();
    orders.sort_by_key(|order| std::cmp::Reverse((order.created_at, order.id)));
    orders.iter().map(|order| order.id.to_string()).collect()
}
