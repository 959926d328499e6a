//! Live updates against a service that talks by script: catching up, gaps, lost connections, refusals.

#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use order_service_client::{
    Client, Error, ErrorKind, ProblemKind, Retries, Subscription, Token, TokenFuture, TokenProvider, Update, Updates,
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x0192_f0c1_7a3e_7cc0_8000_0000_0000_0001);
const OTHER: Uuid = Uuid::from_u128(2);

/// What happens on one connection: the messages that answer the subscription, then it is closed, or stays open.
struct Script {
    refusal: Option<u16>,
    messages: Vec<Value>,
    is_closed: bool,
}

fn says(messages: &[Value]) -> Script {
    Script { refusal: None, messages: messages.to_vec(), is_closed: false }
}

fn ends_after(messages: &[Value]) -> Script {
    Script { is_closed: true, ..says(messages) }
}

fn refuses(status: u16) -> Script {
    Script { refusal: Some(status), ..says(&[]) }
}

fn event(order: Uuid, version: u64, index: u64) -> Value {
    json!({
        "specversion": "1.0", "id": format!("{order}:{version}:{index}"), "type": "order.updated", "subject": order,
        "sequence": format!("{version:010}"), "time": "2026-01-01T00:00:01.000Z", "data": {"more": [1]}, "newer": true,
    })
}

fn subscribed() -> Value {
    json!({"action": "subscribed", "at": "2026-01-01T00:00:00.000Z", "expires_at": "2026-01-01T00:10:00.000Z"})
}

/// To the order, at this version.
fn subscribed_at(sequence: u64) -> Value {
    json!({"action": "subscribed", "order_id": ID, "sequence": sequence, "at": "2026-01-01T00:00:00.000Z"})
}

/// An event that was made so many seconds after the connection had caught up.
fn event_after(seconds: u64, version: u64) -> Value {
    let mut event = event(ID, version, 0);
    event["time"] = format!("2026-01-01T00:00:{seconds:02}.000Z").into();
    event
}

fn problem(code: &str, status: u16) -> Value {
    json!({"code": code, "status": status, "title": "A problem."})
}

/// A service that plays one script a connection, and what it was asked.
struct Service {
    url: String,
    asked: Arc<Mutex<Vec<Value>>>,
    tokens: Arc<Mutex<Vec<String>>>,
}

impl Service {
    async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("ws://{}/v1", listener.local_addr().unwrap());
        let (asked, tokens) = (Arc::<Mutex<Vec<Value>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (heard, shown) = (Arc::clone(&asked), Arc::clone(&tokens));
        tokio::spawn(async move {
            let mut open = Vec::new();
            for script in scripts {
                let (stream, _) = listener.accept().await.unwrap();
                open.push(play(stream, script, &heard, &shown).await);
            }
            // Those that stay open do so until the test ends.
            std::future::pending::<()>().await;
        });
        Self { url, asked, tokens }
    }

    fn updates(&self, subscription: Subscription) -> Updates {
        self.with_tokens(Token::new("a-token")).subscribe(subscription).unwrap()
    }

