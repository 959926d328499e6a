//! Every metric of this service: its name, unit, dimensions and meaning. docs/metrics.md shows this table.

use std::sync::OnceLock;

use domain::status::Status;

use crate::config;

/// What the values of a metric are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How often, or how many.
    Count,
    /// A time.
    Milliseconds,
    /// A longer time.
    Seconds,
    /// Minor units of a currency.
    Money,
}

impl Unit {
    /// The name that CloudWatch has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
            Self::Money => "None",
        }
    }

    /// Whether the values of one line are added up; otherwise each is a value of its own.
    pub(super) const fn is_summed(self) -> bool {
        match self {
            Self::Count | Self::Money => true,
            Self::Milliseconds | Self::Seconds => false,
        }
    }
}

/// One metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name; of a family (`ConfirmedValue`), what the names begin with.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Its dimensions, each with few values.
    pub dimensions: &'static [&'static str],
    /// What it says.
    pub meaning: &'static str,
}

/// The metrics and a list of all of them.
macro_rules! metrics {
    ($($constant:ident $name:literal $unit:ident [$($dimension:literal),*] $meaning:literal)*) => {
        $(
            #[doc = $meaning]
            pub const $constant: Metric =
                Metric { name: $name, unit: Unit::$unit, dimensions: &[$($dimension),*], meaning: $meaning };
        )*
        /// Every metric.
        pub const ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    LATENCY "Latency" Milliseconds ["Route", "Code"] "Time of a request in its function. The number of values is that of requests; `Code` is `ok` or the code of the problem."
    INTERNAL_ERRORS "InternalErrors" Count ["Release"] "Requests answered 500 `internal`, which is a fault of the service."
    TOKENS_REFUSED "TokensRefused" Count ["Release"] "1 for a token that the authorizer refused, 0 for one that it accepted: the average is the part of the tokens that was refused."
    REPLAYED_KEYS "ReplayedKeys" Count [] "Creates that found the order of their idempotency key."
    BATCH_ORDERS_FAILED "BatchOrdersFailed" Count [] "Orders of batches whose result is a 5xx; the batch itself is answered 207."
    CUSTOMERS_LATENCY "CustomersLatency" Milliseconds [] "Time of a call of the customer service, also of one that failed."
    CUSTOMERS_FAILURES "CustomersFailures" Count [] "Calls of the customer service without a usable answer."
    CUSTOMERS_CIRCUIT_OPEN "CustomersCircuitOpen" Count [] "Whether its circuit is open for all, every minute and at every change: 1 or 0."
    INVENTORY_LATENCY "InventoryLatency" Milliseconds [] "Time of a call of the inventory service, also of one that failed."
    INVENTORY_FAILURES "InventoryFailures" Count [] "Calls of the inventory service without a usable answer."
    INVENTORY_CIRCUIT_OPEN "InventoryCircuitOpen" Count [] "Whether its circuit is open for all, every minute and at every change: 1 or 0."
    ISSUER_FAILURES "IssuerFailures" Count [] "Failed attempts to fetch the identity provider's keys."
    BUS_LAG "BusLag" Milliseconds [] "From a commit until the bus took its event; of each call, the longest."
    FEED_LAG "FeedLag" Milliseconds [] "From a commit until the feed took its event; of each call, the longest."
    DEAD_LETTERS "DeadLetters" Count [] "Stream records that are no orders and were set aside."
    FOLLOW_UP_ATTEMPTS "FollowUpAttempts" Count [] "Orders whose follow-ups were tried, by the stream or by the sweep."
    FOLLOW_UPS_POSTPONED "FollowUpsPostponed" Count [] "Orders of those that are retried later, because a partner gave no usable answer."
    FOLLOW_UPS_PUT_OFF "FollowUpsPutOff" Count [] "Orders that this release cannot read, write or follow up."
    FOLLOW_UPS_FAILED "FollowUpsFailed" Count [] "Orders that the table gave no answer for."
    OLDEST_FOLLOW_UP "OldestFollowUp" Seconds [] "How long the oldest follow-up has been due, of those that waited for a sweep or failed in it."
    FOLLOW_UPS_WAITING "FollowUpsWaiting" Count [] "Orders whose follow-ups are due within an hour, every minute; at most 1,000 of each shard are counted."
    ORDERS_UNLISTED "OrdersUnlisted" Count [] "Orders that pages of lists were without, because their rows cannot be read."
    ORDERS_COUNTED "OrdersCounted" Count [] "Orders whose events reached count-orders and that the reports have as they were then."
    CONNECTIONS_OPENED "ConnectionsOpened" Count [] "WebSocket connections that were opened."
    MESSAGES_REFUSED "MessagesRefused" Count [] "Messages of connections that were answered with a problem."
    SUBSCRIPTIONS "Subscriptions" Count [] "Subscriptions of WebSocket connections that were confirmed."
    UPDATES_PUSHED "UpdatesPushed" Count [] "Events that connections took, each counted once for every subscriber."
    CONNECTIONS_GONE "ConnectionsGone" Count [] "Subscribers that an event found gone, and that were forgotten."
    CONNECTIONS_CLOSED "ConnectionsClosed" Count [] "Connections that were closed because they took too long or their tokens had expired."
    UPDATES_NOT_PUSHED "UpdatesNotPushed" Count [] "Events that could not be pushed now, or wait for an earlier one of their order."
    PUSH_LAG "PushLag" Milliseconds [] "From a commit until all subscribers of its event had been told, if there were any."
    EXPORT_TURNS "ExportTurns" Count [] "Turns that write-export took at exports; an export takes several."
    EXPORTS_WRITTEN "ExportsWritten" Count [] "Exports whose file is there."
    EXPORTS_FAILED "ExportsFailed" Count [] "Exports that were given up."
    ORDERS_EXPORTED "OrdersExported" Count [] "Orders in the files of exports that were finished."
    ORDERS_UNEXPORTED "OrdersUnexported" Count [] "Orders that exports left out, because they cannot be read."
    NEW_TO_PENDING "NewToPending" Count [] "Orders accepted without an answer of a partner."
    NEW_TO_CONFIRMED "NewToConfirmed" Count [] "Orders confirmed at once."
    PENDING_TO_CONFIRMED "PendingToConfirmed" Count [] "Orders confirmed by a follow-up."
    PENDING_TO_CANCELED "PendingToCanceled" Count [] "Pending orders canceled, by a client or by a follow-up."
    CONFIRMED_TO_PROCESSING "ConfirmedToProcessing" Count [] "Orders taken up by the warehouse."
    CONFIRMED_TO_CANCELED "ConfirmedToCanceled" Count [] "Confirmed orders canceled."
    PROCESSING_TO_SHIPPED "ProcessingToShipped" Count [] "Orders shipped."
    PROCESSING_TO_CANCELED "ProcessingToCanceled" Count [] "Orders canceled while they were processed."
    SHIPPED_TO_DELIVERED "ShippedToDelivered" Count [] "Orders delivered."
    DELETED "Deleted" Count [] "Orders deleted."
    CONFIRMED_VALUE "ConfirmedValue" Money [] "Totals of orders that became confirmed, in minor units; the name ends in the currency, as in `ConfirmedValueEUR`."
    EVENTS_MISSING "EventsMissing" Count [] "Events of histories that did not come out of the bus, as an audit found."
    EVENTS_UNKNOWN "EventsUnknown" Count [] "Events that came out of the bus and are in no history."
}

/// Latency and failures of a service, by the name under which it is called.
pub(crate) fn of_partner(service: &str) -> Option<(&'static Metric, &'static Metric)> {
    match service {
        "customer service" => Some((&CUSTOMERS_LATENCY, &CUSTOMERS_FAILURES)),
        "inventory service" => Some((&INVENTORY_LATENCY, &INVENTORY_FAILURES)),
        _ => None,
    }
}

/// The circuits, by the names of their partners.
pub(crate) const CIRCUITS: [(&str, &Metric); 2] =
    [("customers", &CUSTOMERS_CIRCUIT_OPEN), ("inventory", &INVENTORY_CIRCUIT_OPEN)];

/// The metric of an order's move, `None` from nothing.
#[must_use]
pub fn of_move(from: Option<Status>, to: Status) -> Option<&'static Metric> {
    use Status::{Canceled, Confirmed, Delivered, Pending, Processing, Shipped};
    match (from, to) {
        (None, Pending) => Some(&NEW_TO_PENDING),
        (None, Confirmed) => Some(&NEW_TO_CONFIRMED),
        (Some(Pending), Confirmed) => Some(&PENDING_TO_CONFIRMED),
        (Some(Pending), Canceled) => Some(&PENDING_TO_CANCELED),
        (Some(Confirmed), Processing) => Some(&CONFIRMED_TO_PROCESSING),
        (Some(Confirmed), Canceled) => Some(&CONFIRMED_TO_CANCELED),
        (Some(Processing), Shipped) => Some(&PROCESSING_TO_SHIPPED),
        (Some(Processing), Canceled) => Some(&PROCESSING_TO_CANCELED),
        (Some(Shipped), Delivered) => Some(&SHIPPED_TO_DELIVERED),
        (None | Some(_), _) => None,
    }
}

/// The dimension of what tells one release from another while requests are shifted between them.
pub(super) const RELEASE: &str = "Release";

/// The deployment that this function is part of: `RELEASE`, or `local`.
pub(super) fn release() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| config::optional("RELEASE").unwrap_or_else(|| "local".to_owned()))
}

/// Where the metrics are: `METRICS_NAMESPACE`, which is the name of the stack, or `Orders`.
pub(super) fn namespace() -> &'static str {
    static NAMESPACE: OnceLock<String> = OnceLock::new();
    NAMESPACE.get_or_init(|| config::optional("METRICS_NAMESPACE").unwrap_or_else(|| "Orders".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_different_and_dimensions_have_few_values() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            let is_bounded = matches!(metric.dimensions, [] | ["Route", "Code"] | [RELEASE]);
            assert!(is_bounded, "{metric:?}");
        }
    }

    #[test]
    fn every_move_that_the_state_machine_allows_has_a_metric() {
        for from in Status::ALL {
            for to in from.allowed() {
                let metric = of_move(Some(from), *to).unwrap();
                assert_eq!(metric.name.to_lowercase(), format!("{from}to{to}"));
            }
        }
    }
}
