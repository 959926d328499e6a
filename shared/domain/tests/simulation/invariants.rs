//! What must hold once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use domain::details::Details;
use domain::event::{EventId, new_events};
use domain::history::{Change, EventKind};
use domain::id::OrderId;
use domain::memory::sample;
use domain::order::{CancelReason, FollowUpKind, Order, OrderData};
use domain::ports::Tally;
use domain::report::{Rows, difference, rows_of};
use domain::status::{Inventory, Status};

use crate::channels::by_order;
use crate::client::STRANGER;
use crate::partners::REFUSED;
use crate::world::World;

type Check = Result<(), String>;

/// Checks every invariant; the first that does not hold is named.
pub fn check(world: &World) -> Check {
    let orders: BTreeMap<OrderId, Order> = world.table.orders().into_iter().map(|order| (order.id, order)).collect();
    for order in orders.values() {
        history_is_legal(order)?;
        nothing_is_pending(world, order)?;
        a_cancellation_has_its_cause(world, order)?;
    }
    no_write_is_lost(world)?;
    what_clients_were_told_is_true(world, &orders)?;
    every_event_came_out_and_no_other(world, &orders)?;
    the_feed_is_in_order(world)?;
    the_reconciler_finds_nothing(world)?;
    the_reports_equal_a_recount(world, &orders)?;
    stock_is_conserved(world, &orders)
}

fn ensure(holds: bool, violation: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(violation()) }
}

/// Versions without a gap, moves that the state machine knows, and an end that is what the order says.
fn history_is_legal(order: &Order) -> Check {
    let versions: Vec<u64> = order.history.iter().map(|entry| entry.version).collect();
    ensure(versions == (1..=order.version).collect::<Vec<_>>(), || format!("{}: versions {versions:?}", order.id))?;
    let mut status = None;
    let mut inventory = None;
    for change in order.history.iter().flat_map(|entry| &entry.changes) {
        match change {
            Change::Status { from, to, .. } => {
                let is_legal = status.is_none_or(|status| status == *from) && from.allowed().contains(to);
                ensure(is_legal, || format!("{}: from {status:?} {from} to {to}", order.id))?;
                status = Some(*to);
            }
            Change::Inventory { from, to } => {
                ensure(inventory.is_none_or(|inventory| inventory == *from), || format!("{}: {change:?}", order.id))?;
                inventory = Some(*to);
            }
            Change::Total { .. } | Change::Replaced(_) => {}
        }
    }
    ensure(status.is_none_or(|status| status == order.status), || format!("{}: ends {status:?}", order.id))?;
    ensure(inventory.is_none_or(|state| state == order.inventory), || format!("{}: ends {inventory:?}", order.id))
}

fn nothing_is_pending(world: &World, order: &Order) -> Check {
    let waits = |kind, at: i64| kind == FollowUpKind::Erase && at > world.now();
    let due = order.follow_ups.iter().find(|follow_up| !waits(follow_up.kind, follow_up.at.as_millis()));
    ensure(due.is_none(), || format!("{}: {due:?} is still to be done", order.id))?;
    let is_pending = order.status == Status::Pending && !order.is_deleted();
    ensure(!is_pending, || format!("{} is still pending", order.id))?;
    let is_certain = matches!(order.inventory, Inventory::Reserved | Inventory::Released);
    ensure(is_certain, || format!("{}: the reservation is still {:?}", order.id, order.inventory))
}

/// A follow-up cancels an order for the reason that it names, and never where nothing went wrong. That one is out of stock
/// is checked when it is canceled ([`crate::evidence`]).
fn a_cancellation_has_its_cause(world: &World, order: &Order) -> Check {
    let reason = order.history.iter().flat_map(|entry| &entry.changes).find_map(|change| match change {
        Change::Status { to: Status::Canceled, reason, .. } => reason.as_ref(),
        _ => None,
    });
    let Some(reason) = reason else { return Ok(()) };
    let is = |of: CancelReason| reason.as_str() == of.as_str();
    let is_refused = order.lines.requested().products().contains(&sample::product(REFUSED).id);
    let has_cause = is(CancelReason::UnknownCustomer) && order.customer.id.as_str() == STRANGER
        || is(CancelReason::ReservationRefused) && is_refused
        || is(CancelReason::PartnerUnavailable) && world.is_impatient()
        || is(CancelReason::OutOfStock);
    ensure(has_cause && !world.is_calm, || format!("{} was canceled without a cause: {}", order.id, reason.as_str()))
}

/// Each write follows the one before: as the next version, or as the same but for what no client sees.
fn no_write_is_lost(world: &World) -> Check {
    let mut stored = BTreeMap::new();
    for write in world.table.writes() {
        let (old, new) = (stored.insert(write.new.id, write.new.clone()), write.new);
        let version = old.as_ref().map_or(0, |old| old.version);
        let is_noted = || old.as_ref().is_some_and(|old| is_same_but_for_follow_ups(old, &new));
        let follows = new.version == version + 1 || new.version == version && is_noted();
        ensure(follows, || format!("{}: version {} overwrote version {version}", new.id, new.version))?;
    }
    Ok(())
}

fn is_same_but_for_follow_ups(old: &Order, new: &Order) -> bool {
    OrderData { follow_ups: old.follow_ups.clone(), ..(**new).clone() } == **old
}

