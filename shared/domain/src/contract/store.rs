//! The contract of [`OrderStore`]. Each function is one rule and panics when the store breaks it; the store given
//! must be empty, or the tenant `demo` in it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a contract reports a broken rule by panicking, as tests do"
)]

use std::time::Duration;

use crate::details::{Details, Edit, Patch};
use crate::id::{CustomerId, TenantId};
use crate::line::Lines;
use crate::listing::{Filter, Limit, ListQuery, OrderSummary, Position};
use crate::memory::sample;
use crate::metadata::Metadata;
use crate::order::{CancelReason, FollowUp, FollowUpKind, HEAD_START, NewLines, Order, OrderData};
use crate::ports::{ChangedOrders, Condition, DueOrder, Inserted, OrderKey, OrderStore, Segment, UpdateError};
use crate::reservation::ReservationId;
use crate::status::Status;
use crate::text::{ExternalReference, Notes, Reason};
use crate::timestamp::Timestamp;
use crate::unrecognized::Unrecognized;

/// Declares one test per rule for the store that `$make` builds anew for each.
#[macro_export]
macro_rules! order_store_contract {
    ($make:expr) => {
        $crate::order_store_contract!(@tests $make;
            an_order_reads_back_as_it_was_inserted
            an_order_without_optional_fields_reads_back_as_it_was_inserted
            a_taken_id_answers_with_the_order_that_took_it
            an_order_that_was_never_inserted_is_absent
            an_order_of_another_tenant_is_absent
            one_of_many_concurrent_inserts_wins
            a_change_reads_back_as_it_was_written
            every_optional_field_can_be_set_and_emptied_again
            a_change_of_a_version_that_passed_is_a_conflict
            a_change_of_an_order_that_was_never_inserted_is_a_conflict
            one_of_many_concurrent_changes_wins
            a_list_shows_a_tenants_orders_newest_first
            a_list_keeps_to_its_filter_and_its_time_range
            pages_join_into_the_whole_list
            a_deleted_order_is_stored_but_not_listed
            due_follow_ups_are_found_longest_due_first
            an_order_that_is_put_off_comes_up_later
            every_kind_of_follow_up_reads_back_as_it_was_written
            what_no_client_sees_is_written_without_a_version
            of_two_who_follow_up_one_decides
            a_change_that_knows_nothing_of_a_follow_up_leaves_it_as_it_is
            a_change_that_needs_follow_ups_is_found_although_others_were_done_meanwhile
            an_erased_order_keeps_its_key_taken
            orders_that_changed_lately_are_found_over_all_pages_of_all_segments
        );
    };
    (@tests $make:expr; $($rule:ident)+) => {
        $(#[tokio::test]
        async fn $rule() {
            let store = $make.await;
            $crate::contract::store::$rule(&store).await;
        })+
    };
}

async fn inserted(store: &impl OrderStore) -> Order {
    let order = sample::order();
    assert_eq!(store.insert(&order).await, Ok(Inserted::New));
    order
}

/// What is inserted is what is read.
pub async fn an_order_reads_back_as_it_was_inserted(store: &impl OrderStore) {
    let order = inserted(store).await;
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(Some(order)));
}

/// A pending order with unpriced lines and no optional field survives, too.
pub async fn an_order_without_optional_fields_reads_back_as_it_was_inserted(store: &impl OrderStore) {
    let order = sample::bare_order();
    store.insert(&order).await.expect("insert");
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(Some(order)));
}

/// The second insertion of an id changes nothing and shows the first.
pub async fn a_taken_id_answers_with_the_order_that_took_it(store: &impl OrderStore) {
    let first = inserted(store).await;
    let second = sample::bare_order();
    assert_eq!(second.id, first.id);
    assert_eq!(store.insert(&second).await, Ok(Inserted::Existing(Box::new(first.clone()))));
    assert_eq!(store.get(&first.tenant, first.id).await, Ok(Some(first)));
}

