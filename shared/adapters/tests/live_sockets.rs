//! Messages to ten thousand connections, against a management API that answers by script: how many calls are on their way
//! at a time, how long they take, and how much memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use adapters::live::ApiSockets;
use adapters::system::SystemClock;
use aws_config::SdkConfig;
use aws_sdk_apigatewaymanagement::config::{Credentials, Region, SharedCredentialsProvider};
use domain::id::TenantId;
use domain::memory::sample;
use domain::ports::{
    Clock, Connected, Message, Noted, NotedPage, OrderKey, PostError, RecentChanges, Sockets, StoreError, Subjects,
    SubscriptionPage, Subscriptions,
};
use domain::subscription::{ConnectionId, Subject, Subscription, SubscriptionKey, Update};
use domain::timestamp::Timestamp;
use domain::use_cases::{PushUpdates, Pushed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the management API was asked.
#[derive(Default)]
struct Api {
    posts: AtomicUsize,
    closed: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// How a connection behaves, by the end of its name.
#[derive(Clone, Copy)]
enum Kind {
    Open,
    Gone,
    Hangs,
    /// Throttled three times, then open.
    Throttled,
    /// Its client reads nothing: throttled for ever.
    Full,
    /// The gateway fails.
    Down,
}

fn kind(head: &str) -> Kind {
    match head {
        head if head.contains("-gone") => Kind::Gone,
        head if head.contains("-hangs") => Kind::Hangs,
        head if head.contains("-throttled") => Kind::Throttled,
        head if head.contains("-full") => Kind::Full,
        head if head.contains("-down") => Kind::Down,
        _ => Kind::Open,
    }
}

async fn start(api: Arc<Api>) -> ApiSockets {
    let (aws, url) = serve_all(api).await;
    ApiSockets::at(&aws, url)
}

/// What a client of the API is made of.
async fn serve_all(api: Arc<Api>) -> (SdkConfig, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let api = Arc::clone(&api);
            // A client that gives up is no failure of the server.
            tokio::spawn(async move { drop(serve(stream, &api).await) });
        }
    });
    let credentials = SharedCredentialsProvider::new(Credentials::for_tests());
    let aws = adapters::aws::config().unwrap().into_builder().region(Region::from_static("eu-central-1"));
    (aws.credentials_provider(credentials).build(), url)
}

const THROTTLED: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\nx-amzn-errortype: LimitExceededException\r\ncontent-length: 2\r\n\r\n{}";

/// Answers after 5 ms; a post to a connection that hangs after a minute.
async fn serve(mut stream: TcpStream, api: &Api) -> std::io::Result<()> {
    loop {
        let Some(head) = read_request(&mut stream).await? else { return Ok(()) };
        let at_once = api.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        api.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        let is_post = head.starts_with("POST");
        let counter = if is_post { &api.posts } else { &api.closed };
        let count = counter.fetch_add(1, Ordering::SeqCst);
        let (kind, wait) = match (kind(&head), is_post) {
            (Kind::Hangs, true) => (Kind::Hangs, Duration::from_secs(60)),
            (kind, _) => (kind, Duration::from_millis(5)),
        };
        let answered = tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = stream.readable(), if wait.as_secs() > 0 => false,
        };
        api.at_once.fetch_sub(1, Ordering::SeqCst);
        if !answered {
            return Ok(());
        }
        let answer: &[u8] = match kind {
            Kind::Gone => b"HTTP/1.1 410 Gone\r\nx-amzn-errortype: GoneException\r\ncontent-length: 2\r\n\r\n{}",
            Kind::Throttled if count < 3 => THROTTLED,
            Kind::Full if is_post => THROTTLED,
            Kind::Down => b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\n{}",
            Kind::Open | Kind::Hangs | Kind::Full | Kind::Throttled => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        };
        stream.write_all(answer).await?;
    }
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut request = Vec::new();
    let end = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    while request.len() < end + length.unwrap_or(0) {
        stream.read_buf(&mut request).await?;
    }
    Ok(Some(head))
}

/// Subscribers that exist as they are read, a thousand a page.
struct Crowd {
    size: usize,
    /// The one whose client reads nothing.
    full: Option<usize>,
    removed: AtomicUsize,
    discounted: AtomicUsize,
}

impl Crowd {
    fn of(size: usize) -> Self {
        Self { size, full: None, removed: AtomicUsize::new(0), discounted: AtomicUsize::new(0) }
    }

    fn subscription(&self, key: &SubscriptionKey, n: usize) -> Subscription {
        let kind = match n % 200 {
            _ if self.full == Some(n) => "-full",
            7 | 107 => "-gone",
            13 => "-hangs",
            _ => "",
        };
        Subscription {
            key: key.clone(),
            connection: ConnectionId::parse(format!("{n:06}{kind}")).unwrap(),
            subject: Some(Subject { tenant: key.tenant().clone(), name: "shop-backend".to_owned() }),
            confined_to: None,
            expires_at: SystemClock.now().plus(Duration::from_secs(60)),
        }
    }
}

impl Subscriptions for Crowd {
    async fn add(&self, _: &Subscription) -> Result<(), StoreError> {
        unreachable!("nobody subscribes")
    }

