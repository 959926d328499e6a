//! What one attempt came to, and what that means for another.

use std::time::{Duration, SystemTime};

use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::error::ErrorKind;
use crate::problem::{Problem, ProblemKind};

/// The largest answer that is read; the service's own limit is 10 MB, API Gateway's.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// What one attempt came to.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Success(Success<T>),
    Problem(Problem),
    /// An answer, but none of this API.
    Unreadable {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// No answer.
    Failed(reqwest::Error),
}

/// An answer that is no problem.
#[derive(Debug)]
pub(crate) struct Success<T> {
    pub status: u16,
    /// The body; none for 204 and 304.
    pub value: Option<T>,
    /// Whether an earlier request had this effect (`Idempotent-Replayed`).
    pub is_replayed: bool,
}

/// What an outcome says of the request's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The request is decided.
    Final,
    /// The request had no effect; sent again it may have.
    NotNow,
    /// The request had its effect, or not.
    Unknown,
}

impl<T: DeserializeOwned> Outcome<T> {
    /// Reads a response to its end.
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let retry_after = retry_after(&headers);
        let unreadable = Self::Unreadable { status, retry_after };
        let body = match body(response).await {
            Ok(Some(body)) => body,
            Ok(None) => return unreadable,
            Err(error) => return Self::Failed(error.without_url()),
        };
        let value = match status {
            204 | 304 => Ok(None),
            200..=299 => serde_json::from_slice(&body).map(Some),
            _ => return Problem::read(status, retry_after, &body).map_or(unreadable, Self::Problem),
        };
        let is_replayed = headers.get("idempotent-replayed").is_some_and(|value| value == "true");
        value.map_or(unreadable, |value| Self::Success(Success { status, value, is_replayed }))
    }
}

impl<T> Outcome<T> {
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Success(_) => Verdict::Final,
            Self::Problem(problem) => match problem.kind {
                ProblemKind::Conflict | ProblemKind::ReservationUnconfirmed => Verdict::NotNow,
                _ => of_status(problem.status),
            },
            // A success that cannot be read is one all the same, or a proxy's own page.
            Self::Unreadable { status: 200..=299, .. } => Verdict::Unknown,
            Self::Unreadable { status, .. } => of_status(*status),
            Self::Failed(error) if error.is_connect() => Verdict::NotNow,
            Self::Failed(error) if error.is_builder() => Verdict::Final,
            Self::Failed(_) => Verdict::Unknown,
        }
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Success(success) => Some(success.status),
            Self::Problem(problem) => Some(problem.status),
            Self::Unreadable { status, .. } => Some(*status),
            Self::Failed(_) => None,
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Success(_) | Self::Failed(_) => None,
            Self::Problem(problem) => problem.retry_after,
            Self::Unreadable { retry_after, .. } => *retry_after,
        }
    }

    pub fn into_result(self) -> Result<Success<T>, ErrorKind> {
        match self {
            Self::Success(success) => Ok(success),
            Self::Problem(problem) => Err(ErrorKind::Problem(Box::new(problem))),
            Self::Unreadable { status, .. } => Err(ErrorKind::Unreadable { status }),
            Self::Failed(error) => Err(ErrorKind::NoAnswer(error)),
        }
    }
}

fn of_status(status: u16) -> Verdict {
    match status {
        429 => Verdict::NotNow,
        408 | 500.. => Verdict::Unknown,
        _ => Verdict::Final,
    }
}

/// The whole body; `None` when it is too large.
async fn body(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Seconds or an HTTP date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    text.parse().map(Duration::from_secs).ok().or_else(|| {
        let at = httpdate::parse_http_date(text).ok()?;
        Some(at.duration_since(SystemTime::now()).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(text: &str) -> Option<Duration> {
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]))
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        assert!(wait(&date).is_some_and(|wait| (58..=60).contains(&wait.as_secs())));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!((wait("soon"), wait("-1"), retry_after(&HeaderMap::new())), (None, None, None));
    }
}
