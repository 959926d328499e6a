//! One call of the API, as data.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use serde::Serialize;

use crate::error::Error;
use crate::target::Target;

/// What repeating a call can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing.
    Read,
    /// It changes something, once, however often it is sent.
    Idempotent,
    /// Sent again after it took effect, it could undo what somebody else changed meanwhile.
    Once,
}

/// A request that may be sent several times.
#[derive(Debug)]
pub(crate) struct Call {
    pub method: Method,
    /// The path as the documentation writes it, for telemetry.
    pub route: &'static str,
    pub segments: Vec<String>,
    pub query: Vec<(&'static str, String)>,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    pub effect: Effect,
    pub needs_token: bool,
}

impl Call {
    /// A call that only reads.
    pub fn get(route: &'static str, segments: &[&str]) -> Self {
        Self {
            method: Method::GET,
            route,
            segments: segments.iter().map(|segment| (*segment).to_owned()).collect(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            effect: Effect::Read,
            needs_token: true,
        }
    }

    /// A call that changes something once.
    pub fn write(method: Method, route: &'static str, segments: &[&str]) -> Self {
        Self { method, effect: Effect::Idempotent, ..Self::get(route, segments) }
    }

    /// On condition of the target's version, if it has one.
    pub fn on(self, target: &Target) -> Result<Self, Error> {
        match target.if_match() {
            Some(tag) => self.header(IF_MATCH, &tag),
            None => Ok(self),
        }
    }

    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(value)
            .map_err(|_| Error::invalid(format!("the header {name} cannot hold this value")))?;
        self.headers.insert(name, value);
        Ok(self)
    }

    pub fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|error| Error::invalid(format!("the body: {error}")))?;
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Some(bytes);
        Ok(self)
    }
}