/// An unknown id is no error.
pub async fn an_order_that_was_never_inserted_is_absent(store: &impl OrderStore) {
    assert_eq!(store.get(&sample::tenant(), sample::order_id(404)).await, Ok(None));
}

/// An order belongs to one tenant.
pub async fn an_order_of_another_tenant_is_absent(store: &impl OrderStore) {
    let order = inserted(store).await;
    let other = TenantId::parse("other").expect("sample");
    assert_eq!(store.get(&other, order.id).await, Ok(None));
}

/// Of concurrent insertions of one id, one is new and the others see it.
pub async fn one_of_many_concurrent_inserts_wins(store: &impl OrderStore) {
    let order = sample::order();
    let outcomes = futures_util::future::join_all((0..10).map(|_| store.insert(&order))).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(Inserted::New)).count(), 1);
    let existing = Ok(Inserted::Existing(Box::new(order)));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == existing).count(), 9);
}

fn processing(order: &Order, n: u32) -> Order {
    order.transition(Status::Processing, None, sample::stamp(n)).expect("legal").expect("a move")
}

/// The condition of a client's change, or of a follow-up that makes no version.
fn condition(before: &Order, after: &Order) -> Condition {
    if before.version == after.version { Condition::VersionAndFollowUps } else { Condition::Version }
}

async fn updated(store: &impl OrderStore, before: &Order, after: Order) -> Order {
    assert_eq!(store.update(before, &after, condition(before, &after)).await, Ok(()));
    assert_eq!(store.get(&after.tenant, after.id).await, Ok(Some(after.clone())));
    after
}

/// What is written is what is read.
pub async fn a_change_reads_back_as_it_was_written(store: &impl OrderStore) {
    let order = inserted(store).await;
    let order = updated(store, &order, order.followed_up(true, &[], sample::stamp(2))).await;
    let processing = updated(store, &order, processing(&order, 2)).await;
    let shipped = processing.ship(sample::shipment(), sample::stamp(3)).expect("legal").expect("a change");
    let shipped = updated(store, &processing, shipped).await;
    let delivered = shipped.transition(Status::Delivered, None, sample::stamp(4)).expect("legal").expect("a move");
    updated(store, &shipped, delivered).await;
    let other = Order::restore(OrderData { id: sample::order_id(2), ..(*order).clone() });
    store.insert(&other).await.expect("insert");
    let reason = Some(Reason::parse("out of stock").expect("sample"));
    let canceled = other.transition(Status::Canceled, reason, sample::stamp(5)).expect("legal").expect("a move");
    updated(store, &other, canceled).await;
}

/// A field that goes leaves nothing behind.
pub async fn every_optional_field_can_be_set_and_emptied_again(store: &impl OrderStore) {
    let order = inserted(store).await;
    let clear = Edit {
        shipping_address: Patch::Clear,
        metadata: Patch::Set(Metadata::default()),
        external_reference: Patch::Clear,
        notes: Patch::Clear,
    };
    let emptied = order.edit(&clear, None, sample::stamp(2)).expect("legal").expect("a change");
    let emptied = updated(store, &order, emptied).await;
    let set = Edit {
        shipping_address: order.details.shipping_address.clone().map_or(Patch::Clear, Patch::Set),
        metadata: Patch::Set(order.details.metadata.clone()),
        external_reference: Patch::Set(ExternalReference::parse("PO-2").expect("sample")),
        notes: Patch::Set(Notes::parse("ring twice").expect("sample")),
    };
    let filled = emptied.edit(&set, None, sample::stamp(3)).expect("legal").expect("a change");
    updated(store, &emptied, filled).await;
}

/// The version is the condition.
pub async fn a_change_of_a_version_that_passed_is_a_conflict(store: &impl OrderStore) {
    let order = inserted(store).await;
    let first = processing(&order, 2);
    assert_eq!(store.update(&order, &first, Condition::Version).await, Ok(()));
    assert_eq!(store.update(&order, &processing(&order, 3), Condition::Version).await, Err(UpdateError::Conflict));
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(Some(first)));
}

