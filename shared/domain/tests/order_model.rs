//! Random commands on an order, checked against a model that is too simple to be wrong.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use domain::details::{Edit, Patch};
use domain::event::new_events;
use domain::history::EventKind;
use domain::line::Lines;
use domain::memory::sample;
use domain::metadata::Metadata;
use domain::order::{Due, FollowUpKind, NewLines, Order, Refused};
use domain::reservation::ReservationId;
use domain::shipment::Shipment;
use domain::status::{Inventory, Status};
use domain::text::{Notes, Text};
use proptest::prelude::*;
use proptest::sample::select;

#[derive(Debug, Clone)]
enum Command {
    Move(Status),
    Ship(u8),
    Notes(Option<u8>),
    ClearMetadata,
    Lines(Vec<(u32, u32)>),
    Delete,
    /// What is due for its reservations is done, or fails.
    FollowUp(bool),
}

fn command() -> impl Strategy<Value = Command> {
    let line = (1u32..=3, 1u32..=5);
    prop_oneof![
        4 => select(Status::ALL.to_vec()).prop_map(Command::Move),
        2 => (0u8..3).prop_map(Command::Ship),
        2 => prop::option::of(0u8..3).prop_map(Command::Notes),
        1 => Just(Command::ClearMetadata),
        2 => prop::collection::vec(line, 1..4).prop_map(Command::Lines),
        1 => Just(Command::Delete),
        2 => any::<bool>().prop_map(Command::FollowUp),
    ]
}

/// What the order must look like.
struct Model {
    status: Status,
    inventory: Inventory,
    version: u64,
    total: i64,
    shipping: Option<u8>,
    notes: Option<u8>,
    has_metadata: bool,
    is_permanent: bool,
    releases: usize,
    events: Vec<EventKind>,
}

impl Model {
    fn new() -> Self {
        Self {
            status: Status::Confirmed,
            inventory: Inventory::Reserved,
            version: 1,
            total: 397,
            shipping: None,
            notes: None,
            has_metadata: true,
            is_permanent: false,
            releases: 0,
            events: vec![EventKind::OrderCreated, EventKind::InventoryReserved, EventKind::OrderConfirmed],
        }
    }

    /// Applies a command; whether it makes a version, or `None` when it must be refused.
    fn apply(&mut self, command: &Command) -> Option<bool> {
        let event = match command {
            Command::Move(to) if *to == self.status => return Some(false),
            Command::Move(to) => {
                let event = match (self.status, to) {
                    (Status::Confirmed, Status::Processing) => EventKind::OrderUpdated,
                    (Status::Processing, Status::Shipped) => EventKind::OrderShipped,
                    (Status::Shipped, Status::Delivered) => EventKind::OrderDelivered,
                    (Status::Confirmed | Status::Processing, Status::Canceled) => EventKind::OrderCanceled,
                    _ => return None,
                };
                if event == EventKind::OrderShipped && !self.is_permanent {
                    return None;
                }
                self.status = *to;
                if *to == Status::Canceled {
                    self.give_up();
                }
                event
            }
            Command::Ship(_) if self.status == Status::Canceled => return None,
            Command::Ship(_) if self.status == Status::Processing && !self.is_permanent => return None,
            Command::Ship(n) if self.status == Status::Processing => {
                (self.shipping, self.status) = (Some(*n), Status::Shipped);
                EventKind::OrderShipped
            }
            Command::Ship(n) if self.shipping == Some(*n) => return Some(false),
            Command::Ship(n) => {
                self.shipping = Some(*n);
                EventKind::OrderUpdated
            }
            Command::Notes(notes) if *notes == self.notes => return Some(false),
            Command::Notes(notes) => {
                self.notes = *notes;
                EventKind::OrderUpdated
            }
            Command::ClearMetadata if !self.has_metadata => return Some(false),
            Command::ClearMetadata => {
                self.has_metadata = false;
                EventKind::OrderUpdated
            }
            Command::Lines(_) if self.status != Status::Confirmed || self.releases == 10 => return None,
            Command::Lines(lines) => {
                (self.is_permanent, self.releases) = (false, self.releases + 1);
                self.total = lines.iter().map(|(n, quantity)| (i64::from(*n) * 100 - 1) * i64::from(*quantity)).sum();
                EventKind::OrderUpdated
            }
            Command::Delete if self.status == Status::Shipped => return None,
            Command::Delete => {
                if self.status != Status::Delivered {
                    self.give_up();
                }
                EventKind::OrderDeleted
            }
            Command::FollowUp(false) => return Some(false),
            Command::FollowUp(true) => {
                (self.is_permanent, self.releases) = (true, 0);
                if self.inventory != Inventory::ReleasePending {
                    return Some(false);
                }
                self.inventory = Inventory::Released;
                EventKind::InventoryReleased
            }
        };
        self.version += 1;
        self.events.push(event);
        if matches!(command, Command::Lines(_)) {
            self.events.push(EventKind::InventoryReserved);
        }
        Some(true)
    }

