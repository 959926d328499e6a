//! Cursors: where a page ended, signed, and bound to the tenant and the filters they were made for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::OrderId;
use domain::listing::{Filter, ListQuery, Position};
use domain::timestamp::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::config::{self, ConfigError};
use crate::problem::{Code, Problem};

/// Creation time (8 bytes), id (16 bytes), signature (the first 16 bytes of HMAC-SHA256).
const PLACE: usize = 24;
const SIGNATURE: usize = 16;

/// A shorter secret is not worth its name: HMAC-SHA256 wants as many bytes as it gives (RFC 2104 §3).
const SHORTEST_SECRET: usize = 32;

/// Makes and reads cursors.
#[derive(Clone)]
pub struct Cursors {
    /// Signs.
    current: Hmac<Sha256>,
    /// What was signed with it before the secret was rotated is read as well.
    previous: Option<Hmac<Sha256>>,
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cursors").finish_non_exhaustive()
    }
}

impl Cursors {
    /// Signs with the secret in `CURSOR_SECRET`; reads also what was signed with `PREVIOUS_CURSOR_SECRET`, if there is one.
    ///
    /// # Errors
    /// [`ConfigError`] when the secret is missing, or one has fewer than 32 characters.
    pub fn from_env() -> Result<Self, ConfigError> {
        let current = key("CURSOR_SECRET", &config::required("CURSOR_SECRET")?)?;
        let previous = config::optional("PREVIOUS_CURSOR_SECRET");
        let previous = previous.map(|secret| key("PREVIOUS_CURSOR_SECRET", &secret)).transpose()?;
        Ok(Self { current, previous })
    }

    /// Signs with this secret, of at least 32 characters.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub fn new(secret: &str) -> Result<Self, ConfigError> {
        Ok(Self { current: key("CURSOR_SECRET", secret)?, previous: None })
    }

    /// The cursor after this place of the query's list.
    #[must_use]
    pub fn write(&self, query: &ListQuery, place: Position) -> String {
        let place = bytes(place);
        let signature = bound(self.current.clone(), query, &place).finalize().into_bytes();
        let signature = signature.iter().copied().take(SIGNATURE);
        URL_SAFE_NO_PAD.encode(place.into_iter().chain(signature).collect::<Vec<u8>>())
    }

    /// The place in a cursor that was made for this query.
    ///
    /// # Errors
    /// [`Code::InvalidCursor`] for a cursor that was forged, or made for another tenant or other filters.
    pub fn read(&self, query: &ListQuery, cursor: &str) -> Result<Position, Problem> {
        let invalid = || Problem::new(Code::InvalidCursor);
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (place, signature) = bytes.split_at_checked(PLACE).ok_or_else(invalid)?;
        if signature.len() != SIGNATURE {
            return Err(invalid());
        }
        let keys = [Some(&self.current), self.previous.as_ref()];
        // In constant time, so that no signature can be guessed byte by byte.
        let is_of = |key: &Hmac<Sha256>| bound(key.clone(), query, place).verify_truncated_left(signature).is_ok();
        let is_genuine = keys.into_iter().flatten().any(is_of);
        if is_genuine { position(place).ok_or_else(invalid) } else { Err(invalid()) }
    }
}

/// The key of a secret.
fn key(name: &'static str, secret: &str) -> Result<Hmac<Sha256>, ConfigError> {
    let invalid = |detail: &str| ConfigError::Invalid { name, detail: detail.to_owned() };
    if secret.len() < SHORTEST_SECRET {
        return Err(invalid("it has fewer than 32 characters"));
    }
    Hmac::new_from_slice(secret.as_bytes()).map_err(|_| invalid("it is no key"))
}