/// An update never creates.
pub async fn a_change_of_an_order_that_was_never_inserted_is_a_conflict(store: &impl OrderStore) {
    let order = sample::order();
    assert_eq!(store.update(&order, &processing(&order, 2), Condition::Version).await, Err(UpdateError::Conflict));
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(None));
}

/// Of concurrent changes of one version, one is stored and the others conflict.
pub async fn one_of_many_concurrent_changes_wins(store: &impl OrderStore) {
    let order = inserted(store).await;
    let changes: Vec<Order> = (10..20).map(|n| processing(&order, n)).collect();
    let outcomes =
        futures_util::future::join_all(changes.iter().map(|change| store.update(&order, change, Condition::Version)))
            .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(UpdateError::Conflict)).count(), 9);
    let winner = outcomes.iter().position(Result::is_ok).and_then(|index| changes.get(index)).cloned();
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(winner));
}

/// Orders 1 to 9: created a second apart, of three customers, every third one processing.
async fn inserted_many(store: &impl OrderStore) -> Vec<Order> {
    let mut orders = Vec::new();
    for n in 1..=9 {
        let mut data = OrderData { id: sample::order_id(n), ..(*sample::order()).clone() };
        data.customer.id = CustomerId::parse(format!("cust-{}", n % 2)).expect("sample");
        (data.created_at, data.updated_at) = (sample::stamp(n).at, sample::stamp(n).at);
        data.follow_ups.iter_mut().for_each(|follow_up| follow_up.at = sample::stamp(n).at);
        let order = Order::restore(data);
        assert_eq!(store.insert(&order).await, Ok(Inserted::New));
        orders.push(match n % 3 {
            0 => updated(store, &order, processing(&order, 20)).await,
            _ => order,
        });
    }
    orders.reverse();
    orders
}

fn query(filter: Filter, limit: &str) -> ListQuery {
    ListQuery {
        tenant: sample::tenant(),
        filter,
        created_after: None,
        created_before: None,
        after: None,
        limit: Limit::parse(limit).expect("sample"),
    }
}

fn summaries<'a>(orders: impl IntoIterator<Item = &'a Order>) -> Vec<OrderSummary> {
    orders.into_iter().map(OrderSummary::from).collect()
}

/// Newest first, nobody else's.
pub async fn a_list_shows_a_tenants_orders_newest_first(store: &impl OrderStore) {
    let orders = inserted_many(store).await;
    let stranger = OrderData { tenant: TenantId::parse("other").expect("sample"), ..(*sample::order()).clone() };
    store.insert(&Order::restore(stranger)).await.expect("insert");
    let page = store.list(&query(Filter::All, "100")).await.expect("a page");
    assert_eq!((page.orders, page.has_more), (summaries(&orders), false));
}

/// Each filter, alone and with a time range whose ends are left out.
pub async fn a_list_keeps_to_its_filter_and_its_time_range(store: &impl OrderStore) {
    let orders = inserted_many(store).await;
    let customer = CustomerId::parse("cust-1").expect("sample");
    for filter in
        [Filter::All, Filter::Status(Status::Processing), Filter::Status(Status::Shipped), Filter::Customer(customer)]
    {
        let whole = query(filter.clone(), "100");
        let part = ListQuery {
            created_after: Some(sample::stamp(2).at),
            created_before: Some(sample::stamp(9).at),
            ..whole.clone()
        };
        for query in [whole, part] {
            let expected = orders.iter().filter(|order| filter.matches(order) && query.covers(Position::of(order)));
            assert_eq!(store.list(&query).await.expect("a page").orders, summaries(expected), "{query:?}");
        }
    }
}

