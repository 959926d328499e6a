//! What `GET /metrics` answers: OpenMetrics text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).

use std::fmt::Write;
use std::time::Duration;

use domain::id::TenantId;
use domain::ports::{Clock, OrderStore, ReportStore, RowsError, RowsQuery};
use domain::report::{Day, GroupBy, GroupKey, Report};
use domain::status::Status;

use crate::backlog::Waiting;
use crate::http::Problem;
use crate::outbound::Circuits;
use crate::partners::{CUSTOMERS, INVENTORY};

/// The media type of the text.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Orders of so many days are counted by their status: today's and those before. So a year of orders costs no more to read.
const DAYS: u64 = 31;

/// Where the figures come from.
#[derive(Debug)]
pub struct Exposition<S, R, K> {
    /// The release.
    pub version: &'static str,
    /// Where orders wait.
    pub store: S,
    /// Where orders are counted by their status.
    pub reports: R,
    /// The partners' circuits.
    pub circuits: Option<Circuits>,
    /// Tells how long something has waited.
    pub clock: K,
}

impl<S: OrderStore, R: ReportStore, K: Clock> Exposition<S, R, K> {
    /// The figures now, of orders by status those of this storefront. What cannot be read of circuits and reports is left out.
    ///
    /// # Errors
    /// As [`Waiting::in_all`].
    pub async fn text(&self, tenant: &TenantId) -> Result<String, Problem> {
        let now = self.clock.now();
        let waiting = Waiting::in_all(&self.store, now).await?;
        let mut text = String::new();
        let version = self.version;
        family(&mut text, "orders_build", "info", "The release.", &[(format!("_info{{version=\"{version}\"}}"), 1.0)]);
        let help = "Orders whose follow-ups are due within an hour; at most 1000 of each shard are counted.";
        let orders = f64::from(u32::try_from(waiting.orders).unwrap_or(u32::MAX));
        family(&mut text, "orders_follow_ups_waiting", "gauge", help, &[(String::new(), orders)]);
        let help = "How long the follow-up that is due first has been due.";
        let overdue = waiting.overdue(now).as_secs_f64();
        family(&mut text, "orders_follow_ups_overdue_seconds", "gauge", help, &[(String::new(), overdue)]);
        let help = "Orders of this storefront that were created within 31 days, by status.";
        family(&mut text, "orders", "gauge", help, &self.by_status(tenant).await);
        let help = "Whether the circuit of a partner is open for all.";
        family(&mut text, "orders_circuit_open", "gauge", help, &self.circuits().await);
        text.push_str("# EOF\n");
        Ok(text)
    }

    async fn by_status(&self, tenant: &TenantId) -> Vec<(String, f64)> {
        let counted = match self.counted(tenant).await {
            Ok(counted) => counted,
            Err(error) => {
                crate::telemetry::failed(format_args!("the orders by status cannot be read: {error}"));
                return Vec::new();
            }
        };
        let orders = |status| counted.groups.get(&GroupKey::Status(status)).map_or(0, |group| group.total().orders);
        let sample = |status: Status| {
            (format!("{{status=\"{status}\"}}"), f64::from(u32::try_from(orders(status)).unwrap_or_default()))
        };
        Status::ALL.map(sample).into()
    }

    async fn counted(&self, tenant: &TenantId) -> Result<Report, RowsError> {
        let now = self.clock.now();
        let from = Day::of(now.minus(Duration::from_secs((DAYS - 1) * 24 * 3_600)));
        let query = RowsQuery { tenant: tenant.clone(), of_products: false, from, to: Day::of(now) };
        Ok(Report::of(GroupBy::Status, self.reports.rows(&query).await?))
    }

    async fn circuits(&self) -> Vec<(String, f64)> {
        let Some(circuits) = &self.circuits else { return Vec::new() };
        if let Err(error) = circuits.refresh().await {
            crate::telemetry::failed(format_args!("the circuits cannot be read: {error}"));
            return Vec::new();
        }
        let open = |partner| f64::from(u8::from(circuits.of(partner).state().is_open()));
        [CUSTOMERS, INVENTORY].map(|partner| (format!("{{partner=\"{partner}\"}}"), open(partner))).into()
    }
}