/// The signature of everything that a cursor is bound to, each part preceded by its length.
fn bound(mut mac: Hmac<Sha256>, query: &ListQuery, place: &[u8]) -> Hmac<Sha256> {
    let (kind, value) = match &query.filter {
        Filter::All => ("all", ""),
        Filter::Status(status) => ("status", status.as_str()),
        Filter::Customer(customer) => ("customer", customer.as_str()),
    };
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let (after, before) = (text(query.created_after), text(query.created_before));
    for part in [
        query.tenant.as_str().as_bytes(),
        kind.as_bytes(),
        value.as_bytes(),
        after.as_bytes(),
        before.as_bytes(),
        place,
    ] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

fn bytes(place: Position) -> [u8; PLACE] {
    let mut bytes = [0; PLACE];
    let parts = place.created_at.as_millis().to_be_bytes().into_iter().chain(*place.id.as_uuid().as_bytes());
    for (to, from) in bytes.iter_mut().zip(parts) {
        *to = from;
    }
    bytes
}

fn position(bytes: &[u8]) -> Option<Position> {
    let (millis, id) = bytes.split_first_chunk::<8>()?;
    Some(Position {
        created_at: Timestamp::from_millis(i64::from_be_bytes(*millis)),
        id: OrderId::from_uuid(Uuid::from_slice(id).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use domain::id::{CustomerId, TenantId};
    use domain::listing::Limit;
    use domain::memory::sample;
    use domain::status::Status;

    use super::*;

    const SECRET: &str = "a secret of at least 32 characters";

    fn query() -> ListQuery {
        ListQuery {
            tenant: sample::tenant(),
            filter: Filter::All,
            created_after: None,
            created_before: None,
            after: None,
            limit: Limit::default(),
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_whatever_the_limit() {
        let cursors = Cursors::new(SECRET).unwrap();
        let place = Position::of(&sample::order());
        let cursor = cursors.write(&query(), place);
        let other_limit = ListQuery { limit: Limit::parse("3").unwrap(), ..query() };
        assert_eq!(cursors.read(&other_limit, &cursor).unwrap(), place);
    }

    #[test]
    fn a_forged_or_foreign_cursor_is_refused() {
        let cursors = Cursors::new(SECRET).unwrap();
        let cursor = cursors.write(&query(), Position::of(&sample::order()));
        let mut flipped = cursor.clone().into_bytes();
        flipped[3] = if flipped[3] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(flipped).unwrap();
        for forged in ["", "x", "%%%", &cursor[..20], &flipped, &format!("{cursor}AAAA")] {
            assert!(cursors.read(&query(), forged).is_err(), "{forged}");
        }
        let foreign = [
            ListQuery { tenant: TenantId::parse("other").unwrap(), ..query() },
            ListQuery { filter: Filter::Status(Status::Shipped), ..query() },
            ListQuery { created_after: Some(sample::stamp(1).at), ..query() },
            ListQuery { created_before: Some(sample::stamp(1).at), ..query() },
        ];
        for query in foreign {
            assert!(cursors.read(&query, &cursor).is_err(), "{query:?}");
        }
        let other = Cursors::new("another secret of at least 32 characters").unwrap();
        assert!(other.read(&query(), &cursor).is_err());
    }

    #[test]
    fn a_cursor_is_for_one_filter_and_one_side_of_a_time() {
        let cursors = Cursors::new(SECRET).unwrap();
        let of = |filter| ListQuery { filter, ..query() };
        let time = Some(sample::stamp(1).at);
        let lists = [
            of(Filter::Status(Status::Shipped)),
            of(Filter::Status(Status::Canceled)),
            of(Filter::Customer(CustomerId::parse("shipped").unwrap())),
            of(Filter::Customer(CustomerId::parse("other").unwrap())),
            ListQuery { created_after: time, ..query() },
            ListQuery { created_before: time, ..query() },
        ];
        for (written, list) in lists.iter().enumerate() {
            let cursor = cursors.write(list, Position::of(&sample::order()));
            for (read, list) in lists.iter().enumerate() {
                assert_eq!(cursors.read(list, &cursor).is_ok(), read == written, "{written} {read}");
            }
        }
    }

    #[test]
    fn a_signature_that_is_cut_short_is_none() {
        let cursors = Cursors::new(SECRET).unwrap();
        let cursor = URL_SAFE_NO_PAD.decode(cursors.write(&query(), Position::of(&sample::order()))).unwrap();
        assert!(cursors.read(&query(), &URL_SAFE_NO_PAD.encode(&cursor)).is_ok());
        for length in 0..cursor.len() {
            assert!(cursors.read(&query(), &URL_SAFE_NO_PAD.encode(&cursor[..length])).is_err(), "{length}");
        }
    }

    #[test]
    fn a_cursor_outlives_one_rotation_of_the_secret() {
        let place = Position::of(&sample::order());
        let [first, second, third] =
            ["first", "second", "third"].map(|name| key("S", &format!("{name} {SECRET}")).unwrap());
        let of = |current: &Hmac<Sha256>, previous: Option<&Hmac<Sha256>>| Cursors {
            current: current.clone(),
            previous: previous.cloned(),
        };
        let cursor = of(&first, None).write(&query(), place);
        let rotated = of(&second, Some(&first));
        assert_eq!(rotated.read(&query(), &cursor).unwrap(), place);
        assert_ne!(rotated.write(&query(), place), cursor, "the current secret signs");
        assert!(of(&third, Some(&second)).read(&query(), &cursor).is_err());
        assert!(of(&second, None).read(&query(), &cursor).is_err(), "a secret that leaked is given up at once");
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_none() {
        for secret in ["", "secret", &"x".repeat(31)] {
            assert!(Cursors::new(secret).is_err(), "{secret}");
        }
        assert!(!format!("{:?}", Cursors::new(SECRET).unwrap()).contains(SECRET));
    }
}