/// Page after page gives every row once, in order.
pub async fn pages_join_into_the_whole_list(store: &impl OrderStore) {
    let orders = inserted_many(store).await;
    let customer = CustomerId::parse("cust-1").expect("sample");
    for filter in [Filter::All, Filter::Status(Status::Confirmed), Filter::Customer(customer)] {
        for limit in ["1", "2", "4", "9"] {
            let mut query = query(filter.clone(), limit);
            let mut rows = Vec::new();
            loop {
                let page = store.list(&query).await.expect("a page");
                assert!(page.orders.len() <= usize::from(query.limit.get()));
                query.after = page.end().or(query.after);
                rows.extend(page.orders);
                if !page.has_more {
                    break;
                }
            }
            assert_eq!(rows, summaries(orders.iter().filter(|order| filter.matches(order))), "{filter:?} by {limit}");
        }
    }
}

/// A deleted order keeps its key taken and leaves every list.
pub async fn a_deleted_order_is_stored_but_not_listed(store: &impl OrderStore) {
    let order = inserted(store).await;
    let deleted = order.delete(Duration::from_secs(60), sample::stamp(2)).expect("legal");
    let deleted = updated(store, &order, deleted).await;
    assert_eq!(store.insert(&order).await, Ok(Inserted::Existing(Box::new(deleted))));
    for filter in [Filter::All, Filter::Status(order.status), Filter::Customer(order.customer.id.clone())] {
        assert_eq!(store.list(&query(filter, "10")).await.expect("a page").orders, []);
    }
}

/// What is due in one shard, read in pages of `limit`.
async fn due_in(store: &impl OrderStore, shard: u32, now: Timestamp, limit: u16) -> Vec<DueOrder> {
    let (mut due, mut after) = (Vec::new(), None);
    loop {
        let page = store.due(shard, now, after.as_ref(), limit).await.expect("an answer");
        assert!(page.orders.len() <= usize::from(limit));
        due.extend(page.orders);
        after = page.next;
        if after.is_none() {
            return due;
        }
    }
}

/// The orders that are due over all shards.
async fn due(store: &impl OrderStore, now: Timestamp, limit: u16) -> Vec<OrderKey> {
    let mut due = Vec::new();
    for shard in 0..store.shards() {
        due.extend(due_in(store, shard, now, limit).await.into_iter().map(|order| order.key));
    }
    due.sort();
    due
}

/// When the sweep takes up what was committed at stamp `n`.
fn swept(n: u32) -> Timestamp {
    sample::stamp(n).at.plus(HEAD_START)
}

fn keys(orders: std::ops::RangeInclusive<u32>) -> Vec<OrderKey> {
    orders.map(|n| OrderKey { tenant: sample::tenant(), id: sample::order_id(n) }).collect()
}

/// Orders with a follow-up that is due, and no others.
pub async fn due_follow_ups_are_found_longest_due_first(store: &impl OrderStore) {
    let orders = inserted_many(store).await;
    let first = orders.last().cloned().expect("nine orders");
    updated(store, &first, first.followed_up(true, &[], sample::stamp(1))).await;
    assert_eq!(due(store, swept(4), 10).await, keys(2..=4));
    assert_eq!(due(store, swept(1), 10).await, []);
    for shard in 0..store.shards() {
        let all = due_in(store, shard, swept(9), 10).await;
        assert!(all.is_sorted(), "orders 2 to 9 are due in the order of their ids");
        for limit in [1, 2, 3] {
            assert_eq!(due_in(store, shard, swept(9), limit).await, all, "pages join into the whole");
        }
        let first = store.due(shard, swept(9), None, 1).await.expect("an answer").orders;
        assert_eq!(first, all[..all.len().min(1)]);
        assert!(all.iter().all(|order| (swept(2)..=swept(9)).contains(&order.at)), "{all:?}");
    }
}

