//! What must hold once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::{EventId, EventKind, new_events};
use domain::history::Change;
use domain::id::OrderId;
use domain::order::Order;
use domain::status::{Inventory, Status};

use crate::channels::by_order;
use crate::world::World;

type Check = Result<(), String>;

/// Checks every invariant; the first that does not hold is named.
pub fn check(world: &World) -> Check {
    let orders: BTreeMap<OrderId, Order> = world.table.orders().into_iter().map(|order| (order.id, order)).collect();
    for order in orders.values() {
        history_is_legal(order)?;
        nothing_is_pending(order)?;
    }
    no_write_is_lost(world)?;
    what_clients_were_told_is_true(world, &orders)?;
    every_event_came_out_and_no_other(world, &orders)?;
    the_feed_is_in_order(world)?;
    the_reconciler_finds_nothing(world)?;
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

fn nothing_is_pending(order: &Order) -> Check {
    let owed = &order.settlement;
    ensure(owed.due.is_none(), || format!("{}: {owed:?} is still owed", order.id))?;
    let is_pending = order.status == Status::Pending && !order.is_deleted();
    ensure(!is_pending, || format!("{} is still pending", order.id))?;
    let is_held = matches!(order.inventory, Inventory::Reserved | Inventory::Released);
    ensure(is_held, || format!("{}: the hold is still {:?}", order.id, order.inventory))
}

/// Each write follows the one before.
fn no_write_is_lost(world: &World) -> Check {
    let mut revisions = BTreeMap::new();
    for write in world.table.writes() {
        let before = revisions.insert(write.new.id, write.new.revision);
        let follows = before.map_or(1, |revision| revision + 1) == write.new.revision;
        ensure(follows, || format!("{}: revision {} after {before:?}", write.new.id, write.new.revision))?;
    }
    Ok(())
}

fn what_clients_were_told_is_true(world: &World, orders: &BTreeMap<OrderId, Order>) -> Check {
    let ledger = world.ledger.lock().unwrap();
    for (id, asked) in &ledger.placed {
        let order = orders.get(id).ok_or_else(|| format!("{id} was acknowledged and does not exist"))?;
        ensure(order.fingerprint == *asked, || format!("{id} is not what its client asked for"))?;
    }
    let mut references = BTreeSet::new();
    for order in orders.values() {
        ensure(references.insert(order.external_reference.as_ref().map(|text| text.as_str())), || {
            format!("{} is there twice", order.id)
        })?;
    }
    let is_made_by = |order: &Order, request: &String| order.history.iter().any(|e| e.stamp.request_id == *request);
    for (id, request) in &ledger.changed {
        let is_there = orders.get(id).is_some_and(|order| is_made_by(order, request));
        ensure(is_there, || format!("{id}: the change of {request} was acknowledged and is not there"))?;
    }
    for request in &ledger.refused {
        let made = orders.values().find(|order| is_made_by(order, request));
        ensure(made.is_none(), || format!("{request} was refused and made {:?}", made.map(|order| order.id)))?;
    }
    Ok(())
}

fn every_event_came_out_and_no_other(world: &World, orders: &BTreeMap<OrderId, Order>) -> Check {
    let recorded: BTreeMap<EventId, EventKind> =
        orders.values().flat_map(|order| new_events(None, order)).map(|event| (event.id, event.kind)).collect();
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
    let is_clean = ledger.reconciled.as_ref().is_some_and(|found| found.missing.is_empty() && found.unknown.is_empty());
    ensure(is_clean, || format!("the reconciler found {:?}", ledger.reconciled))
}

/// What is not free is held for good by exactly one live order.
fn stock_is_conserved(world: &World, orders: &BTreeMap<OrderId, Order>) -> Check {
    let holders: Vec<&Order> = orders.values().filter(|order| order.inventory == Inventory::Reserved).collect();
    for (product, units, free) in world.stockroom.count() {
        let lines = holders.iter().flat_map(|order| order.lines.as_slice()).filter(|line| line.product == product);
        let sold: u32 = lines.map(|line| line.quantity.get()).sum();
        ensure(units == free + sold, || format!("{product}: {units} units, {free} free, {sold} sold"))?;
    }
    let holds = world.stockroom.holds();
    ensure(holds == (holders.len(), holders.len()), || format!("{holds:?} holds of {} orders", holders.len()))
}
