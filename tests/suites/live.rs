//! Live updates over WebSocket

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use e2e::{Follower, Shop, Socket, eventually, order_of};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;

async fn order_for(shop: &Shop, product: &str, customer: &str) -> String {
    let mut order = order_of(&[(product, 1)]);
    order["customer_id"] = customer.into();
    let answer = shop.place(&Uuid::new_v4().to_string(), &order).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.id()
}

/// A token of the shop that is confined to a customer.
async fn confined(shop: &Shop, customer: &str) -> String {
    let claims = json!({"tenant": shop.tenant, "sub": "app", "scope": "orders:read", "customer_id": customer});
    shop.partners.token(claims).await
}

fn subscribe(order: &str, after: u64) -> Value {
    json!({"action": "subscribe", "order_id": order, "last_sequence": after})
}

#[tokio::test]
async fn a_change_is_pushed_to_who_subscribes_to_its_order() {
    let shop = Shop::open().await;
    let product = shop.product(10).await;
    let order = order_for(&shop, &product, "cust-1").await;
    let mut socket = Socket::open(shop.token()).await.unwrap();
    socket.send(&subscribe(&order, 0)).await;
    for kind in ["order.created", "inventory.reserved", "order.confirmed"] {
        let event = socket.next().await.unwrap();
        assert_eq!((&event["type"], &event["subject"]), (&json!(kind), &json!(order)));
        assert_eq!(
            (&event["sequence"], &event["source"]),
            (&json!("0000000001"), &json!(format!("orders/{}", shop.tenant)))
        );
    }
    let subscribed = socket.next().await.unwrap();
    assert_eq!((&subscribed["action"], &subscribed["order_id"]), (&json!("subscribed"), &json!(order)));
    let version = subscribed["sequence"].as_u64().unwrap();
    let started = Instant::now();
    let answer = shop.put(&format!("/orders/{order}"), &json!({"notes": "leave it at the door"})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let event = loop {
        let event = socket.next().await.unwrap();
        if event["sequence"].as_str().unwrap().parse::<u64>().unwrap() > version {
            break event;
        }
    };
    assert_eq!(
        (&event["type"], &event["data"]["order"]["notes"]),
        (&json!("order.updated"), &json!("leave it at the door"))
    );
    println!("from the request to the push: {:?}", started.elapsed());
    socket.close().await;
}

#[tokio::test]
async fn a_page_sends_its_token_as_a_subprotocol() {
    let shop = Shop::open().await;
    let offer = |token: &str| [("sec-websocket-protocol", format!("orders.v1, bearer.{token}"))];
    let (mut socket, chosen) = Socket::with_headers(&offer(shop.token())).await.unwrap();
    assert_eq!(chosen.as_deref(), Some("orders.v1"));
    assert_eq!(socket.ask(&json!({"action": "ping"})).await["action"], "pong");
    assert_eq!(Socket::with_headers(&offer("a.b.c")).await.err(), Some(401));
}

#[tokio::test]
async fn without_a_valid_token_that_may_read_nothing_is_opened() {
    let shop = Shop::open().await;
    let token = async |claims: Value| shop.partners.token(claims).await;
    let expired = token(json!({"tenant": shop.tenant, "sub": "s", "scope": "orders:read", "expires_in": -60})).await;
    let unscoped = token(json!({"tenant": shop.tenant, "sub": "s", "scope": "email"})).await;
    let writes = token(json!({"tenant": shop.tenant, "sub": "s", "scope": "orders:write"})).await;
    assert_eq!(Socket::with_headers(&[]).await.err(), Some(401));
    assert_eq!(Socket::open("a.b.c").await.err(), Some(401));
    assert_eq!(Socket::open(&expired).await.err(), Some(401));
    assert_eq!(Socket::open(&unscoped).await.err(), Some(403));
    assert_eq!(Socket::open(&writes).await.err(), Some(403));
}

#[tokio::test]
async fn garbage_is_answered_with_a_problem_and_the_connection_stays_open() {
    let shop = Shop::open().await;
    let mut socket = Socket::open(shop.token()).await.unwrap();
    for (text, code) in [
        ("{", "invalid_json"),
        ("hello", "invalid_json"),
        ("[]", "validation_failed"),
        (r#"{"action":"dance"}"#, "validation_failed"),
        (r#"{"action":"subscribe","order_id":"x"}"#, "validation_failed"),
        (r#"{"action":"$default"}"#, "validation_failed"),
    ] {
        socket.send_text(text).await;
        let problem = socket.answer().await;
        assert_eq!(problem["code"], code, "{text}: {problem}");
        assert_eq!(problem["type"], format!("urn:problem-type:orders:{code}"));
        assert!(problem["request_id"].as_str().is_some_and(|id| !id.is_empty()));
    }
    assert_eq!(socket.ask(&json!({"action": "ping"})).await["action"], "pong");
}

#[tokio::test]
async fn nobody_subscribes_to_what_is_not_theirs() {
    let (shop, other) = (Shop::open().await, Shop::open().await);
    let product = shop.product(10).await;
    let order = order_for(&shop, &product, "cust-1").await;
    let mut stranger = Socket::open(other.token()).await.unwrap();
    assert_eq!(stranger.ask(&subscribe(&order, 0)).await["code"], "order_not_found");
    let mut customer = Socket::open(&confined(&shop, "cust-2").await).await.unwrap();
    assert_eq!(customer.ask(&subscribe(&order, 0)).await["code"], "order_not_found");
    let of_other = json!({"action": "subscribe", "customer_id": "cust-1"});
    assert_eq!(customer.ask(&of_other).await["code"], "other_customer");
    // Neither is told of what they are subscribed to instead: all that is theirs.
    for socket in [&mut stranger, &mut customer] {
        assert_eq!(socket.ask(&json!({"action": "subscribe"})).await["action"], "subscribed");
    }
    let mut own = Socket::open(&confined(&shop, "cust-1").await).await.unwrap();
    assert_eq!(own.ask(&json!({"action": "subscribe"})).await["action"], "subscribed");
    shop.put(&format!("/orders/{order}"), &json!({"notes": "secret"})).await;
    let event = own.next().await.unwrap();
    assert_eq!(event["subject"], order);
    for socket in [&mut stranger, &mut customer] {
        assert_eq!(socket.ask(&json!({"action": "ping"})).await["action"], "pong");
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let shop = Shop::open().await;
    let product = shop.product(10).await;
    let order = order_for(&shop, &product, "cust-1").await;
    // Clocks may differ by 30 seconds.
    let claims = json!({"tenant": shop.tenant, "sub": "s", "scope": "orders:read", "expires_in": -25});
    let mut socket = Socket::open(&shop.partners.token(claims).await).await.unwrap();
    assert_eq!(socket.ask(&json!({"action": "subscribe"})).await["action"], "subscribed");
    let started = Instant::now();
    let told = loop {
        assert!(started.elapsed() < Duration::from_secs(60), "the connection does not end");
        shop.put(&format!("/orders/{order}"), &json!({"notes": Uuid::new_v4().to_string()})).await;
        if let Ok(None) = timeout(Duration::from_secs(1), socket.next()).await {
            break started.elapsed();
        }
    };
    println!("closed after {told:?}");
}

/// Nothing happens to a follower for so long only when it misses something.
const PATIENCE: Duration = Duration::from_secs(100);

/// Who follows what: a token, and an order or all; and the orders that must be seen.
struct Role {
    token: String,
    order: Option<String>,
    orders: Vec<String>,
    /// Changes since then are to be seen.
    since: String,
}

/// The service's time. From now on it remembers what changes in the shop, for somebody has subscribed.
async fn watched(shop: &Shop) -> String {
    let mut socket = Socket::open(shop.token()).await.unwrap();
    let subscribed = socket.ask(&json!({"action": "subscribe"})).await;
    socket.close().await;
    subscribed["at"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_hundred_followers_who_lose_their_connections_see_every_version_of_their_orders_and_no_others() {
    let shops = [Shop::open().await, Shop::open().await];
    let mut roles = Vec::new();
    let mut orders = Vec::new();
    for (index, shop) in shops.iter().enumerate() {
        let product = shop.product(100).await;
        let mut by_customer = BTreeMap::<&str, Vec<String>>::new();
        let since = watched(shop).await;
        for customer in ["cust-1", "cust-2"] {
            for _ in 0..3 {
                by_customer.entry(customer).or_default().push(order_for(shop, &product, customer).await);
            }
        }
        let all: Vec<String> = by_customer.values().flatten().cloned().collect();
        for n in 0..50 {
            let customer = if n % 2 == 0 { "cust-1" } else { "cust-2" };
            let (token, order, orders) = match n % 5 {
                0 => (shop.token().to_owned(), None, all.clone()),
                1 | 2 => (confined(shop, customer).await, None, by_customer[customer].clone()),
                _ => {
                    let order = all[n % all.len()].clone();
                    (shop.token().to_owned(), Some(order.clone()), vec![order])
                }
            };
            roles.push(Role { token, order, orders, since: since.clone() });
        }
        orders.extend(all.into_iter().map(|order| (index, order)));
    }
    let started = Instant::now();
    let (done, finals) = watch::channel(None::<Arc<BTreeMap<String, u64>>>);
    let followers = (0..).zip(roles).map(|(seed, role)| tokio::spawn(follow(seed, role, finals.clone())));
    let followers: Vec<_> = followers.collect();
    let versions = change(&shops, &orders, 300).await;
    let changed = started.elapsed();
    done.send(Some(Arc::new(versions))).unwrap();
    let outcomes = join_all(followers).await;
    let sum = |number: fn(&Followed) -> usize| {
        outcomes.iter().map(|outcome| number(outcome.as_ref().unwrap())).sum::<usize>()
    };
    let (drops, gaps, refusals) = (sum(|of| of.drops), sum(|of| of.gaps), sum(|of| of.refusals));
    let took = started.elapsed();
    println!("300 changes in {changed:?}, seen by all after {took:?}; {drops} drops, {gaps} gaps, {refusals} refusals");
    assert!(drops > 100);
}

/// Changes orders by chance; their last versions.
async fn change(shops: &[Shop], orders: &[(usize, String)], changes: usize) -> BTreeMap<String, u64> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut versions = BTreeMap::new();
    for n in 0..changes {
        let (shop, order) = &orders[random.usize(..orders.len())];
        let (path, edit) = (format!("/orders/{order}"), json!({"notes": format!("change {n}")}));
        // The emulator may be too busy to answer in time. The same edit again changes nothing.
        eventually("the change", || async {
            Some(shops[*shop].put(&path, &edit).await).filter(|answer| answer.status == 200)
        })
        .await;
    }
    for (shop, order) in orders {
        let answer = shops[*shop].get(&format!("/orders/{order}")).await;
        versions.insert(order.clone(), answer.body["version"].as_u64().unwrap());
    }
    versions
}

/// How it went.
struct Followed {
    drops: usize,
    gaps: usize,
    refusals: usize,
}

/// Follows until the last version of each order is seen, losing the connection by chance.
async fn follow(seed: u64, role: Role, mut finals: watch::Receiver<Option<Arc<BTreeMap<String, u64>>>>) -> Followed {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut follower = Follower::new(&role.token, role.order.as_deref(), &role.since);
    let mut drops = 0;
    loop {
        let known = finals.borrow_and_update().clone();
        if known.is_some_and(|known| is_complete(&follower, &role, &known)) {
            return Followed { drops, gaps: follower.gaps, refusals: follower.refusals };
        }
        let progress = async {
            tokio::select! {
                () = follower.step() => {}
                _ = finals.changed() => {}
            }
        };
        let in_time = timeout(PATIENCE, progress).await;
        assert!(in_time.is_ok(), "{follower:?} of {:?}", role.orders);
        if random.usize(..25) == 0 {
            follower.drop_connection();
            drops += 1;
        }
    }
}

/// Every version of its orders, in order, and nothing of any other.
fn is_complete(follower: &Follower, role: &Role, finals: &BTreeMap<String, u64>) -> bool {
    for order in follower.seen.keys() {
        assert!(role.orders.contains(order), "{order} is not to be seen");
    }
    role.orders.iter().all(|order| {
        let expected: Vec<u64> = (1..=finals[order]).collect();
        follower.seen.get(order) == Some(&expected)
    })
}
