//! What the line of a request costs: a part of the request's processor time. `--nocapture` shows the table.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "store/engine/mod.rs"]
#[allow(dead_code, unused_imports, reason = "this test does not use all of it")]
mod engine;

use adapters::http::{ApiRequest, Exchange, Problem, Reply};
use adapters::store::DynamoStore;
use adapters::system::{RandomIds, SystemClock};
use adapters::testing;
use adapters::wire::CreateOrder;
use domain::caller::Scope;
use domain::memory::{MemoryCustomers, MemoryInventory, sample};
use domain::ports::OrderStore;
use domain::use_cases::{OrderRequest, PlaceOrder, get_order};
use engine::Engine;
use lambda_http::Request;

/// The part of a request's processor time that its line may take.
const BUDGET: f64 = 0.15;

/// Requests of each kind; enough that the figures of two runs differ by a few per cent.
const REQUESTS: u32 = 400;

/// Processor time of this thread, in nanoseconds. The engine has a thread of its own.
fn processor_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

fn request(sample: &str) -> Request {
    lambda_http::request::from_str(&testing::sample_text(sample)).unwrap()
}

/// The median nanoseconds of a request, with its line and without, in turns: what else the machine does meets both.
async fn measured<F: Future<Output = Result<Reply, Problem>>>(
    sample: &str,
    handle: impl Fn(ApiRequest) -> F,
) -> (u64, u64) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for n in 0..REQUESTS + 50 {
        let (one, other) = (request(sample), request(sample));
        let begun = processor_time();
        let (request, exchange) = Exchange::begin_plain(one);
        assert!(exchange.answer(handle(request)).await.status().is_success());
        let between = processor_time();
        let request = ApiRequest::new(other);
        let scope = request.call_scope();
        assert!(scope.run(handle(request)).await.unwrap().into_response().status().is_success());
        let ended = processor_time();
        // The first requests connect and fill caches.
        if n >= 50 {
            with.push(between - begun);
            without.push(ended - between);
        }
    }
    (median(with), median(without))
}

fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times[times.len() / 2]
}

async fn get(store: &DynamoStore, request: ApiRequest) -> Result<Reply, Problem> {
    let caller = request.caller(Scope::Read)?;
    Reply::order(&get_order(store, &caller, request.order_id()?).await?, None)
}

type Orders = PlaceOrder<DynamoStore, MemoryCustomers, MemoryInventory, RandomIds>;

/// Without the key of the sample: each request places an order.
async fn create(orders: &Orders, request: ApiRequest) -> Result<Reply, Problem> {
    let caller = request.caller(Scope::Write)?;
    let draft = request.json::<CreateOrder>()?.into_draft()?;
    let stamp = request.stamp(&caller, &SystemClock);
    Reply::placed(&orders.run(OrderRequest { caller, key: None, draft, stamp }).await?)
}

#[tokio::test]
async fn the_line_takes_at_most_15_per_cent_of_a_requests_processor_time() {
    let (send, receive) = std::sync::mpsc::channel();
    let engine = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let engine = Engine::start().await;
            send.send(engine.store(1)).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let store = receive.recv().unwrap();
    store.insert(&sample::order()).await.unwrap();
    let inventory = sample::inventory();
    (1..=3).for_each(|n| inventory.stock(sample::product(n), 1_000_000));
    let (customers, home_region) = (sample::customers(), "eu-central-1".to_owned());
    let orders = PlaceOrder { store: store.clone(), customers, inventory, ids: RandomIds, home_region };
    let got = measured("get-order", |request| get(&store, request)).await;
    let created = measured("create-order", |request| create(&orders, request)).await;
    for (what, (with, without)) in [("GET /orders/{id}", got), ("POST /orders", created)] {
        #[expect(clippy::cast_precision_loss, reason = "a part")]
        let part = (with as f64 - without as f64) / without as f64;
        println!("| {what} | {} us without | {} us with | {:.1} % |", without / 1_000, with / 1_000, part * 100.0);
        assert!(part <= BUDGET, "{what}: the line takes {:.1} %", part * 100.0);
    }
    assert!(!engine.is_finished());
}
