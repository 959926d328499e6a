//! What a committed change counts as: moves of orders, and the value of those that became confirmed.

use domain::history::{Change, EventKind, HistoryEntry};
use domain::money::Money;
use domain::status::Status;
use domain::use_cases::CommittedChange;

use crate::telemetry::{self, metrics};

/// Notes the moves of a change that is announced and does not come again.
pub(crate) fn count(change: &CommittedChange) {
    for entry in change.new.history.iter().filter(|entry| entry.version > change.known) {
        count_entry(entry);
        if entry.events.contains(&EventKind::OrderConfirmed)
            && let Some(total) = change.new.lines.total()
        {
            count_value(total);
        }
    }
}

fn count_entry(entry: &HistoryEntry) {
    let first = if entry.events.contains(&EventKind::OrderConfirmed) { Status::Confirmed } else { Status::Pending };
    let created = entry.events.contains(&EventKind::OrderCreated).then_some((None, first));
    let moved = entry.changes.iter().filter_map(|change| match change {
        Change::Status { from, to, reason: _ } => Some((Some(*from), *to)),
        Change::Inventory { .. } | Change::Total { .. } | Change::Replaced(_) => None,
    });
    for (from, to) in created.into_iter().chain(moved) {
        if let Some(metric) = metrics::of_move(from, to) {
            telemetry::count(metric, 1);
        }
    }
    if entry.events.contains(&EventKind::OrderDeleted) {
        telemetry::count(&metrics::DELETED, 1);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a metric is a double: exact to 2^53 minor units")]
fn count_value(total: Money) {
    telemetry::measured_of(&metrics::CONFIRMED_VALUE, total.currency().as_str(), total.amount() as f64);
}

#[cfg(test)]
mod tests {
    use domain::memory::sample;
    use domain::order::Order;
    use serde_json::{Value, json};

    use super::*;
    use crate::telemetry::Line;

    async fn counted(known: u64, new: Order) -> Value {
        let counting = telemetry::noting(async { count(&CommittedChange { known, new }) });
        let mut line = counting.await.1.tell(Line::info("counted")).into_json();
        for usual in ["_aws", "level", "message", "timestamp"] {
            line.as_object_mut().unwrap().remove(usual);
        }
        line
    }

    #[tokio::test]
    async fn every_version_since_the_known_one_counts_once() {
        let placed = sample::order();
        assert_eq!(counted(0, placed.clone()).await, json!({"NewToConfirmed": 1, "ConfirmedValueEUR": 397}));
        assert_eq!(counted(1, placed.clone()).await, json!({}), "a write that makes no version");
        let processing = placed.transition(Status::Processing, None, sample::stamp(2)).unwrap().unwrap();
        let canceled = processing.transition(Status::Canceled, None, sample::stamp(3)).unwrap().unwrap();
        let moves = json!({"ConfirmedToProcessing": 1, "ProcessingToCanceled": 1});
        assert_eq!(counted(1, canceled.clone()).await, moves);
        let deleted = canceled.delete(std::time::Duration::from_secs(1), sample::stamp(4)).unwrap();
        assert_eq!(counted(3, deleted).await, json!({"Deleted": 1}));
    }

    #[tokio::test]
    async fn a_pending_order_has_its_value_once_it_is_confirmed() {
        let pending = sample::bare_order();
        assert_eq!(counted(0, pending.clone()).await, json!({"NewToPending": 1}));
        let confirmed = pending.completed(sample::contact(2), sample::order().lines.clone(), sample::stamp(9));
        assert_eq!(counted(1, confirmed).await, json!({"PendingToConfirmed": 1, "ConfirmedValueEUR": 397}));
    }
}
