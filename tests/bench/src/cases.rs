//! What is measured: each function, its events, and what it is compared with.

use serde_json::{Value, json};

use crate::Failure;
use crate::measure::ORDERS;
use crate::process::Function;
use crate::world::{Partners, World};
use crate::{Programs, text};

/// A function and the baseline that it is measured beside.
pub struct Case {
    pub name: &'static str,
    pub program: &'static str,
    pub baseline: &'static str,
    pub partners: Partners,
    /// `None` for a function that no request starts: its start and its size are measured alone.
    pub events: Option<Events>,
}

/// What the n-th invocation is given.
#[derive(Clone, Copy)]
pub enum Events {
    /// The sample, as it is.
    Sample,
    /// The sample with the token of the simulator.
    Token,
    /// The sample with another idempotency key each time.
    NewKey,
    /// The sample with another product each time.
    NewProduct,
    /// The sample, about the same order each time.
    OneOrder,
    /// The sample, about another order each time.
    NextOrder,
}

/// A function that is compared with this baseline, and asks the fakes.
pub const fn case(name: &'static str, baseline: &'static str, events: Option<Events>) -> Case {
    Case { name, program: name, baseline, partners: Partners::Fakes, events }
}

/// Every function of the template.
pub const CASES: [Case; 26] = [
    case("get-health", "hello-floor", Some(Events::Sample)),
    case("authorize", "hello-floor", Some(Events::Token)),
    case("get-order", "bare-get", Some(Events::OneOrder)),
    case("list-orders", "bare-get", Some(Events::Sample)),
    case("create-order", "bare-put", Some(Events::NewKey)),
    Case {
        name: "create-order, with partners",
        program: "create-order",
        baseline: "bare-put",
        partners: Partners::Real,
        events: Some(Events::NewKey),
    },
    case("update-order", "bare-put", Some(Events::NextOrder)),
    case("update-status", "bare-put", Some(Events::NextOrder)),
    case("update-shipping", "bare-put", Some(Events::NextOrder)),
    case("delete-order", "bare-put", Some(Events::NextOrder)),
    case("create-batch", "bare-put", Some(Events::NewKey)),
    case("get-report", "bare-get", Some(Events::Sample)),
    // The same export each time: only a few may run at once.
    case("create-export", "bare-put", Some(Events::Sample)),
    case("get-export", "bare-get", None),
    case("get-metrics", "hello-floor", None),
    case("connect-socket", "hello-floor", None),
    case("disconnect-socket", "hello-floor", None),
    case("subscribe-orders", "hello-floor", None),
    case("push-updates", "hello-floor", None),
    case("count-orders", "hello-floor", None),
    case("write-export", "hello-floor", None),
    case("publish-events", "hello-floor", None),
    case("record-events", "hello-floor", None),
    case("reconcile-events", "hello-floor", None),
    case("run-follow-ups", "hello-floor", None),
    case("sweep-follow-ups", "hello-floor", None),
];

/// The events of a case, and the orders that they are about.
pub struct Orders {
    case: &'static str,
    /// Tells apart the keys of several runs of a case on one table.
    run: usize,
    ids: Vec<String>,
    token: String,
}

impl Orders {
    /// Places those that the events of a case are about.
    pub async fn place(case: &Case, run: usize, programs: &Programs, world: &World) -> Result<Self, Failure> {
        let count = match case.events {
            Some(Events::NextOrder) => ORDERS,
            // One for the baseline, which may read it.
            _ => 1,
        };
        let mut create = Function::start(&programs.path("create-order"), &world.settings(Partners::Fakes)).await?;
        let mut orders = Self { case: case.name, run, ids: Vec::new(), token: world.token().await? };
        for n in 0..count {
            let placed = create.invoke(&orders.event("create-order", Events::NewKey, usize::MAX - n)?).await?;
            let answer: Value = serde_json::from_slice(&placed.answer)?;
            let order: Value = serde_json::from_str(text(&answer, "body")?)?;
            orders.ids.push(text(&order, "id")?.to_owned());
        }
        Ok(orders)
    }

    /// The event of the n-th invocation of `program`.
    pub fn event(&self, program: &str, events: Events, n: usize) -> Result<Value, Failure> {
        let mut event = sample(program)?;
        match events {
            Events::Sample => {}
            Events::Token => event["authorizationToken"] = json!(format!("Bearer {}", self.token)),
            Events::NewProduct => {
                let product = json!({"id": self.key(n), "name": "Product sku-1", "price": 9.9});
                event["pathParameters"] = json!({"id": product["id"]});
                event["body"] = json!(product.to_string());
            }
            Events::NewKey => {
                let key = self.key(n);
                event["multiValueHeaders"]["idempotency-key"] = json!([key]);
                event["headers"]["idempotency-key"] = json!(key);
            }
            Events::OneOrder => event["pathParameters"]["id"] = json!(self.ids.first()),
            Events::NextOrder => event["pathParameters"]["id"] = json!(self.ids.get(n)),
        }
        Ok(event)
    }

    /// No other invocation of any run has it.
    fn key(&self, n: usize) -> String {
        format!("{}-{}-{n}", self.case.replace(' ', ""), self.run)
    }
}

/// The event of `events/`; a baseline takes that of the function it is beside.
fn sample(program: &str) -> Result<Value, Failure> {
    let name = match program {
        "hello-floor" => "get-health",
        "bare-get" => "get-order",
        "bare-put" | "sample-put" => "create-order",
        function => function,
    };
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

/// What a baseline is given.
pub const fn baseline_events(baseline: &str) -> Events {
    match baseline.as_bytes() {
        b"bare-get" => Events::OneOrder,
        b"bare-put" => Events::NewKey,
        _ => Events::Sample,
    }
}