/// Its follow-ups stay, whatever they are.
pub async fn an_order_that_is_put_off_comes_up_later(store: &impl OrderStore) {
    let order = inserted(store).await;
    let key = keys(1..=1).remove(0);
    store.put_off(&key, sample::stamp(50).at, "a test").await.expect("an answer");
    store.put_off(&key, sample::stamp(40).at, "a test").await.expect("it comes up later than that");
    assert_eq!(due(store, sample::stamp(49).at, 10).await, []);
    assert_eq!(due(store, sample::stamp(50).at, 10).await, std::slice::from_ref(&key));
    assert_eq!(store.get(&order.tenant, order.id).await.map(|order| order.map(|order| order.version)), Ok(Some(1)));
    store.put_off(&keys(2..=2)[0], sample::stamp(50).at, "a test").await.expect("what is gone has nothing to do");
    assert_eq!(store.get(&order.tenant, sample::order_id(2)).await, Ok(None));
    updated(store, &order, order.followed_up(true, &[], sample::stamp(30))).await;
    store.put_off(&key, sample::stamp(60).at, "a test").await.expect("it needs nothing any more");
    assert_eq!(due(store, sample::stamp(3_600).at, 10).await, []);
}

/// With its time and its attempts.
pub async fn every_kind_of_follow_up_reads_back_as_it_was_written(store: &impl OrderStore) {
    let other = ReservationId::of_attempt(sample::order_id(1), "request", 1);
    let kinds = [
        FollowUpKind::Complete,
        FollowUpKind::Confirm,
        FollowUpKind::Release(other),
        FollowUpKind::Erase,
        FollowUpKind::Unrecognized { name: Unrecognized::new("remind"), reservation: None },
        FollowUpKind::Unrecognized { name: Unrecognized::new("extend"), reservation: Some(other) },
    ];
    let follow_up = |(kind, n)| FollowUp {
        kind,
        at: sample::stamp(n).at,
        since: sample::stamp(n / 2).at,
        attempts: n,
        as_read: None,
    };
    let follow_ups = kinds.into_iter().zip(0..).map(follow_up);
    let order = Order::restore(OrderData { follow_ups: follow_ups.collect(), ..(*sample::order()).clone() });
    store.insert(&order).await.expect("insert");
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(Some(order)));
}

/// It is written while the order and its follow-ups are as they were read, and no longer.
pub async fn what_no_client_sees_is_written_without_a_version(store: &impl OrderStore) {
    let order = inserted(store).await;
    let confirmed = updated(store, &order, order.followed_up(true, &[], sample::stamp(2))).await;
    assert_eq!((confirmed.version, confirmed.follow_ups.len()), (1, 0));
    let late = order.followed_up(false, &[], sample::stamp(2));
    assert_eq!(store.update(&order, &late, Condition::VersionAndFollowUps).await, Err(UpdateError::Conflict));
    let lines = Lines::unpriced(&sample::lines(&[(3, 1)]));
    let reservation = ReservationId::of_attempt(order.id, "request", 1);
    let edit = confirmed.edit(&Edit::default(), Some(NewLines { lines, reservation }), sample::stamp(3));
    let edited = updated(store, &confirmed, edit.expect("legal").expect("a change")).await;
    let canceled = edited.transition(Status::Canceled, None, sample::stamp(4)).expect("legal").expect("a move");
    let canceled = updated(store, &edited, canceled).await;
    let released = canceled.followed_up(false, &[reservation, order.reservation], sample::stamp(5));
    assert_eq!((updated(store, &canceled, released).await).follow_ups, []);
}

/// Also when what it decides makes a version: a cancellation by one who was slower than the confirmation.
pub async fn of_two_who_follow_up_one_decides(store: &impl OrderStore) {
    let order = inserted(store).await;
    let confirmed = updated(store, &order, order.followed_up(true, &[], sample::stamp(2))).await;
    let canceled = order.canceled(CancelReason::OutOfStock, sample::stamp(3));
    let slower = store.update(&order, &canceled, Condition::VersionAndFollowUps).await;
    assert_eq!(slower, Err(UpdateError::Conflict));
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(Some(confirmed)));
}