fn what_clients_were_told_is_true(world: &World, orders: &BTreeMap<OrderId, Order>) -> Check {
    let ledger = world.ledger.lock().unwrap();
    for (id, asked) in &ledger.placed {
        let order = orders.get(id).ok_or_else(|| format!("{id} was acknowledged and does not exist"))?;
        ensure(order.fingerprint == *asked, || format!("{id} is not what its client asked for"))?;
    }
    let mut references = BTreeSet::new();
    for order in orders.values() {
        ensure(references.insert(order.details.external_reference.as_ref().map(|text| text.as_str())), || {
            format!("{} is there twice", order.id)
        })?;
    }
    let made_by =
        |order: &Order, request: &str| order.history.iter().filter(|entry| entry.stamp.request_id == request).count();
    for ((id, request), told) in &ledger.changed {
        let made = orders.get(id).map_or(0, |order| made_by(order, request));
        ensure(made >= *told, || format!("{id}: {told} changes of {request} were acknowledged, {made} are there"))?;
    }
    let mistake = ledger.mistakes.first();
    ensure(mistake.is_none(), || mistake.map_or("", String::as_str).to_owned())?;
    let early = ledger.shipped_early.first();
    ensure(early.is_none(), || format!("{early:?} was shipped before its reservation was confirmed"))?;
    ensure(!world.is_calm || ledger.unavailable == 0, || "an edit was told of an outage".to_owned())?;
    for request in &ledger.refused {
        let made = orders.values().find(|order| made_by(order, request) > 0);
        ensure(made.is_none(), || format!("{request} was refused and made {:?}", made.map(|order| order.id)))?;
    }
    Ok(())
}

fn every_event_came_out_and_no_other(world: &World, orders: &BTreeMap<OrderId, Order>) -> Check {
    let recorded: BTreeMap<EventId, EventKind> =
        orders.values().flat_map(|order| new_events(0, order)).map(|event| (event.id, event.kind)).collect();
    for (channel, taken) in [("bus", world.bus.taken()), ("feed", world.feed.taken())] {
        for event in &taken {
            let kind = recorded.get(&event.id);
            ensure(kind == Some(&event.kind), || format!("the {channel} had {event:?}, the history has {kind:?}"))?;
        }
        let out: BTreeSet<EventId> = taken.iter().map(|event| event.id).collect();
        let missing = recorded.iter().find(|(id, _)| !out.contains(id));
        ensure(missing.is_none(), || format!("the {channel} never had {missing:?}"))?;
    }
    Ok(())
}

/// In version order for whoever drops what was seen. A dead letter that is redriven may come late.
fn the_feed_is_in_order(world: &World) -> Check {
    for (order, events) in by_order(&world.feed.taken()) {
        let is_in_order = events.is_sorted() || world.table.was_dead(order);
        ensure(is_in_order, || format!("the feed of {order}: {events:?}"))?;
    }
    Ok(())
}

fn the_reconciler_finds_nothing(world: &World) -> Check {
    let ledger = world.ledger.lock().unwrap();
    let is_clean = ledger.reconciled.as_ref().is_some_and(Tally::is_clean);
    ensure(is_clean, || format!("the reconciler found {:?}", ledger.reconciled))
}

/// Whatever came twice, late or in another order, each order counts once, as it is now.
fn the_reports_equal_a_recount(world: &World, orders: &BTreeMap<OrderId, Order>) -> Check {
    let mut recount = Rows::new();
    for (row, sums) in orders.values().flat_map(rows_of) {
        let present = recount.entry(row).or_default();
        *present = present.plus(sums);
    }
    let differences = difference(&world.reports.table.total(), &recount);
    ensure(differences.is_empty(), || format!("the reports lack {differences:?}"))
}

/// What is not free is reserved for good by exactly one live order, and nothing else is reserved.
fn stock_is_conserved(world: &World, orders: &BTreeMap<OrderId, Order>) -> Check {
    let owners: Vec<&Order> = orders.values().filter(|order| order.inventory == Inventory::Reserved).collect();
    for order in &owners {
        let is_confirmed = world.stockroom.is_confirmed(order.reservation);
        ensure(is_confirmed, || format!("{}: its reservation is not permanent", order.id))?;
    }
    for (product, units, free) in world.stockroom.count() {
        let lines = owners.iter().flat_map(|order| order.lines.as_slice()).filter(|line| line.product == product);
        let sold: u32 = lines.map(|line| line.quantity.get()).sum();
        ensure(units == free + sold, || format!("{product}: {units} units, {free} free, {sold} sold"))?;
    }
    let made = world.stockroom.reservations();
    ensure(made == owners.len(), || format!("{made} reservations of {} orders", owners.len()))
}

/// What must hold once the deleted orders were erased and every shopper has sent for its order again: of a deleted order
/// its key is left, of which clients are told that it is gone; all else is as it was, and nothing was announced.
pub fn check_erased(world: &World, before: &[Order], sent: usize) -> Check {
    let now: BTreeMap<OrderId, Order> = world.table.orders().into_iter().map(|order| (order.id, order)).collect();
    for old in before {
        let order = now.get(&old.id).ok_or_else(|| format!("{} is gone with its key", old.id))?;
        if !old.is_deleted() {
            ensure(order == old, || format!("{} changed in the end", old.id))?;
            continue;
        }
        ensure(is_tombstone(order), || format!("{} is not erased: {order:?}", old.id))?;
        let is_kept = (order.fingerprint, order.version) == (old.fingerprint, old.version);
        ensure(is_kept, || format!("{} is not the tombstone of what it was", old.id))?;
        let is_gone = world.ledger.lock().unwrap().gone.contains(&old.id);
        ensure(is_gone, || format!("the key of {}, which was erased, is not answered with gone", old.id))?;
    }
    ensure(world.bus.taken().len() == sent, || "the end of the retention was announced".to_owned())
}

fn is_tombstone(order: &Order) -> bool {
    let has_person =
        order.customer.contact.is_some() || order.shipping.is_some() || order.details != Details::default();
    !has_person && order.history.is_empty() && order.follow_ups.is_empty()
}
