//! Orders that wait for their turn in a sweep, by tenant.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use crate::id::TenantId;
use crate::ports::OrderKey;
use crate::timestamp::Timestamp;

/// So many orders are worked on at a time.
const AT_ONCE: usize = 100;

/// So many orders of each tenant wait in memory, about as many as are worked on before the index is read again. The
/// others wait in the index.
const WAITING: usize = 5_000;

/// Orders that are due, in memory, and how many orders of each tenant are being worked on.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    orders: BTreeMap<TenantId, VecDeque<OrderKey>>,
    at_work: BTreeMap<TenantId, usize>,
    last: Option<TenantId>,
}

impl Waiting {
    /// Adds an order that is due, unless many of its tenant wait. Whether it did.
    pub(super) fn add(&mut self, key: OrderKey) -> bool {
        let orders = self.orders.entry(key.tenant.clone()).or_default();
        let has_room = orders.len() < WAITING;
        if has_room {
            orders.push_back(key);
        }
        has_room
    }

    /// The next order to work on, of one tenant after the other; who begins differs with the time of day. While several
    /// tenants wait, each has its share of the work in progress and no more, so a tenant whose orders take long slows
    /// nobody else down. `None`: none waits, or enough are being worked on.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<OrderKey> {
        let share = AT_ONCE.checked_div(self.orders.len())?.max(1);
        if self.at_work.values().sum::<usize>() >= AT_ONCE {
            return None;
        }
        if self.last.is_none() {
            let nth = usize::try_from(now.as_millis()).unwrap_or_default() % self.orders.len();
            self.last = self.orders.keys().nth(nth).cloned();
        }
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let turns = self.orders.range::<TenantId, _>((after, Bound::Unbounded)).chain(&self.orders);
        let has_share_left = |tenant: &&TenantId| self.at_work.get(*tenant).is_none_or(|count| *count < share);
        let tenant = turns.map(|(tenant, _)| tenant).find(has_share_left)?.clone();
        let orders = self.orders.get_mut(&tenant)?;
        let next = orders.pop_front();
        if orders.is_empty() {
            self.orders.remove(&tenant);
        }
        *self.at_work.entry(tenant.clone()).or_default() += 1;
        self.last = Some(tenant);
        next
    }

    /// An order of this tenant that was taken is no longer worked on.
    pub(super) fn finished(&mut self, tenant: &TenantId) {
        if let Some(count) = self.at_work.get_mut(tenant) {
            *count -= 1;
            if *count == 0 {
                self.at_work.remove(tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::sample;

    fn key(tenant: &str, n: u32) -> OrderKey {
        OrderKey { tenant: TenantId::parse(tenant).unwrap(), id: sample::order_id(n) }
    }

    fn all(waiting: &mut Waiting) -> Vec<OrderKey> {
        std::iter::from_fn(|| waiting.take(Timestamp::from_millis(0))).collect()
    }

    #[test]
    fn every_tenant_has_its_turn() {
        let keys = [key("a", 1), key("a", 2), key("a", 3), key("b", 4), key("c", 5), key("c", 6)];
        let turns_after = |last| {
            let mut waiting = Waiting { last: Some(key(last, 0).tenant), ..Waiting::default() };
            keys.iter().cloned().for_each(|key| assert!(waiting.add(key)));
            all(&mut waiting)
        };
        assert_eq!(turns_after("c"), [key("a", 1), key("b", 4), key("c", 5), key("a", 2), key("c", 6), key("a", 3)]);
        assert_eq!(turns_after("b"), [key("c", 5), key("a", 1), key("b", 4), key("c", 6), key("a", 2), key("a", 3)]);
    }

    #[test]
    fn a_tenant_has_no_more_than_its_share_of_the_work_while_others_wait() {
        let mut waiting = Waiting::default();
        for n in 0..500 {
            assert!(["a", "b"].into_iter().all(|tenant| waiting.add(key(tenant, n))));
        }
        let taken = all(&mut waiting);
        assert_eq!((taken.len(), taken.iter().filter(|key| key.tenant.as_str() == "a").count()), (100, 50));
        // Orders of "a" are slow: what "b" finishes goes to "b".
        for _ in 0..450 {
            waiting.finished(&key("b", 0).tenant);
            assert_eq!(all(&mut waiting).iter().map(|key| key.tenant.as_str()).collect::<Vec<_>>(), ["b"]);
        }
        waiting.finished(&key("b", 0).tenant);
        assert_eq!(all(&mut waiting).len(), 1, "nobody else waits, so \"a\" may have it");
    }

    #[test]
    fn of_each_tenant_as_many_wait_in_memory_as_can_be_worked_on() {
        let mut waiting = Waiting::default();
        let added = (0..6_000).filter(|n| waiting.add(key("a", *n))).count();
        assert_eq!((added, waiting.add(key("b", 1))), (WAITING, true));
    }
}
