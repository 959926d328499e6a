//! The storefronts: what they ask for, and what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::details::Details;
use domain::details::{Edit, Patch};
use domain::draft::OrderDraft;
use domain::fingerprint::Fingerprint;
use domain::id::{CustomerId, IdempotencyKey, OrderId};
use domain::memory::sample;
use domain::order::{Order, Refused};
use domain::ports::{EventPublisher, Ids, InventoryService, OrderStore, StoreError, Tally};
use domain::reservation::ReservationId;
use domain::shipment::Shipment;
use domain::status::Status;
use domain::text::Text;
use domain::use_cases::{
    ChangeError, EditError, EditOrder, IfMatch, OrderRequest, PlaceOrder, PlaceOrderError, Target, change_order,
};

use crate::bugs::Bug;
use crate::channels::publisher;
use crate::partners::REFUSED;
use crate::world::{Ports, Who, World};

/// `RetentionDays`
pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A customer of whom the customer service knows nothing.
pub const STRANGER: &str = "nobody";

/// What clients, and operators, were told.
#[derive(Default)]
pub struct Ledger {
    /// Orders that a client was told exist, with what it asked for.
    pub placed: Vec<(OrderId, Fingerprint)>,
    /// Orders that a client was told are gone.
    pub gone: Vec<OrderId>,
    /// How many changes clients were told were made: by order, and request.
    pub changed: BTreeMap<(OrderId, String), usize>,
    /// Requests that were refused for good.
    pub refused: Vec<String>,
    /// Orders that were shipped before their reservation was confirmed.
    pub shipped_early: Vec<OrderId>,
    /// What follow-ups did wrong about reservations.
    pub mistakes: Vec<String>,
    /// Edits that were told of an outage.
    pub unavailable: usize,
    /// What the reconciler found in the end.
    pub reconciled: Option<Tally>,
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
        let customer = if world.chance(60) { STRANGER } else { ["cust-1", "cust-2"][world.pick(2)] };
        let lines: Vec<(u32, u32)> = match world.pick(10) {
            0..=2 => vec![(1, quantity(world))],
            3..=5 => vec![(1, quantity(world)), (2, quantity(world))],
            6 => vec![(REFUSED, 1)],
            _ => vec![(2, quantity(world)), (3, quantity(world))],
        };
        let draft = OrderDraft {
            customer: CustomerId::parse(customer).unwrap(),
            lines: sample::lines(&lines),
            details: Details {
                external_reference: Some(Text::parse(format!("shopper-{n}")).unwrap()),
                ..sample::draft().details
            },
        };
        Self { key: IdempotencyKey::parse(&format!("key-{key}")).unwrap(), draft }
    }

    /// Sends for the order.
    pub async fn place(self, world: Arc<World>, who: Who) {
        let key = if world.bug == Some(Bug::KeyIgnored) { None } else { Some(self.key.clone()) };
        let fingerprint = Fingerprint::of(&self.draft);
        let id = OrderId::derive(&sample::tenant(), None, &self.key);
        let reservation = ReservationId::of_new_order(id, &self.draft.lines);
        let stamp = world.stamp(&who);
        let request = OrderRequest { caller: sample::caller(), key, draft: self.draft, stamp };
        let ports = Ports::of(&world, &who);
        let place = PlaceOrder {
            store: ports.clone(),
            customers: ports.clone(),
            inventory: ports,
            ids: Counting(Arc::clone(&world)),
            home_region: "eu-central-1".to_owned(),
        };
        let answer = place.run(request).await;
        if let (Some(Bug::ThrottledIsReleased), Err(PlaceOrderError::Store(StoreError::Throttled(_)))) =
            (world.bug, &answer)
        {
            drop(place.inventory.release(&sample::tenant(), reservation).await);
        }
        world.note(&who.name, "answered", &answer.as_ref().map(|placed| (placed.order.id, placed.replayed)));
        let mut ledger = world.ledger.lock().unwrap();
        match answer {
            Ok(placed) => ledger.placed.push((placed.order.id, fingerprint)),
            // It may be this request's own order that somebody has deleted since.
            Err(PlaceOrderError::Gone) => ledger.gone.push(id),
            Err(PlaceOrderError::Store(_)) => {}
            Err(_) => ledger.refused.push(who.request_id),
        }
    }
}

