//! The storefronts: what they ask for, and what they were told.

use std::sync::Arc;
use std::time::Duration;

use domain::fingerprint::Fingerprint;
use domain::id::{CustomerId, IdempotencyKey, OrderId};
use domain::memory::sample;
use domain::order::{Edit, Order, OrderDraft, Patch};
use domain::ports::{EventPublisher, InventoryService, OrderStore, StoreError};
use domain::reservation::Reservation;
use domain::status::Status;
use domain::text::Text;
use domain::use_cases::{
    ChangeError, EditError, EditOrder, IfMatch, PlaceOrder, PlaceOrderError, Reconciliation, Request, Target,
    change_order,
};

use crate::bugs::Bug;
use crate::channels::publisher;
use crate::world::{Ports, Who, World};

/// What clients, and operators, were told.
#[derive(Default)]
pub struct Ledger {
    /// Orders that a client was told exist, with what it asked for.
    pub placed: Vec<(OrderId, Fingerprint)>,
    /// Changes that a client was told were made: order, and request.
    pub changed: Vec<(OrderId, String)>,
    /// Requests that were refused for good.
    pub refused: Vec<String>,
    /// What the reconciler found in the end.
    pub reconciled: Option<Reconciliation>,
}

/// A shopper who wants one order, and sends for it until the answer is clear.
#[derive(Debug, Clone)]
pub struct Shopper {
    key: IdempotencyKey,
    draft: OrderDraft,
}

impl Shopper {
    /// Shopper `n`. Some use the key of another, some are unknown, some want more than there is.
    pub fn new(world: &World, n: usize) -> Self {
        let key = if n > 0 && world.chance(150) { n - 1 } else { n };
        let customer = if world.chance(60) { "nobody" } else { ["cust-1", "cust-2"][world.pick(2)] };
        let lines: Vec<(u32, u32)> = match world.pick(3) {
            0 => vec![(1, quantity(world))],
            1 => vec![(1, quantity(world)), (2, quantity(world))],
            _ => vec![(2, quantity(world)), (3, quantity(world))],
        };
        let draft = OrderDraft {
            customer: CustomerId::parse(customer).unwrap(),
            lines: sample::lines(&lines),
            external_reference: Some(Text::parse(format!("shopper-{n}")).unwrap()),
            ..sample::draft()
        };
        Self { key: IdempotencyKey::parse(&format!("key-{key}")).unwrap(), draft }
    }

    /// Sends for the order.
    pub async fn place(self, world: Arc<World>, who: Who) {
        let key = if world.bug == Some(Bug::KeyIgnored) { None } else { Some(self.key.clone()) };
        let fingerprint = Fingerprint::of(&self.draft);
        let id = OrderId::derive(&sample::tenant(), &self.key);
        let reservation = Reservation::of(sample::tenant(), id, 1, self.draft.lines.clone());
        let stamp = world.stamp(&who);
        let request = Request { caller: sample::caller(), key, draft: self.draft, stamp };
        let ports = Ports::of(&world, &who);
        let place = PlaceOrder {
            store: ports.clone(),
            customers: ports.clone(),
            inventory: ports,
            ids: Counting(Arc::clone(&world)),
            home_region: "eu-central-1".to_owned(),
        };
        let answer = place.run(request).await;
        if let (Some(Bug::ThrottledIsGivenBack), Err(PlaceOrderError::Store(StoreError::Throttled(_)))) =
            (world.bug, &answer)
        {
            drop(place.inventory.release(reservation.id).await);
        }
        world.note(&who.name, "answered", &answer.as_ref().map(|placed| (placed.order.id, placed.replayed)));
        let mut ledger = world.ledger.lock().unwrap();
        match answer {
            Ok(placed) => ledger.placed.push((placed.order.id, fingerprint)),
            // It may be this request's own order that somebody has deleted since.
            Err(PlaceOrderError::Store(_) | PlaceOrderError::Gone) => {}
            Err(_) => ledger.refused.push(who.request_id),
        }
    }
}

