//! The Runtime API that Lambda serves to the process of a function: it hands out an event, and takes the answer.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

use crate::Failure;

/// How long an invocation may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What the function made of an event.
pub struct Answer {
    pub at: Instant,
    pub outcome: Result<Bytes, String>,
}

/// One function's Runtime API, on loopback.
pub struct RuntimeApi {
    pub address: SocketAddr,
    events: mpsc::Sender<String>,
    polls: mpsc::Receiver<Instant>,
    answers: mpsc::Receiver<Answer>,
}

struct Server {
    events: Mutex<mpsc::Receiver<String>>,
    polls: mpsc::Sender<Instant>,
    answers: mpsc::Sender<Answer>,
}

impl RuntimeApi {
    pub async fn start() -> Result<Self, Failure> {
        let (to_function, events) = mpsc::channel(1);
        let (polled, polls) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let server = Server { events: Mutex::new(events), polls: polled, answers: answered };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(Arc::new(server));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, events: to_function, polls, answers })
    }

    /// When the function asked for an event.
    pub async fn polled(&mut self) -> Result<Instant, Failure> {
        let polled = tokio::time::timeout(TIMEOUT, self.polls.recv()).await;
        polled.ok().flatten().ok_or_else(|| "the function does not ask for an event".into())
    }

    /// Hands an event to the function that waits for one; how long the answer took, and what it is.
    pub async fn invoke(&mut self, event: String) -> Result<(Duration, Bytes), Failure> {
        let begun = Instant::now();
        self.events.send(event).await?;
        let answer = tokio::time::timeout(TIMEOUT, self.answers.recv()).await.ok().flatten();
        let answer = answer.ok_or("the function does not answer")?;
        self.polled().await?;
        Ok((answer.at - begun, answer.outcome?))
    }
}

async fn next(State(server): State<Arc<Server>>) -> Response {
    let _ = server.polls.send(Instant::now()).await;
    let Some(event) = server.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = (SystemTime::now() + TIMEOUT).duration_since(UNIX_EPOCH).unwrap_or_default();
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:bench".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, event).into_response()
}

async fn response(State(server): State<Arc<Server>>, Path(_): Path<String>, body: Bytes) -> StatusCode {
    answered(&server, Ok(body)).await
}

async fn error(State(server): State<Arc<Server>>, body: Bytes) -> StatusCode {
    answered(&server, Err(String::from_utf8_lossy(&body).into_owned())).await
}

async fn answered(server: &Server, outcome: Result<Bytes, String>) -> StatusCode {
    drop(server.answers.send(Answer { at: Instant::now(), outcome }).await);
    StatusCode::ACCEPTED
}