/// Whoever changes an order may have read it before a follow-up was done.
pub async fn a_change_that_knows_nothing_of_a_follow_up_leaves_it_as_it_is(store: &impl OrderStore) {
    let order = inserted(store).await;
    updated(store, &order, order.followed_up(true, &[], sample::stamp(2))).await;
    assert_eq!(store.update(&order, &processing(&order, 3), Condition::Version).await, Ok(()));
    let stored = store.get(&order.tenant, order.id).await.expect("an answer").expect("an order");
    assert_eq!((stored.version, stored.status, stored.follow_ups.len()), (2, Status::Processing, 0));
}

/// Whoever adds a follow-up may have read the order before another was done, so that nothing was due any more.
pub async fn a_change_that_needs_follow_ups_is_found_although_others_were_done_meanwhile(store: &impl OrderStore) {
    let order = inserted(store).await;
    updated(store, &order, order.followed_up(true, &[], sample::stamp(2))).await;
    let canceled = order.transition(Status::Canceled, None, sample::stamp(3)).expect("legal").expect("a move");
    updated(store, &order, canceled).await;
    assert_eq!(due(store, swept(3), 10).await, keys(1..=1));
}

/// And nothing else but what tells requests apart and what is still to be released.
pub async fn an_erased_order_keeps_its_key_taken(store: &impl OrderStore) {
    let order = inserted(store).await;
    let deleted = order.delete(Duration::from_secs(60), sample::stamp(2)).expect("legal");
    let deleted = updated(store, &order, deleted).await;
    let erased = updated(store, &deleted, deleted.erased()).await;
    let person = (erased.customer.contact.as_ref(), &erased.details, erased.history.len());
    assert_eq!(person, (None, &Details::default(), 0));
    assert_eq!((erased.fingerprint, erased.follow_ups.len()), (order.fingerprint, 1));
    assert_eq!(store.insert(&order).await, Ok(Inserted::Existing(Box::new(erased.clone()))));
    assert_eq!(due(store, sample::stamp(99).at, 10).await, keys(1..=1));
    let released = erased.followed_up(false, &[order.reservation], sample::stamp(3));
    assert_eq!(updated(store, &erased, released).await.follow_ups, []);
    assert_eq!(due(store, sample::stamp(99).at, 10).await, []);
}

/// Everything that changed at that time or later, and nothing older; what is deleted as well.
pub async fn orders_that_changed_lately_are_found_over_all_pages_of_all_segments(
    store: &(impl OrderStore + ChangedOrders),
) {
    // More than DynamoDB reads at a time, which is 1 MiB.
    let pairs = (0..50).map(|n| (n.to_string(), "v".repeat(500))).collect();
    let metadata = Metadata::parse(pairs).expect("legal");
    let mut expected = Vec::new();
    for n in 1..=60 {
        let data = OrderData {
            id: sample::order_id(n),
            details: Details { metadata: metadata.clone(), ..Details::default() },
            updated_at: sample::stamp(n).at,
            ..(*sample::order()).clone()
        };
        let order = Order::restore(data);
        assert_eq!(store.insert(&order).await, Ok(Inserted::New));
        expected.push(match n {
            60 => {
                updated(store, &order, order.delete(Duration::from_secs(60), sample::stamp(61)).expect("legal")).await
            }
            _ => order,
        });
    }
    let mut found = Vec::new();
    for segment in (0..3).map(|index| Segment { index, of: 3 }) {
        let mut page = None;
        loop {
            let changed = store.changed_since(sample::stamp(11).at, segment, page.as_ref()).await.expect("a page");
            found.extend(changed.orders);
            page = changed.next;
            if page.is_none() {
                break;
            }
        }
    }
    found.sort_by_key(|order| order.id);
    assert_eq!(found, expected[10..]);
}