fn quantity(world: &World) -> u32 {
    u32::try_from(1 + world.pick(5)).unwrap()
}

/// The world's own count of ids.
struct Counting(Arc<World>);

impl domain::ports::Ids for Counting {
    fn order_id(&self) -> OrderId {
        self.0.ids.order_id()
    }
}

/// What can be asked of an order that exists.
#[derive(Debug, Clone, Copy)]
pub enum Wish {
    Move(Status),
    Ship,
    Note,
    Lines,
    Delete,
}

impl Wish {
    /// Any of them.
    pub fn any(world: &World) -> Self {
        match world.pick(10) {
            0 | 1 => Self::Move(Status::Canceled),
            2 | 3 => Self::Move(Status::Processing),
            4 => Self::Move(Status::Delivered),
            5 => Self::Ship,
            6 => Self::Note,
            7 | 8 => Self::Lines,
            _ => Self::Delete,
        }
    }

    /// Asks for it.
    pub async fn ask(self, world: Arc<World>, who: Who, order: OrderId) {
        let stamp = world.stamp(&who);
        let target = Target { caller: sample::caller(), id: order, if_match: IfMatch::Any, stamp: stamp.clone() };
        let store = Ports::of(&world, &who);
        let answer = match self {
            Self::Move(status) => {
                if status == Status::Canceled {
                    break_order_of_effects(&store, order).await;
                }
                change_order(&store, &target, |order| order.transition(status, None, stamp.clone())).await
            }
            Self::Ship => change_order(&store, &target, |order| order.ship(sample::shipment(), stamp.clone())).await,
            Self::Delete => {
                let retention = Duration::from_secs(3600);
                change_order(&store, &target, |order| order.delete(retention, stamp.clone()).map(Some)).await
            }
            Self::Note => {
                let notes = Patch::Set(Text::parse(who.request_id.clone()).unwrap());
                let edit = Edit { notes, ..Edit::default() };
                change_order(&store, &target, |order| order.edit(&edit, None, stamp.clone())).await
            }
            Self::Lines => {
                let lines = sample::lines(&[(1 + u32::try_from(world.pick(3)).unwrap(), quantity(&world))]);
                let edit = EditOrder { inventory: store.clone(), store };
                match edit.run(&target, &Edit::default(), Some(&lines)).await {
                    Ok(order) => Ok(order),
                    Err(EditError::Change(error)) => Err(error),
                    // Refused by a partner: no claim is made but that nothing changed.
                    Err(_) => Err(ChangeError::NotFound),
                }
            }
        };
        world.note(&who.name, "answered", &answer.as_ref().map(|order| order.version));
        remember(&world, who, answer);
    }
}

fn remember(world: &World, who: Who, answer: Result<Order, ChangeError>) {
    let mut ledger = world.ledger.lock().unwrap();
    match answer {
        Ok(order) => {
            if order.history.iter().any(|entry| entry.stamp.request_id == who.request_id) {
                ledger.changed.push((order.id, who.request_id));
            }
        }
        // A conflict may be with oneself: an earlier attempt whose answer was lost.
        Err(ChangeError::Store(_) | ChangeError::Conflict) => {}
        Err(_) => ledger.refused.push(who.request_id),
    }
}

/// The effects of a cancellation that must follow its commit, before it.
async fn break_order_of_effects(ports: &Ports, id: OrderId) {
    let Ports { world, who } = ports;
    let is_broken = matches!(world.bug, Some(Bug::ReleasedBeforeCommit | Bug::PublishedBeforeCommit));
    let Some(order) = (if is_broken { ports.get(&sample::tenant(), id).await.ok().flatten() } else { None }) else {
        return;
    };
    if world.bug == Some(Bug::ReleasedBeforeCommit) {
        drop(ports.release(order.reservation().id).await);
    }
    if let Ok(Some(canceled)) = order.transition(Status::Canceled, None, world.stamp(who))
        && world.bug == Some(Bug::PublishedBeforeCommit)
    {
        let events = domain::event::new_events(Some(&order), &canceled);
        publisher(world, who).publish(&events).await;
    }
}
