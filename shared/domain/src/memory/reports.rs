//! Reports in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::lock;
use crate::ports::{Counted, MOST_CHANGED, OrderKey, ReportStore, RowsError, RowsQuery, Step, StoreError, UpdateError};
use crate::report::{self, Row, Rows, Subject, Sums};

/// Keeps rows in a map.
#[derive(Debug, Default)]
pub struct MemoryReports {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counted: BTreeMap<OrderKey, Counted>,
    rows: BTreeMap<(crate::id::TenantId, Row), Sums>,
    generation: u64,
    steps: usize,
    refusals: usize,
    unreadable: BTreeSet<OrderKey>,
    rejected: BTreeSet<OrderKey>,
}

impl MemoryReports {
    /// All rows of all storefronts that are not nothing.
    #[must_use]
    pub fn total(&self) -> Rows {
        let mut total = Rows::new();
        for ((_, row), sums) in &lock(&self.state).rows {
            report::add(&mut total, row.clone(), *sums);
        }
        total.retain(|_, sums| *sums != Sums::default());
        total
    }

    /// How many orders were counted, each time.
    #[must_use]
    pub fn steps(&self) -> usize {
        lock(&self.state).steps
    }

    /// Answers a conflict so many times.
    pub fn refuse(&self, times: usize) {
        lock(&self.state).refusals = times;
    }

    /// Cannot read what is counted of this order from now on.
    pub fn damage(&self, order: OrderKey) {
        lock(&self.state).unreadable.insert(order);
    }

    /// Refuses every step that has this order.
    pub fn reject(&self, order: OrderKey) {
        lock(&self.state).rejected.insert(order);
    }

    /// Has all orders counted anew.
    pub fn begin_anew(&self) {
        let mut state = lock(&self.state);
        state.generation += 1;
        state.rows.clear();
    }

    /// Counts whatever was counted before.
    pub fn count_regardless(&self, steps: &[Step]) {
        let mut state = lock(&self.state);
        steps.iter().for_each(|step| state.apply(step));
    }
}

impl State {
    fn present(&self, order: &OrderKey) -> Counted {
        let counted = self.counted.get(order).cloned().unwrap_or_default();
        match counted.generation == self.generation {
            true => counted,
            false => Counted { revision: counted.revision, generation: self.generation, ..Counted::default() },
        }
    }

    fn apply(&mut self, step: &Step) {
        self.steps += 1;
        self.counted.insert(step.order.clone(), step.after());
        for (row, sums) in &step.added {
            let present = self.rows.entry((step.order.tenant.clone(), row.clone())).or_default();
            *present = present.plus(*sums);
        }
    }
}

impl ReportStore for MemoryReports {
    async fn counted(&self, orders: &[OrderKey]) -> Vec<Result<Counted, StoreError>> {
        let state = lock(&self.state);
        let counted = |order| match state.unreadable.contains(order) {
            true => Err(StoreError::Corrupt("what is counted of an order".to_owned())),
            false => Ok(state.present(order)),
        };
        orders.iter().map(counted).collect()
    }

    async fn count(&self, steps: &[Step]) -> Result<(), UpdateError> {
        let mut state = lock(&self.state);
        let rows: BTreeSet<_> = steps.iter().flat_map(|step| step.added.keys()).collect();
        if steps.len() + rows.len() > MOST_CHANGED {
            return Err(StoreError::Rejected("too many changes for one step".to_owned()).into());
        }
        if steps.iter().any(|step| state.rejected.contains(&step.order)) {
            return Err(StoreError::Rejected("of one of its orders".to_owned()).into());
        }
        if state.refusals > 0 {
            state.refusals -= 1;
            return Err(UpdateError::Conflict);
        }
        let revision = |order| state.counted.get(order).map_or(0, |counted| counted.revision);
        if steps.iter().any(|step| revision(&step.order) != step.before.revision) {
            return Err(UpdateError::Conflict);
        }
        steps.iter().for_each(|step| state.apply(step));
        Ok(())
    }

    async fn rows(&self, query: &RowsQuery) -> Result<Rows, RowsError> {
        let state = lock(&self.state);
        let is_wanted = |row: &Row| {
            let is_of_product = match row.subject {
                Subject::Product(_) => true,
                Subject::Status(_) => false,
            };
            is_of_product == query.of_products && (query.from..=query.to).contains(&row.day)
        };
        let wanted = state.rows.iter().filter(|((tenant, row), _)| *tenant == query.tenant && is_wanted(row));
        let rows: Rows = wanted.map(|((_, row), sums)| (row.clone(), *sums)).collect();
        if rows.len() > Self::MOST_READ { Err(RowsError::TooMany) } else { Ok(rows) }
    }
}