    fn with_tokens(&self, tokens: impl TokenProvider) -> Client {
        let (first_pause, longest_pause) = (Duration::from_millis(1), Duration::from_millis(2));
        let builder = Client::builder("http://127.0.0.1:1/v1").live_url(&self.url).token(tokens);
        builder.retries(Retries { max_attempts: 3, first_pause, longest_pause }).build().unwrap()
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

type Stream = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn play(
    stream: TcpStream,
    script: Script,
    asked: &Mutex<Vec<Value>>,
    tokens: &Mutex<Vec<String>>,
) -> Option<Stream> {
    #[allow(clippy::result_large_err, reason = "the trait of the handshake says so")]
    let check = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let token = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        tokens.lock().unwrap().extend(token);
        match script.refusal {
            Some(status) => {
                let mut refusal = ErrorResponse::new(Some("{}".to_owned()));
                *refusal.status_mut() = status.try_into().unwrap();
                Err(refusal)
            }
            None => Ok(response),
        }
    };
    let mut stream = accept_hdr_async(stream, check).await.ok()?;
    let request = stream.next().await.unwrap().unwrap().into_text().unwrap();
    asked.lock().unwrap().push(serde_json::from_str(&request).unwrap());
    for message in script.messages {
        stream.send(Message::text(message.to_string())).await.unwrap();
    }
    if script.is_closed {
        return None;
    }
    Some(stream)
}

/// Order, version and place of the next event.
async fn next(updates: &mut Updates) -> (Uuid, u64, String) {
    match updates.next().await.unwrap() {
        Update::Event(event) => (event.order_id, event.version, event.id.rsplit(':').next().unwrap().to_owned()),
        other => panic!("no event: {other:?}"),
    }
}

async fn versions(updates: &mut Updates, count: usize) -> Vec<u64> {
    let mut versions = Vec::new();
    for _ in 0..count {
        versions.push(next(updates).await.1);
    }
    versions
}

#[tokio::test]
async fn what_comes_while_catching_up_is_taken_in_the_order_of_versions_and_once() {
    let caught_up = [event(ID, 3, 0), event(ID, 6, 0), event(ID, 4, 0), event(ID, 5, 0), event(ID, 4, 1), subscribed()];
    let then = [event(ID, 6, 0), event(ID, 7, 0)];
    let service = Service::start(vec![says(&[&caught_up[..], &then].concat())]).await;
    let mut updates = service.updates(Subscription::order_after(ID, 2));
    assert_eq!(versions(&mut updates, 6).await, [3, 4, 4, 5, 6, 7]);
    let asked = json!({"action": "subscribe", "order_id": ID, "last_sequence": 2});
    assert_eq!(service.asked(), [asked]);
    assert_eq!(*service.tokens.lock().unwrap(), ["Bearer a-token"]);
}

#[tokio::test]
async fn a_lost_connection_is_resumed_before_the_last_version_whose_events_may_not_all_have_come() {
    let service = Service::start(vec![
        ends_after(&[subscribed(), event(ID, 7, 0)]),
        ends_after(&[event(ID, 7, 0)]),
        says(&[event(ID, 7, 0), event(ID, 7, 1), event(ID, 8, 0), subscribed()]),
    ])
    .await;
    let mut updates = service.updates(Subscription::order(ID));
    assert_eq!(next(&mut updates).await, (ID, 7, "0".to_owned()));
    assert_eq!(next(&mut updates).await, (ID, 7, "1".to_owned()));
    assert_eq!(next(&mut updates).await, (ID, 8, "0".to_owned()));
    let asked: Vec<Value> = service.asked().iter().map(|asked| asked["last_sequence"].clone()).collect();
    assert_eq!(asked, [Value::Null, json!(6), json!(6)]);
}

#[tokio::test]
async fn a_gap_is_closed_by_connecting_again() {
    let service = Service::start(vec![
        says(&[subscribed(), event(ID, 1, 0), event(OTHER, 4, 0), event(ID, 3, 0)]),
        says(&[event(ID, 1, 0), event(ID, 2, 0), event(ID, 3, 0), event(OTHER, 4, 0), subscribed()]),
    ])
    .await;
    let mut updates = service.updates(Subscription::all());
    assert_eq!(versions(&mut updates, 4).await, [1, 4, 2, 3]);
    let asked = service.asked();
    assert_eq!(asked[0], json!({"action": "subscribe"}));
    assert_eq!(asked[1], json!({"action": "subscribe", "since": "2026-01-01T00:00:01Z"}));
}

#[tokio::test]
async fn versions_that_are_gone_are_told_and_passed_over() {
    let missed = json!({"action": "missed", "order_id": ID, "from": 3, "to": 29});
    let service = Service::start(vec![says(&[missed, event(ID, 30, 0), subscribed(), event(ID, 31, 0)])]).await;
    let mut updates = service.updates(Subscription::order_after(ID, 2));
    let Update::Missed(missed) = updates.next().await.unwrap() else { panic!("nothing is missed") };
    assert_eq!((missed.order_id, missed.from, missed.to), (Some(ID), Some(3), Some(29)));
    assert_eq!(versions(&mut updates, 2).await, [30, 31]);
}

#[tokio::test]
async fn a_refusal_is_an_error_and_a_service_that_was_never_there_is_tried_as_often_as_a_call() {
    let problem = json!({"code": "order_not_found", "status": 404, "title": "There is no such order.", "order_id": ID});
    let service = Service::start(vec![says(&[problem]), refuses(403), refuses(503), refuses(503), refuses(503)]).await;
    let mut updates = service.updates(Subscription::order(ID));
    let refused: Error = updates.next().await.unwrap_err();
    assert_eq!(refused.problem_kind(), Some(&ProblemKind::OrderNotFound));
    let forbidden = updates.next().await.unwrap_err();
    assert!(matches!(forbidden.kind(), ErrorKind::Unreadable { status: 403 }));
    let away = updates.next().await.unwrap_err();
    assert!(matches!(away.kind(), ErrorKind::Unreadable { status: 503 }), "{away:?}");
    assert_eq!(away.attempts(), 3);
    assert!(!format!("{updates:?}").contains("a-token"));
}

#[tokio::test]
async fn an_order_without_events_yet_is_resumed_from_the_version_at_which_it_was_subscribed_to() {
    let service = Service::start(vec![
        ends_after(&[subscribed_at(9)]),
        says(&[event(ID, 10, 0), subscribed_at(10), event(ID, 11, 0)]),
    ])
    .await;
    let mut updates = service.updates(Subscription::order(ID));
    assert_eq!(versions(&mut updates, 2).await, [10, 11]);
    assert_eq!(service.asked()[1], json!({"action": "subscribe", "order_id": ID, "last_sequence": 9}));
}

#[tokio::test]
async fn all_orders_are_resumed_since_the_last_event_that_was_taken_however_late_it_is_taken() {
    let service = Service::start(vec![
        ends_after(&[subscribed(), event_after(3, 1), event_after(5, 2), event_after(40, 4)]),
        says(&[event_after(40, 3), event_after(40, 4), subscribed()]),
    ])
    .await;
    let mut updates = service.updates(Subscription::all());
    assert_eq!(versions(&mut updates, 1).await, [1]);
    assert_eq!(versions(&mut updates, 3).await, [2, 3, 4]);
    assert_eq!(service.asked()[1]["since"], "2026-01-01T00:00:05Z");
}

#[tokio::test]
async fn a_gap_has_everything_sent_again_since_the_last_event_of_its_order() {
    let mut of_other = event(OTHER, 1, 0);
    of_other["time"] = "2026-01-01T00:00:50.000Z".into();
    let service = Service::start(vec![
        says(&[subscribed(), event_after(3, 1), of_other.clone(), event_after(51, 3)]),
        says(&[event_after(50, 2), event_after(51, 3), of_other, subscribed()]),
    ])
    .await;
    let mut updates = service.updates(Subscription::all());
    assert_eq!(versions(&mut updates, 4).await, [1, 1, 2, 3]);
    assert_eq!(service.asked()[1]["since"], "2026-01-01T00:00:03Z");
}

#[tokio::test]
async fn a_version_that_is_not_sent_again_is_told_to_be_missed() {
    let service = Service::start(vec![
        says(&[subscribed(), event(ID, 1, 0), event(ID, 4, 0)]),
        says(&[event(ID, 4, 0), subscribed()]),
    ])
    .await;
    let mut updates = service.updates(Subscription::all());
    assert_eq!(versions(&mut updates, 1).await, [1]);
    let Update::Missed(missed) = updates.next().await.unwrap() else { panic!("nothing is missed") };
    assert_eq!((missed.order_id, missed.from, missed.to), (Some(ID), Some(2), Some(3)));
    assert_eq!(versions(&mut updates, 1).await, [4]);
}

#[tokio::test]
async fn a_service_that_fails_to_subscribe_is_asked_again_over_another_connection() {
    let of_gateway = json!({"message": "Internal server error", "connectionId": "L0SM9cOFvHcCIhw=", "requestId": "r"});
    let (away, throttled) = (problem("unavailable", 503), problem("too_many_requests", 429));
    let (of_gateway, away) = (says(&[of_gateway]), says(&[away]));
    let service = Service::start(vec![
        of_gateway,
        away,
        says(&[subscribed(), event(ID, 1, 0), throttled]),
        says(&[subscribed(), event(ID, 2, 0)]),
    ])
    .await;
    let mut updates = service.updates(Subscription::all());
    assert_eq!(versions(&mut updates, 2).await, [1, 2]);
    assert_eq!(service.asked().len(), 4);
}

#[tokio::test]
async fn a_service_that_never_says_that_it_is_all_is_asked_again() {
    let service = Service::start(vec![says(&[event(ID, 1, 0)]), says(&[event(ID, 1, 0), subscribed()])]).await;
    let mut updates = service.updates(Subscription::all());
    while service.asked().is_empty() {
        let waited = tokio::time::timeout(Duration::from_millis(1), updates.next()).await;
        assert!(waited.is_err(), "nothing has been caught up: {waited:?}");
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(40)).await;
    tokio::time::resume();
    assert_eq!(versions(&mut updates, 1).await, [1]);
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn a_token_that_expires_is_exchanged_for_another() {
    let expired = problem("unauthenticated", 401);
    let service =
        Service::start(vec![says(&[subscribed(), event(ID, 1, 0), expired]), says(&[subscribed(), event(ID, 2, 0)])])
            .await;
    let mut updates = service.with_tokens(Renewed).subscribe(Subscription::all()).unwrap();
    assert_eq!(versions(&mut updates, 2).await, [1, 2]);
    assert_eq!(*service.tokens.lock().unwrap(), ["Bearer first", "Bearer second"]);
}

/// Gives another token only when the first was refused.
struct Renewed;

impl TokenProvider for Renewed {
    fn token<'a>(&'a self, refused: Option<&'a Token>) -> TokenFuture<'a> {
        let token = Token::new(if refused.is_some() { "second" } else { "first" });
        Box::pin(async move { Ok(token) })
    }
}

#[tokio::test]
async fn who_was_subscribed_once_tries_without_an_end() {
    let mut scripts = vec![ends_after(&[subscribed(), event(ID, 1, 0)])];
    scripts.extend((0..9).map(|_| refuses(503)));
    scripts.push(says(&[subscribed(), event(ID, 2, 0)]));
    let service = Service::start(scripts).await;
    let mut updates = service.updates(Subscription::all());
    assert_eq!(versions(&mut updates, 2).await, [1, 2]);
}

#[tokio::test]
async fn giving_up_to_wait_gives_up_no_connection_that_is_being_made() {
    let service = Service::start(vec![refuses(503), says(&[event(ID, 1, 0), subscribed(), event(ID, 2, 0)])]).await;
    let mut updates = service.updates(Subscription::all());
    let mut found = Vec::new();
    while found.len() < 2 {
        // As in a loop over `select!` whose other branch is ready each time.
        tokio::select! {
            biased;
            update = updates.next() => match update.unwrap() {
                Update::Event(event) => found.push(event.version),
                other => panic!("no event: {other:?}"),
            },
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!((found, service.tokens.lock().unwrap().len()), (vec![1, 2], 2), "one attempt that failed, and one more");
}
