//! Follow-ups within an item. A release may add kinds, with names of up to 32 bytes, and attributes: a release that does
//! not know them writes them as it read them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::order::{FollowUp, FollowUpKind};
use domain::reservation::ReservationId;
use domain::timestamp::Timestamp;
use domain::unrecognized::Unrecognized;
use serde::{Deserialize, Serialize};
use serde_dynamo::{AttributeValue, Item};
use uuid::Uuid;

use super::value::DecodeError;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FollowUpRecord {
    #[serde(rename = "k")]
    kind: String,
    /// milliseconds
    #[serde(rename = "t")]
    at: i64,
    /// milliseconds, when it is not `t`
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
    /// when there were any
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    /// the reservation that it is about
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    reservation: Option<ReservationRecord>,
    /// See [`FollowUp::as_read`]: the attributes in DynamoDB's JSON.
    #[serde(skip)]
    as_read: Option<Arc<str>>,
}

/// The attributes that this release knows.
const NAMES: [&str; 5] = ["k", "t", "s", "n", "r"];

/// The bytes of a reservation's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReservationRecord(#[serde(with = "serde_bytes")] Vec<u8>);

impl TryFrom<FollowUpRecord> for FollowUp {
    type Error = DecodeError;

    fn try_from(record: FollowUpRecord) -> Result<Self, DecodeError> {
        let FollowUpRecord { kind, at, since, attempts, reservation, as_read } = record;
        let kind = match (kind.as_str(), reservation) {
            ("complete", None) => FollowUpKind::Complete,
            ("confirm", None) => FollowUpKind::Confirm,
            ("release", Some(reservation)) => FollowUpKind::Release(reservation.try_into()?),
            ("erase", None) => FollowUpKind::Erase,
            (newer, reservation) => {
                let reservation = reservation.map(ReservationId::try_from).transpose()?;
                FollowUpKind::Unrecognized { name: Unrecognized::new(newer), reservation }
            }
        };
        Ok(Self {
            kind,
            at: Timestamp::from_millis(at),
            since: Timestamp::from_millis(since.unwrap_or(at)),
            attempts: attempts.unwrap_or_default(),
            as_read,
        })
    }
}

impl From<&FollowUp> for FollowUpRecord {
    fn from(follow_up: &FollowUp) -> Self {
        let FollowUp { kind, at, since, attempts, as_read } = follow_up;
        let (kind, reservation) = match kind {
            FollowUpKind::Complete => ("complete", None),
            FollowUpKind::Confirm => ("confirm", None),
            FollowUpKind::Release(id) => ("release", Some(id.into())),
            FollowUpKind::Erase => ("erase", None),
            FollowUpKind::Unrecognized { name, reservation } => (name.as_str(), reservation.as_ref().map(Into::into)),
        };
        Self {
            kind: kind.to_owned(),
            at: at.as_millis(),
            since: (since != at).then(|| since.as_millis()),
            attempts: Some(*attempts).filter(|attempts| *attempts > 0),
            reservation,
            as_read: as_read.clone(),
        }
    }
}

impl FollowUpRecord {
    /// Remembers the attributes that it was read from, when this release would write others.
    fn read_from(self, attributes: HashMap<String, AttributeValue>) -> Result<Self, DecodeError> {
        let written = serde_dynamo::to_item::<_, Item>(FollowUpRecord::from(&FollowUp::try_from(self.clone())?))?;
        if *written == attributes {
            return Ok(self);
        }
        // In the order of their names: two orders that were read from the same item are the same.
        let attributes: BTreeMap<_, _> = attributes.iter().collect();
        let json = serde_json::to_string(&attributes).map_err(|_| DecodeError::NotA("follow-up"))?;
        Ok(Self { as_read: Some(json.into()), ..self })
    }

    /// What is written: what it was read from, with what was changed since.
    fn merged(&self, attributes: &HashMap<String, AttributeValue>) -> Option<HashMap<String, AttributeValue>> {
        let as_read: HashMap<String, AttributeValue> = serde_json::from_str(self.as_read.as_ref()?).ok()?;
        let record: Self = serde_dynamo::from_item(Item::from(as_read.clone())).ok()?;
        let is_same = FollowUp::try_from(record)
            .is_ok_and(|read| Self { as_read: None, ..Self::from(&read) } == Self { as_read: None, ..self.clone() });
        if is_same {
            return Some(as_read);
        }
        let unknown = as_read.into_iter().filter(|(name, _)| !NAMES.contains(&name.as_str()));
        Some(unknown.chain(attributes.clone()).collect())
    }
}

/// Has records remember the attributes that they were read from.
pub(super) fn read_from(
    records: Vec<FollowUpRecord>,
    attributes: Option<AttributeValue>,
) -> Result<Vec<FollowUpRecord>, DecodeError> {
    let Some(AttributeValue::L(list)) = attributes else { return Ok(records) };
    let read = |(record, attributes): (FollowUpRecord, _)| match attributes {
        AttributeValue::M(attributes) => record.read_from(attributes),
        _ => Ok(record),
    };
    records.into_iter().zip(list).map(read).collect()
}

/// Writes records as they were read, but for what was changed since.
pub(super) fn merge(records: &[FollowUpRecord], attributes: Option<&mut AttributeValue>) {
    let Some(AttributeValue::L(list)) = attributes else { return };
    for (record, attributes) in records.iter().zip(list) {
        if let AttributeValue::M(known) = attributes
            && let Some(merged) = record.merged(known)
        {
            *known = merged;
        }
    }
}

impl TryFrom<ReservationRecord> for ReservationId {
    type Error = DecodeError;

    fn try_from(record: ReservationRecord) -> Result<Self, DecodeError> {
        let id = Uuid::from_slice(&record.0).map_err(|_| DecodeError::NotA("reservation"))?;
        Ok(Self::from_uuid(id))
    }
}

impl From<&ReservationId> for ReservationRecord {
    fn from(id: &ReservationId) -> Self {
        Self(id.as_uuid().as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_attributes_are_remembered_as_the_same_text() {
        let read = || {
            let unknown = (0..20).map(|n| (format!("x{n}"), AttributeValue::N(n.to_string())));
            let known = [("k", AttributeValue::S("confirm".to_owned())), ("t", AttributeValue::N("1".to_owned()))];
            let attributes: HashMap<_, _> =
                known.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(unknown).collect();
            let record: FollowUpRecord = serde_dynamo::from_item(Item::from(attributes.clone())).unwrap();
            FollowUp::try_from(record.read_from(attributes).unwrap()).unwrap()
        };
        assert!(read().as_read.is_some());
        assert_eq!(read(), read());
    }
}
