//! The state machine of an order: one total function, from which documents, enums and `allowed_transitions` come.

use std::fmt;

use crate::invalid::{Invalid, InvalidCode};
use crate::unrecognized::Unrecognized;

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Accepted, not yet confirmed with a partner; only a follow-up confirms it.
    Pending,
    /// Customer known, stock reserved.
    Confirmed,
    /// Being picked and packed.
    Processing,
    /// Handed to a carrier.
    Shipped,
    /// With the customer; terminal.
    Delivered,
    /// Not wanted any more; terminal.
    Canceled,
    /// A status of a newer release.
    Unrecognized(Unrecognized),
}

/// A move the state machine does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} cannot become {to}")]
pub struct IllegalTransition {
    /// The present status.
    pub from: Status,
    /// The status asked for.
    pub to: Status,
}

/// What a legal request to change the status amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The order is there already: no new version, no event.
    Stay,
    /// The order moves.
    Move,
}

impl Status {
    /// Every status of this release, in the order of an order's life.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Confirmed, Self::Processing, Self::Shipped, Self::Delivered, Self::Canceled];

    /// The statuses an order may move to from this one. Whatever a newer release made of an order, it can be canceled.
    #[must_use]
    pub const fn allowed(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Confirmed, Self::Canceled],
            Self::Confirmed => &[Self::Processing, Self::Canceled],
            Self::Processing => &[Self::Shipped, Self::Canceled],
            Self::Unrecognized(_) => &[Self::Canceled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Canceled => &[],
        }
    }

    /// What a request to become `to` amounts to.
    ///
    /// # Errors
    /// [`IllegalTransition`] when `to` is neither this status nor in [`Status::allowed`].
    pub fn transition(self, to: Self) -> Result<Transition, IllegalTransition> {
        if self == to {
            Ok(Transition::Stay)
        } else if self.allowed().contains(&to) {
            Ok(Transition::Move)
        } else {
            Err(IllegalTransition { from: self, to })
        }
    }

    /// Whether lines may still be replaced.
    #[must_use]
    pub const fn lines_are_open(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }

    /// The wire form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Processing => "processing",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Canceled => "canceled",
            Self::Unrecognized(name) => name.as_str(),
        }
    }

    /// Parses the wire form; `cancelled` is read as `canceled`.
    ///
    /// # Errors
    /// [`InvalidCode::Unknown`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = if text == "cancelled" { "canceled" } else { text };
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(Self::as_str).collect();
            Invalid::new(InvalidCode::Unknown, format_args!("must be one of {}", names.join(", ")))
        })
    }

    /// The status that was stored under this name.
    #[must_use]
    pub fn restore(name: &str) -> Self {
        Self::parse(name).unwrap_or_else(|_| Self::Unrecognized(Unrecognized::new(name)))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The state of the order's reservation with the inventory service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inventory {
    /// Nothing is known to be reserved yet.
    Unconfirmed,
    /// The lines are reserved.
    Reserved,
    /// The reservation is to be released; a follow-up does it.
    ReleasePending,
    /// Nothing is reserved any more.
    Released,
    /// A state of a newer release.
    Unrecognized(Unrecognized),
}

impl Inventory {
    /// Every state of this release.
    pub const ALL: [Self; 4] = [Self::Unconfirmed, Self::Reserved, Self::ReleasePending, Self::Released];

    /// The state once the order no longer wants its lines. What is not known to be reserved may be reserved all the
    /// same: a reservation can succeed and its answer be lost.
    #[must_use]
    pub const fn given_up(self) -> Self {
        match self {
            Self::Unconfirmed | Self::Reserved | Self::ReleasePending | Self::Unrecognized(_) => Self::ReleasePending,
            Self::Released => Self::Released,
        }
    }

    /// The wire form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Reserved => "reserved",
            Self::ReleasePending => "release_pending",
            Self::Released => "released",
            Self::Unrecognized(name) => name.as_str(),
        }
    }

    /// The state that was stored under this name.
    #[must_use]
    pub fn restore(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == name);
        known.unwrap_or_else(|| Self::Unrecognized(Unrecognized::new(name)))
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn any_status() -> impl Strategy<Value = Status> {
        select(Status::ALL.to_vec())
    }

    #[test]
    fn the_machine_is_the_one_of_the_design() {
        let table: Vec<String> = Status::ALL
            .iter()
            .map(|from| {
                format!("{from} -> {}", from.allowed().iter().map(Status::as_str).collect::<Vec<_>>().join(" | "))
            })
            .collect();
        assert_eq!(
            table,
            [
                "pending -> confirmed | canceled",
                "confirmed -> processing | canceled",
                "processing -> shipped | canceled",
                "shipped -> delivered",
                "delivered -> ",
                "canceled -> ",
            ]
        );
    }

    #[test]
    fn an_order_of_a_status_that_a_newer_release_wrote_keeps_it_and_can_be_canceled() {
        let newer = Status::restore("on_hold");
        assert_eq!(newer.as_str(), "on_hold");
        assert_eq!(newer.transition(Status::Canceled), Ok(Transition::Move));
        assert!(newer.transition(Status::Shipped).is_err() && Status::parse("on_hold").is_err());
    }

    #[test]
    fn both_spellings_of_canceled_are_read() {
        assert_eq!(Status::parse("cancelled"), Status::parse("canceled"));
        assert!(Status::parse("Canceled").is_err());
    }

    proptest! {
        #[test]
        fn a_move_is_legal_exactly_when_the_table_lists_it(from in any_status(), to in any_status()) {
            let expected = if from == to {
                Ok(Transition::Stay)
            } else if from.allowed().contains(&to) {
                Ok(Transition::Move)
            } else {
                Err(IllegalTransition { from, to })
            };
            prop_assert_eq!(from.transition(to), expected);
        }

        #[test]
        fn every_walk_ends_in_a_terminal_status_without_visiting_one_twice(choices in prop::collection::vec(0usize..2, 0..10)) {
            let mut status = Status::Pending;
            let mut visited = vec![status];
            for choice in choices {
                let Some(&next) = status.allowed().get(choice % status.allowed().len().max(1)) else { break };
                prop_assert!(!visited.contains(&next));
                visited.push(next);
                status = next;
            }
            prop_assert!(visited.len() <= Status::ALL.len());
        }

        #[test]
        fn every_status_survives_its_text_form(status in any_status()) {
            prop_assert_eq!(Status::parse(status.as_str()), Ok(status));
        }
    }
}
