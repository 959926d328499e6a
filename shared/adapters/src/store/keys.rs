//! Keys of the table and its indexes. No part can hold a `#`, so no two orders share a key by accident.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{CustomerId, OrderId, TenantId};
use domain::listing::{ListQuery, Position};
use domain::order::Order;
use domain::ports::OrderKey;
use domain::status::Status;
use domain::timestamp::Timestamp;
use uuid::Uuid;

/// The table's key: `<tenant>#<order id>`.
pub(super) const ORDER: &str = "pk";
/// The partition of the index by-status: `<tenant>#<status>#<shard>`.
pub(super) const STATUS: &str = "gs";
/// The partition of the index by-customer: `<tenant>#<customer>`.
pub(super) const CUSTOMER: &str = "gc";
/// The partition of the index by-follow-up: `<region>#<shard>`.
pub(super) const FOLLOW_UP: &str = "w";
/// The sort key of the index by-follow-up: when the sweep takes the order up, in milliseconds.
pub(super) const DUE: &str = "d";
/// The sort key of the other two indexes: creation in milliseconds (12 hex digits), then the id (32 hex digits).
pub(super) const PLACE: &str = "k";

/// The table's key of an order.
pub(super) fn order(tenant: &TenantId, id: OrderId) -> String {
    format!("{tenant}#{id}")
}

/// The partition of by-status.
pub(super) fn status(tenant: &TenantId, status: Status, shard: u32) -> String {
    format!("{tenant}#{status}#{shard}")
}

/// The partition of by-customer.
pub(super) fn customer(tenant: &TenantId, customer: &CustomerId) -> String {
    format!("{tenant}#{customer}")
}

/// The partition of by-follow-up.
pub(super) fn follow_up(region: &str, shard: u32) -> String {
    format!("{region}#{shard}")
}

/// The order of a table key.
pub(super) fn parse_order(key: &str) -> Option<OrderKey> {
    let (tenant, id) = key.split_once('#')?;
    Some(OrderKey { tenant: TenantId::restore(tenant), id: OrderId::parse(id).ok()? })
}

/// The sort key of a place.
pub(crate) fn place(place: Position) -> String {
    format!("{:012x}{}", place.created_at.as_millis(), place.id.as_uuid().simple())
}

/// The place of a sort key; `None`: it sorts elsewhere than the key of any place would.
pub(crate) fn parse_place(key: &str) -> Option<Position> {
    let (millis, id) = key.split_at_checked(12)?;
    let parsed = Position {
        created_at: Timestamp::from_millis(i64::from_str_radix(millis, 16).ok()?),
        id: OrderId::from_uuid(Uuid::try_parse(id).ok()?),
    };
    Some(parsed).filter(|parsed| place(*parsed) == key)
}

/// How many partitions the indexes are spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shards {
    /// Of each status of a storefront.
    pub status: u32,
    /// Of the follow-ups of all storefronts.
    pub follow_up: u32,
}

/// What the item carries for the indexes. A deleted order leaves the lists; one without follow-ups is not in theirs.
pub(super) fn of_indexes(order: &Order, shards: Shards) -> HashMap<String, AttributeValue> {
    let mut keys = if order.is_deleted() { HashMap::new() } else { of_lists(order, shard_of(order, shards.status)) };
    if let Some(due) = order.swept_at() {
        let partition = follow_up(&order.home_region, shard_of(order, shards.follow_up));
        keys.insert(FOLLOW_UP.to_owned(), AttributeValue::S(partition));
        keys.insert(DUE.to_owned(), AttributeValue::N(due.as_millis().to_string()));
    }
    keys
}

fn shard_of(order: &Order, shards: u32) -> u32 {
    u32::try_from(order.id.as_uuid().as_u128() % u128::from(shards.max(1))).unwrap_or_default()
}

fn of_lists(order: &Order, shard: u32) -> HashMap<String, AttributeValue> {
    [
        (STATUS, status(&order.tenant, order.status, shard)),
        (CUSTOMER, customer(&order.tenant, &order.customer.id)),
        (PLACE, place(Position::of(order))),
    ]
    .map(|(name, value)| (name.to_owned(), AttributeValue::S(value)))
    .into()
}

/// The first and the last sort key of the part of a list that a query asks for, both included; `None`: it is empty.
pub(super) fn range(query: &ListQuery) -> Option<(String, String)> {
    let lowest = |at: Timestamp| Position { created_at: at, id: OrderId::from_uuid(Uuid::nil()) };
    let first = match query.created_after {
        Some(after) => lowest(Timestamp::from_millis(after.as_millis() + 1)),
        None => lowest(Timestamp::from_millis(0)),
    };
    let before = query.created_before.map(lowest);
    let end = [before, query.after].into_iter().flatten().min();
    let last = end.map_or_else(|| Some("f".repeat(44)), |end| predecessor(end).map(place));
    let first = place(first);
    last.filter(|last| first <= *last).map(|last| (first, last))
}

/// The greatest place below this one: a range in DynamoDB includes its ends.
fn predecessor(place: Position) -> Option<Position> {
    let id = place.id.as_uuid().as_u128();
    let (millis, id) = match id.checked_sub(1) {
        Some(id) => (place.created_at.as_millis(), id),
        None => (place.created_at.as_millis().checked_sub(1).filter(|millis| *millis >= 0)?, u128::MAX),
    };
    Some(Position { created_at: Timestamp::from_millis(millis), id: OrderId::from_uuid(Uuid::from_u128(id)) })
}

#[cfg(test)]
mod tests {
    use domain::memory::sample;

    use super::*;

    #[test]
    fn a_place_survives_its_key_and_keys_sort_as_places_do() {
        let place_of = |millis, id: u128| Position {
            created_at: Timestamp::from_millis(millis),
            id: OrderId::from_uuid(Uuid::from_u128(id)),
        };
        let places = [place_of(0, 5), place_of(9, u128::MAX), place_of(10, 0), place_of(253_402_300_799_999, 1)];
        let keys: Vec<_> = places.map(place).into();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().map(|key| parse_place(key)).collect::<Vec<_>>(), places.map(Some));
        let hyphenated = format!("{:012x}{}", 9, Uuid::from_u128(5));
        for other in [hyphenated, keys[1].to_uppercase(), format!("{}0", keys[0]), "place".to_owned()] {
            assert_eq!(parse_place(&other), None, "{other}");
        }
        assert_eq!(predecessor(places[2]).map(place), Some(format!("{:012x}{}", 9, "f".repeat(32))));
    }

    #[test]
    fn an_order_stays_in_its_shard_and_a_deleted_one_is_in_no_list() {
        let (order, shards) = (sample::order(), Shards { status: 1, follow_up: 8 });
        let keys = of_indexes(&order, shards);
        assert_eq!(keys[STATUS], AttributeValue::S("demo#confirmed#0".to_owned()));
        assert_eq!(keys[FOLLOW_UP], AttributeValue::S("eu-central-1#1".to_owned()));
        let deleted = order.delete(std::time::Duration::from_secs(1), sample::stamp(2)).unwrap();
        let mut left: Vec<_> = of_indexes(&deleted, shards).into_keys().collect();
        left.sort();
        assert_eq!(left, [DUE, FOLLOW_UP], "its reservation is still to be released");
    }
}
