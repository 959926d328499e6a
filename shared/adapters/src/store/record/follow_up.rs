//! Follow-ups within an item. A release may add kinds, with names of up to 32 bytes. One that
//! adds an attribute makes another format of it: a release that does not know it cannot write the list as it was.

use domain::order::{FollowUp, FollowUpKind};
use domain::reservation::ReservationId;
use domain::timestamp::Timestamp;
use domain::unrecognized::Unrecognized;
use serde::{Deserialize, Serialize};
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
}

/// The bytes of a reservation's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReservationRecord(#[serde(with = "serde_bytes")] Vec<u8>);

impl TryFrom<FollowUpRecord> for FollowUp {
    type Error = DecodeError;

    fn try_from(record: FollowUpRecord) -> Result<Self, DecodeError> {
        let FollowUpRecord { kind, at, since, attempts, reservation } = record;
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
        })
    }
}

impl From<&FollowUp> for FollowUpRecord {
    fn from(follow_up: &FollowUp) -> Self {
        let FollowUp { kind, at, since, attempts } = follow_up;
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