fn quantity(world: &World) -> u32 {
    u32::try_from(1 + world.pick(5)).unwrap()
}

/// The world's own count of ids.
struct Counting(Arc<World>);

impl Ids for Counting {
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
    /// Any of them; other lines most often where nothing goes wrong.
    pub fn any(world: &World) -> Self {
        match world.pick(if world.is_calm { 30 } else { 10 }) {
            0 | 1 => Self::Move(Status::Canceled),
            2 | 3 => Self::Move(Status::Processing),
            4 => Self::Move(Status::Delivered),
            5 => Self::Ship,
            6 => Self::Note,
            9 => Self::Delete,
            _ => Self::Lines,
        }
    }

    /// Whether nobody else has asked for the same, so that the order must change.
    const fn always_changes(self) -> bool {
        matches!(self, Self::Ship | Self::Note | Self::Delete)
    }

    /// Asks for it.
    pub async fn ask(self, world: Arc<World>, who: Who, order: OrderId) {
        let stamp = world.stamp(&who);
        let target = Target { caller: sample::caller(), id: order, if_match: IfMatch::Any, stamp: stamp.clone() };
        let store = Ports::of(&world, &who);
        let answer = match self {
            Self::Lines => {
                let lines = sample::lines(&[(1 + u32::try_from(world.pick(3)).unwrap(), quantity(&world))]);
                let edit = EditOrder { inventory: store.clone(), store };
                match edit.run(&target, &Edit::default(), Some(&lines)).await {
                    Err(EditError::Change(error)) => Err(error),
                    // Nothing changed; of a partner that does not answer no more is known.
                    Err(EditError::Lines(_)) => Err(ChangeError::NotFound),
                    Err(EditError::Unavailable(_)) => {
                        world.ledger.lock().unwrap().unavailable += 1;
                        Err(ChangeError::NotFound)
                    }
                    Ok(order) => Ok(order),
                }
            }
            Self::Move(Status::Canceled) => {
                break_order_of_effects(&store, order).await;
                self.change(&store, &target, &who).await
            }
            Self::Move(_) | Self::Ship | Self::Note | Self::Delete => self.change(&store, &target, &who).await,
        };
        world.note(&who.name, "answered", &answer.as_ref().map(|order| order.version));
        self.remember(&world, who, answer);
    }

    async fn change(self, store: &Ports, target: &Target, who: &Who) -> Result<Order, ChangeError> {
        let next = |order: &Order| self.next(order, target, who);
        change_order(store, target, &next).await
    }

    fn next(self, order: &Order, target: &Target, who: &Who) -> Result<Option<Order>, Refused> {
        let stamp = target.stamp.clone();
        match self {
            Self::Move(status) => order.transition(status, None, stamp),
            Self::Ship => {
                let tracking_number = Text::parse(who.name.clone()).unwrap();
                order.ship(Shipment { tracking_number, ..sample::shipment() }, stamp)
            }
            Self::Note => {
                let notes = Patch::Set(Text::parse(who.name.clone()).unwrap());
                order.edit(&Edit { notes, ..Edit::default() }, None, stamp)
            }
            Self::Delete => order.delete(RETENTION, stamp).map(Some),
            Self::Lines => unreachable!("lines are reserved first"),
        }
    }

    fn remember(self, world: &World, who: Who, answer: Result<Order, ChangeError>) {
        let mut ledger = world.ledger.lock().unwrap();
        match answer {
            Ok(order) => {
                let is_made = order.history.iter().any(|entry| entry.stamp.request_id == who.request_id);
                let count = ledger.changed.entry((order.id, who.request_id)).or_default();
                *count = if self.always_changes() { *count + 1 } else { (*count).max(is_made.into()) };
            }
            // A conflict may be with oneself: an earlier attempt whose answer was lost.
            Err(ChangeError::Store(_) | ChangeError::Conflict) => {}
            Err(_) => ledger.refused.push(who.request_id),
        }
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
        drop(ports.release(&order.tenant, order.reservation).await);
    }
    if let Ok(Some(canceled)) = order.transition(Status::Canceled, None, world.stamp(who))
        && world.bug == Some(Bug::PublishedBeforeCommit)
    {
        let events = domain::event::new_events(order.version, &canceled);
        publisher(world, who).publish(&events).await;
    }
}
