//! Sends calls: attempt by attempt, each with its token.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, HeaderValue};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout_at};
use tracing::{Instrument, Span, field};

use crate::answer::{Outcome, Success};
use crate::call::Call;
use crate::config::{Retries, Timeouts};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;
use crate::token::{Token, TokenProvider};

const ACCEPTED: HeaderValue = HeaderValue::from_static("application/json, application/problem+json");

pub(crate) struct Transport {
    pub http: reqwest::Client,
    pub base: Url,
    /// Where WebSocket connections are opened.
    #[cfg(feature = "live")]
    pub live: Option<Url>,
    pub tokens: Option<Arc<dyn TokenProvider>>,
    pub retries: Retries,
    pub timeouts: Timeouts,
}

impl Transport {
    /// Sends a call until it is decided, or may not be repeated any more.
    pub async fn send<T: DeserializeOwned>(&self, call: &Call) -> Result<Success<T>, Error> {
        let span = tracing::info_span!(
            "order_service.call",
            http.request.method = call.method.as_str(),
            url.template = call.route,
            http.response.status_code = field::Empty,
            attempts = field::Empty,
            request_id = field::Empty,
        );
        let result = self.repeat(call).instrument(span.clone()).await;
        match &result {
            Ok(success) => drop(span.record("http.response.status_code", success.status)),
            Err(error) => record(&span, error),
        }
        result
    }

    async fn repeat<T: DeserializeOwned>(&self, call: &Call) -> Result<Success<T>, Error> {
        let mut progress = Progress::begin(call, &self.retries, &self.timeouts);
        let mut token = self.token(call, None, &progress).await?;
        let mut is_renewed = false;
        loop {
            let outcome = self.attempt(call, token.as_ref(), progress.attempt()).await;
            if outcome.status() == Some(401) && !is_renewed {
                is_renewed = true;
                let renewed = self.token(call, token.as_ref(), &progress).await?;
                if renewed != token {
                    token = renewed;
                    continue;
                }
            }
            let Some(pause) = progress.pause_after(&outcome) else {
                Span::current().record("attempts", progress.attempts());
                return progress.conclude(outcome);
            };
            let (attempt, status) = (progress.attempts(), outcome.status());
            tracing::debug!(attempt, status, pause_ms = pause.as_millis() as u64, "the request is sent again");
            sleep(pause).await;
            token = self.token(call, None, &progress).await?;
        }
    }

    async fn token(&self, call: &Call, refused: Option<&Token>, progress: &Progress) -> Result<Option<Token>, Error> {
        let Some(tokens) = self.tokens.as_ref().filter(|_| call.needs_token) else { return Ok(None) };
        let answer = timeout_at(progress.deadline(), tokens.token(refused)).await;
        let answer = answer.unwrap_or_else(|elapsed| Err(elapsed.into()));
        answer.map(Some).map_err(|error| progress.fail(ErrorKind::Token(error)))
    }

    async fn attempt<T: DeserializeOwned>(&self, call: &Call, token: Option<&Token>, time: Duration) -> Outcome<T> {
        let request = self.http.request(call.method.clone(), self.url(call)).timeout(time);
        let mut request = request.header(ACCEPT, ACCEPTED).headers(call.headers.clone());
        if let Some(token) = token {
            request = request.bearer_auth(token.secret());
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        match request.send().await {
            Ok(response) => Outcome::read(response).await,
            Err(error) => Outcome::Failed(error.without_url()),
        }
    }

    fn url(&self, call: &Call) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&call.segments);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }
}

fn record(span: &Span, error: &Error) {
    match error.kind() {
        ErrorKind::Problem(problem) => {
            span.record("http.response.status_code", problem.status);
            span.record("request_id", problem.request_id.as_deref());
        }
        ErrorKind::Unreadable { status } => {
            span.record("http.response.status_code", status);
        }
        ErrorKind::NoAnswer(_) | ErrorKind::NoConnection(_) | ErrorKind::Token(_) | ErrorKind::Invalid(_) => {}
    }
}
