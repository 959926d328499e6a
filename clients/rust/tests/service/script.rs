//! A service on loopback that answers each request with the next step of its script.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use order_service_client::{Client, ClientBuilder, Retries, Timeouts, Token};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub const ID: &str = "0192f0c1-7a3e-7cc0-8000-000000000001";

/// What happens to one request.
pub enum Step {
    /// It is answered.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// It is read, and the connection closed.
    Lose,
    /// Half of an answer is sent.
    Cut,
    /// Something is sent that is not HTTP.
    Garble,
    /// It is never answered.
    Hang,
}

pub fn answer(status: u16, body: &Value) -> Step {
    Step::Answer { status, headers: Vec::new(), body: body.to_string() }
}

/// A problem with this code.
pub fn problem(status: u16, code: &str) -> Step {
    problem_with(status, code, &json!({}))
}

/// A problem with this code and these members.
pub fn problem_with(status: u16, code: &str, members: &Value) -> Step {
    let mut body =
        json!({"type": format!("urn:problem-type:orders:{code}"), "title": code, "status": status, "code": code});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body["request_id"] = "req-1".into();
    answer(status, &body)
}

impl Step {
    /// With one more header.
    pub fn header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer { status, mut headers, body } => {
                headers.push((name, value.to_owned()));
                Self::Answer { status, headers, body }
            }
            other => other,
        }
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// The service, until it is dropped.
pub struct Service {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Service {
    pub async fn start(script: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, script.into_iter().collect(), Arc::clone(&requests)));
        Self { url, requests, task }
    }

    /// Set up with short pauses and a token.
    pub fn builder(&self) -> ClientBuilder {
        let retries =
            Retries { max_attempts: 4, first_pause: Duration::from_millis(1), longest_pause: Duration::from_millis(4) };
        let timeouts =
            Timeouts { attempt: Duration::from_secs(5), call: Duration::from_secs(10), ..Timeouts::default() };
        Client::builder(&self.url).token(Token::new("secret-token")).retries(retries).timeouts(timeouts)
    }

    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The values of a header, request by request; empty where it is absent.
    pub fn headers(&self, name: &str) -> Vec<String> {
        self.requests().iter().map(|request| request.headers.get(name).cloned().unwrap_or_default()).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, script: Vec<Step>, requests: Arc<Mutex<Vec<Request>>>) {
    let mut open = Vec::new();
    for step in script {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        requests.lock().unwrap().push(request);
        play(&step, &mut stream).await;
        if matches!(step, Step::Hang) {
            open.push(stream);
        }
    }
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        requests.lock().unwrap().push(request);
        play(&problem(400, "the_script_is_over"), &mut stream).await;
    }
}

async fn read(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            break (head, length.unwrap_or(0));
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "half a request");
    };
    while bytes.len() < length {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "half a body");
    }
    let mut lines = head.lines();
    let mut start = lines.next().unwrap().split(' ').map(ToOwned::to_owned);
    Request {
        method: start.next().unwrap(),
        path: start.next().unwrap(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

async fn play(step: &Step, stream: &mut TcpStream) {
    let text = match step {
        Step::Answer { status, headers, body } => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
        }
        Step::Cut => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":".to_owned(),
        Step::Garble => "\u{0}\u{1}\u{2} nonsense\r\n\r\n".to_owned(),
        Step::Lose | Step::Hang => String::new(),
    };
    // A client that gave up is no failure of the script.
    let _gone = stream.write_all(text.as_bytes()).await;
}

/// An order at this version and with this status.
pub fn order(version: u64, status: &str) -> Value {
    json!({
        "id": ID,
        "customer": {"id": "cust-1", "name": "Ada Lovelace", "email": "ada@shop.example"},
        "lines": [{"line_id": "0192f0c1-7a3e-7cc0-8000-000000000002", "product_id": "sku-1", "name": "Product 1",
            "quantity": 2, "unit_price": {"amount": 99, "currency": "EUR"}, "total": {"amount": 198, "currency": "EUR"}}],
        "total": {"amount": 198, "currency": "EUR"},
        "status": status,
        "inventory": "reserved",
        "shipping_address": {"line1": "1 Main St", "city": "Springfield", "country": "US"},
        "shipping": null,
        "metadata": {"channel": "web"},
        "external_reference": null,
        "notes": null,
        "version": version,
        "created_at": "2026-11-25T12:00:00.000Z",
        "updated_at": "2026-11-25T12:00:01.000Z",
        "allowed_transitions": ["processing", "canceled"],
        "history": [{"version": 1, "at": "2026-11-25T12:00:00.000Z", "actor": "you", "request_id": "r",
            "events": ["order.created"], "changes": {"status": {"from": "pending", "to": "confirmed"}, "lines": {"replaced": true}}}],
    })
}

/// The same order as the client reads it.
pub fn known(version: u64, status: &str) -> order_service_client::Order {
    serde_json::from_value(order(version, status)).unwrap()
}
