//! What `GET /metrics` answers: OpenMetrics text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).

use std::fmt::Write;

use domain::ports::{Clock, OrderStore};

use crate::backlog::Waiting;
use crate::http::Problem;
use crate::outbound::Circuits;
use crate::partners::{CUSTOMERS, INVENTORY};

/// The media type of the text.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where the figures come from.
#[derive(Debug)]
pub struct Exposition<S, K> {
    /// The release.
    pub version: &'static str,
    /// Where orders wait.
    pub store: S,
    /// The partners' circuits.
    pub circuits: Option<Circuits>,
    /// Tells how long something has waited.
    pub clock: K,
}

impl<S: OrderStore, K: Clock> Exposition<S, K> {
    /// The figures now. A circuit that cannot be read is left out.
    ///
    /// # Errors
    /// As [`Waiting::in_all`].
    pub async fn text(&self) -> Result<String, Problem> {
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
        let help = "Whether the circuit of a partner is open for all.";
        family(&mut text, "orders_circuit_open", "gauge", help, &self.circuits().await);
        text.push_str("# EOF\n");
        Ok(text)
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
    use domain::memory::{MemoryStore, sample};
    use domain::order::{Order, OrderData};
    use domain::timestamp::Timestamp;

    use super::*;

    struct At;

    impl Clock for At {
        fn now(&self) -> Timestamp {
            sample::stamp(100).at
        }
    }

    /// The text with this many orders that were placed 99 seconds ago, of which each is to be followed up.
    async fn text(orders: u32) -> String {
        let store = MemoryStore::default();
        for n in 1..=orders {
            let data = OrderData { id: sample::order_id(n), ..(*sample::order()).clone() };
            store.insert(&Order::restore(data)).await.unwrap();
        }
        Exposition { version: "1.2.3", store, circuits: None, clock: At }.text().await.unwrap()
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
        ];
        assert_eq!(samples, expected);
        let unit = "# TYPE orders_follow_ups_overdue_seconds gauge\n# UNIT orders_follow_ups_overdue_seconds seconds\n";
        assert!(text.contains(unit) && text.ends_with("\n# EOF\n"), "{text}");
    }

    #[tokio::test]
    async fn nothing_waiting_is_not_overdue() {
        let text = text(0).await;
        assert!(text.contains("orders_follow_ups_waiting 0\n") && text.contains("overdue_seconds 0\n"), "{text}");
    }
}
