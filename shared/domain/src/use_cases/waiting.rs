//! Orders that wait for their turn in a sweep, by tenant.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use crate::id::TenantId;
use crate::ports::OrderKey;
use crate::timestamp::Timestamp;

/// So many orders are worked on before the time is looked at: whatever one tenant has waiting, another tenant's order
/// waits no longer than these take, once the index was read.
const ROUND: usize = 500;

/// So many orders of each tenant wait in memory, about as many as are worked on before the index is read again. The
/// others wait in the index.
const WAITING: usize = 5_000;

/// Orders that are due, in memory.
#[derive(Debug, Default)]
pub(super) struct Waiting(BTreeMap<TenantId, VecDeque<OrderKey>>);

impl Waiting {
    /// Adds an order that is due, unless many of its tenant wait.
    pub(super) fn add(&mut self, key: OrderKey) {
        let orders = self.0.entry(key.tenant.clone()).or_default();
        if orders.len() < WAITING {
            orders.push_back(key);
        }
    }

    /// One of the tenants, by the time of day.
    pub(super) fn any(&self, now: Timestamp) -> Option<TenantId> {
        let nth = usize::try_from(now.as_millis()).unwrap_or_default().checked_rem(self.0.len())?;
        self.0.keys().nth(nth).cloned()
    }

    /// One order of each tenant, then the next of each, so that no tenant waits behind another's backlog. The first turn
    /// is that of the tenant after `last`, who becomes the one with the last turn.
    pub(super) fn take_round(&mut self, last: &mut Option<TenantId>) -> Vec<OrderKey> {
        let mut round = Vec::new();
        while round.len() < ROUND
            && let Some(tenant) = self.after(last.as_ref())
        {
            if let Some(orders) = self.0.get_mut(&tenant) {
                round.extend(orders.pop_front());
                if orders.is_empty() {
                    self.0.remove(&tenant);
                }
            }
            *last = Some(tenant);
        }
        round
    }

    fn after(&self, last: Option<&TenantId>) -> Option<TenantId> {
        let later = last.and_then(|last| self.0.range((Bound::Excluded(last), Bound::Unbounded)).next());
        later.or_else(|| self.0.first_key_value()).map(|(tenant, _)| tenant.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::sample;

    fn key(tenant: &str, n: u32) -> OrderKey {
        OrderKey { tenant: TenantId::parse(tenant).unwrap(), id: sample::order_id(n) }
    }

    #[test]
    fn every_tenant_has_its_turn() {
        let keys = [key("a", 1), key("a", 2), key("a", 3), key("b", 4), key("c", 5), key("c", 6)];
        let turns_after = |mut last| {
            let mut waiting = Waiting::default();
            keys.iter().cloned().for_each(|key| waiting.add(key));
            (waiting.take_round(&mut last), last.unwrap())
        };
        let turns = [key("a", 1), key("b", 4), key("c", 5), key("a", 2), key("c", 6), key("a", 3)];
        assert_eq!(turns_after(None), (turns.to_vec(), key("a", 3).tenant));
        let turns = [key("c", 5), key("a", 1), key("b", 4), key("c", 6), key("a", 2), key("a", 3)];
        assert_eq!(turns_after(Some(key("b", 4).tenant)), (turns.to_vec(), key("a", 3).tenant));
    }

    #[test]
    fn of_each_tenant_as_many_wait_in_memory_as_can_be_worked_on() {
        let mut waiting = Waiting::default();
        (0..6_000).for_each(|n| waiting.add(key("a", n)));
        waiting.add(key("b", 1));
        assert_eq!(waiting.0.values().map(VecDeque::len).collect::<Vec<_>>(), [WAITING, 1]);
    }
}