    fn is_confirmed(&self) -> bool {
        self.inventory == Inventory::Reserved && self.is_permanent
    }

    fn give_up(&mut self) {
        if self.inventory == Inventory::Reserved {
            (self.inventory, self.releases) = (Inventory::ReleasePending, self.releases + 1);
        }
    }
}

/// Applies a command to a real order: what becomes of it, which may be the same version; `None` when nothing does.
fn apply(order: &Order, command: &Command, n: u32) -> Result<Option<Order>, Refused> {
    let stamp = sample::stamp(n);
    match command {
        Command::Move(to) => order.transition(*to, None, stamp),
        Command::Ship(n) => order.ship(shipment(*n), stamp),
        Command::Notes(notes) => {
            let notes = notes.map_or(Patch::Clear, |n| Patch::Set(Notes::parse(format!("note {n}")).unwrap()));
            order.edit(&Edit { notes, ..Edit::default() }, None, stamp)
        }
        Command::ClearMetadata => {
            order.edit(&Edit { metadata: Patch::Set(Metadata::default()), ..Edit::default() }, None, stamp)
        }
        Command::Lines(lines) => {
            let products: Vec<_> = (1..=3).map(sample::product).collect();
            let lines = Lines::priced(&sample::lines(lines), &products).unwrap();
            let reservation = ReservationId::of_attempt(order.id, &stamp.request_id, 0);
            order.edit(&Edit::default(), Some(NewLines { lines, reservation }), stamp)
        }
        Command::FollowUp(works) => Ok(order.due(sample::stamp(1_000_000).at).map(|due| match due {
            Due::Reservations { confirm, release } if *works => order.followed_up(confirm, &release, stamp),
            Due::Reservations { .. } => order.followed_up(false, &[], stamp),
            Due::Complete | Due::Erase => unreachable!("neither pending nor deleted"),
        })),
        Command::Delete => order.delete(Duration::from_secs(60), stamp).map(Some),
    }
}

fn shipment(n: u8) -> Shipment {
    Shipment {
        carrier: Text::parse("Carrier").unwrap(),
        tracking_number: Text::parse(format!("track-{n}")).unwrap(),
        tracking_url: None,
        service: None,
        shipped_at: None,
        estimated_delivery: None,
    }
}

fn agrees(order: &Order, model: &Model, announced: &[EventKind]) -> Result<(), TestCaseError> {
    prop_assert_eq!((order.status, order.inventory), (model.status, model.inventory));
    prop_assert_eq!(order.version, model.version);
    let releases = order.follow_ups.iter().filter(|follow_up| matches!(follow_up.kind, FollowUpKind::Release(_)));
    prop_assert_eq!((order.is_reservation_confirmed(), releases.count()), (model.is_confirmed(), model.releases));
    prop_assert_eq!(order.lines.total().unwrap().amount(), model.total);
    let sum: i64 = order.lines.as_slice().iter().map(|line| line.price.as_ref().unwrap().total.amount()).sum();
    prop_assert_eq!(order.lines.total().unwrap().amount(), sum);
    let versions: Vec<u64> = order.history.iter().map(|entry| entry.version).collect();
    let first = order.version.saturating_sub(Order::HISTORY_KEPT as u64) + 1;
    prop_assert_eq!(versions, (first..=order.version).collect::<Vec<_>>());
    prop_assert_eq!(announced, &model.events[..]);
    let mut ids: Vec<_> = order.lines.as_slice().iter().map(|line| line.id).collect();
    ids.sort_unstable();
    ids.dedup();
    prop_assert_eq!(ids.len(), order.lines.as_slice().len());
    Ok(())
}

proptest! {
    #[test]
    fn every_sequence_of_commands_gives_a_legal_history(commands in prop::collection::vec(command(), 0..130)) {
        let mut order = sample::order();
        let mut model = Model::new();
        let mut announced: Vec<EventKind> = new_events(0, &order).iter().map(|event| event.kind).collect();
        for (n, command) in (10..).zip(&commands) {
            if order.is_deleted() {
                break;
            }
            let outcome = apply(&order, command, n);
            match (outcome, model.apply(command)) {
                (Ok(Some(next)), Some(is_new)) if (next.version > order.version) == is_new => {
                    announced.extend(new_events(order.version, &next).iter().map(|event| event.kind));
                    order = next;
                }
                (Ok(None), Some(false)) | (Err(_), None) => {}
                (outcome, expected) => prop_assert!(false, "{command:?}: {outcome:?}, expected {expected:?}"),
            }
            agrees(&order, &model, &announced)?;
        }
    }
}