    async fn remove(&self, _: &SubscriptionKey, _: &ConnectionId) -> Result<(), StoreError> {
        self.removed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn of_connection(&self, _: &ConnectionId) -> Result<Connected, StoreError> {
        unreachable!("nobody asks")
    }

    async fn page(&self, key: &SubscriptionKey, after: Option<&ConnectionId>) -> Result<SubscriptionPage, StoreError> {
        if !matches!(key, SubscriptionKey::Tenant(_)) {
            return Ok(SubscriptionPage::default());
        }
        let first = after.map_or(0, |after| after.as_str()[..6].parse::<usize>().unwrap() + 1);
        let end = (first + 1_000).min(self.size);
        let subscriptions: Vec<_> = (first..end).map(|n| self.subscription(key, n)).collect();
        let next = subscriptions.last().filter(|_| end < self.size).map(|last| last.connection.clone());
        Ok(SubscriptionPage { subscriptions, next })
    }
}

impl Subjects for Crowd {
    async fn count_connection(
        &self,
        _: &Subject,
        _: &ConnectionId,
        _: Timestamp,
        _: Timestamp,
        _: usize,
    ) -> Result<bool, StoreError> {
        unreachable!("nobody subscribes")
    }

    async fn discount_connection(&self, _: &Subject, _: &ConnectionId) -> Result<(), StoreError> {
        self.discounted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn count_replay(&self, _: &Subject, _: Timestamp, _: u32) -> Result<bool, StoreError> {
        unreachable!("nobody subscribes")
    }
}

impl RecentChanges for Crowd {
    async fn keep(&self, _: &TenantId, _: Timestamp, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nobody subscribes")
    }

    async fn kept_since(&self, _: &TenantId, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(Some(now))
    }

    async fn note(&self, _: &Update, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn newest(&self, _: &SubscriptionKey) -> Result<Option<Noted>, StoreError> {
        unreachable!("nobody asks")
    }

    async fn noted(
        &self,
        _: &SubscriptionKey,
        _: Timestamp,
        _: Noted,
        _: Option<Noted>,
    ) -> Result<NotedPage, StoreError> {
        unreachable!("nobody asks")
    }
}

fn update() -> Update {
    Update {
        order: OrderKey { tenant: sample::tenant(), id: sample::order_id(1) },
        customer: sample::order().customer.id.clone(),
        version: 1,
        committed_at: SystemClock.now(),
        message: "x".repeat(8 * 1024),
    }
}

/// The most memory that this process has ever had, in KB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn ten_thousand_subscribers_are_told_128_at_a_time_and_slow_ones_hold_up_nobody() {
    let api = Arc::<Api>::default();
    let (aws, url) = serve_all(Arc::clone(&api)).await;
    // On a busy machine an answer at once may take a while.
    let sockets = ApiSockets::with_patience(&aws, url, Duration::from_secs(10));
    let push = PushUpdates { table: Crowd::of(10_000), sockets, clock: SystemClock };
    let before = peak();
    let started = Instant::now();
    let pushed = push.run(&[update()]).await.remove(0).unwrap();
    let took = started.elapsed();
    assert_eq!(pushed, Pushed { reached: 9_850, gone: 100, closed: 50, unforgotten: 0 });
    let forgotten = [&push.table.removed, &push.table.discounted].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(forgotten, [150, 150], "who is gone or closed is forgotten");
    let most = api.most_at_once.load(Ordering::SeqCst);
    let grown = peak().saturating_sub(before);
    println!("10,000 subscribers in {took:?}, {most} calls at a time, {grown} KB more memory");
    assert!((64..=128).contains(&most), "{most} calls at a time");
    assert!(grown < 32 * 1024, "{grown} KB more memory");
    // One after the other the 50 that hang would take more than two minutes by themselves.
    assert!(took < Duration::from_secs(90), "{took:?}");
}

#[tokio::test]
async fn a_connection_is_reached_gone_or_slow() {
    let api = Arc::<Api>::default();
    let sockets = start(Arc::clone(&api)).await;
    let post = async |name: &str| sockets.post(&ConnectionId::parse(name).unwrap(), Message::Text("{}")).await;
    assert_eq!(post("L0SM9cOFvHcCIhw=").await, Ok(()));
    assert_eq!(post("1-gone").await, Err(PostError::Gone));
    assert_eq!(post("1-hangs").await, Err(PostError::Slow));
    assert_eq!(sockets.close(&ConnectionId::parse("1-hangs").unwrap()).await, Ok(()));
    assert_eq!(sockets.close(&ConnectionId::parse("1-gone").unwrap()).await, Err(PostError::Gone));
}

#[tokio::test]
async fn a_gateway_that_throttles_or_fails_is_asked_again_and_no_connection_is_closed_for_it() {
    let api = Arc::<Api>::default();
    let sockets = start(Arc::clone(&api)).await;
    let post = async |name: &str| sockets.post(&ConnectionId::parse(name).unwrap(), Message::Text("{}")).await;
    assert_eq!(post("1-throttled").await, Ok(()));
    assert!(matches!(post("1-down").await, Err(PostError::Unavailable(_))));
    assert_eq!(api.closed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_closed_and_all_others_are_told() {
    let sockets = start(Arc::<Api>::default()).await;
    let crowd = Crowd { full: Some(50), ..Crowd::of(100) };
    let push = PushUpdates { table: crowd, sockets, clock: SystemClock };
    let pushed = push.run(&[update()]).await.remove(0).unwrap();
    // Beside the one that hangs.
    assert_eq!(pushed, Pushed { reached: 97, gone: 1, closed: 2, unforgotten: 0 });
}

#[tokio::test]
async fn events_that_are_pushed_side_by_side_share_the_calls() {
    let api = Arc::<Api>::default();
    let sockets = start(Arc::clone(&api)).await;
    let push = PushUpdates { table: Crowd::of(500), sockets, clock: SystemClock };
    let other = Update { order: OrderKey { id: sample::order_id(2), ..update().order }, ..update() };
    assert!(push.run(&[update(), other]).await.iter().all(Result::is_ok));
    let most = api.most_at_once.load(Ordering::SeqCst);
    assert!((64..=128).contains(&most), "{most} calls at a time");
}