/// One metric family: what it is, then its samples by what follows the name.
fn family(text: &mut String, name: &str, kind: &str, help: &str, samples: &[(String, f64)]) {
    let unit = if name.ends_with("_seconds") { format!("# UNIT {name} seconds\n") } else { String::new() };
    // Writing to a string cannot fail.
    let _ = write!(text, "# TYPE {name} {kind}\n{unit}# HELP {name} {help}\n");
    for (rest, value) in samples {
        let _ = writeln!(text, "{name}{rest} {value}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::memory::{MemoryReports, MemoryStore, sample};
    use domain::order::{Order, OrderData};
    use domain::ports::OrderKey;
    use domain::timestamp::Timestamp;
    use domain::use_cases::CountOrders;

    use super::*;

    struct At;

    impl Clock for At {
        fn now(&self) -> Timestamp {
            sample::stamp(100).at
        }
    }

    fn order(n: u32) -> Order {
        Order::restore(OrderData { id: sample::order_id(n), ..(*sample::order()).clone() })
    }

    /// What there is once these orders are placed and counted.
    async fn after(orders: &[Order]) -> Exposition<MemoryStore, MemoryReports, At> {
        let counting = CountOrders { store: MemoryStore::default(), reports: MemoryReports::default() };
        let mut keys = BTreeSet::new();
        for order in orders {
            counting.store.insert(order).await.unwrap();
            keys.insert(OrderKey { tenant: order.tenant.clone(), id: order.id });
        }
        assert!(counting.run(keys).await.is_empty());
        let CountOrders { store, reports } = counting;
        Exposition { version: "1.2.3", store, reports, circuits: None, clock: At }
    }

    /// The text with this many orders that were placed 99 seconds ago, of which each is to be followed up.
    async fn text(orders: u32) -> String {
        let orders: Vec<Order> = (1..=orders).map(order).collect();
        after(&orders).await.text(&sample::tenant()).await.unwrap()
    }

    #[tokio::test]
    async fn the_text_has_every_family_and_ends_as_the_standard_asks() {
        let text = text(3).await;
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let overdue = At.now().as_millis() - sample::order().swept_at().unwrap().as_millis();
        let expected = [
            "orders_build_info{version=\"1.2.3\"} 1".to_owned(),
            "orders_follow_ups_waiting 3".to_owned(),
            format!("orders_follow_ups_overdue_seconds {}", overdue / 1_000),
            "orders{status=\"pending\"} 0".to_owned(),
            "orders{status=\"confirmed\"} 3".to_owned(),
            "orders{status=\"processing\"} 0".to_owned(),
            "orders{status=\"shipped\"} 0".to_owned(),
            "orders{status=\"delivered\"} 0".to_owned(),
            "orders{status=\"canceled\"} 0".to_owned(),
        ];
        assert_eq!(samples, expected);
        let unit = "# TYPE orders_follow_ups_overdue_seconds gauge\n# UNIT orders_follow_ups_overdue_seconds seconds\n";
        assert!(text.contains(unit) && text.ends_with("\n# EOF\n"), "{text}");
    }

    #[tokio::test]
    async fn orders_are_counted_as_they_are_now_and_only_those_of_the_storefront_and_of_31_days() {
        let canceled = order(2).transition(Status::Canceled, None, sample::stamp(2)).unwrap().unwrap();
        let aged = |n, days: u64| {
            let created_at = At.now().minus(Duration::from_secs(days * 24 * 3_600));
            Order::restore(OrderData { created_at, ..(*order(n)).clone() })
        };
        let exposition = after(&[order(1), canceled, aged(3, DAYS - 1), aged(4, DAYS)]).await;
        let text = exposition.text(&sample::tenant()).await.unwrap();
        for sample in ["orders{status=\"confirmed\"} 2\n", "orders{status=\"canceled\"} 1\n"] {
            assert!(text.contains(sample), "{text}");
        }
        let other = exposition.text(&TenantId::restore("another")).await.unwrap();
        assert!(other.contains("orders{status=\"confirmed\"} 0\n"), "{other}");
    }

    #[tokio::test]
    async fn nothing_waiting_is_not_overdue() {
        let text = text(0).await;
        assert!(text.contains("orders_follow_ups_waiting 0\n") && text.contains("overdue_seconds 0\n"), "{text}");
    }
}
