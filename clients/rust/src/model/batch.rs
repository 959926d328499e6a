//! What became of the orders of a batch.

use serde::Deserialize;
use serde_json::Value;

use super::Order;
use crate::key::IdempotencyKey;
use crate::problem::Problem;

/// A batch that was answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// What became of each order, in the order in which they were sent.
    pub results: Vec<Result<BatchOrder, Box<Problem>>>,
    /// The key it was sent under. The same batch under this key again finds the orders that were placed, and tries the
    /// others again.
    pub idempotency_key: IdempotencyKey,
}

/// An order of a batch that was placed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BatchOrder {
    /// The order as it is now. It is `pending` while a partner of the service cannot be asked.
    pub order: Order,
    /// Whether an earlier request with this key had placed it.
    pub is_replayed: bool,
}

/// The answer to a batch.
#[derive(Debug, Deserialize)]
pub(crate) struct Results {
    pub results: Vec<Answered>,
}

/// The answer to one order of a batch.
#[derive(Debug, Deserialize)]
#[serde(try_from = "AnsweredJson")]
pub(crate) struct Answered(Result<BatchOrder, Box<Problem>>);

#[derive(Deserialize)]
struct AnsweredJson {
    status: u16,
    #[serde(default)]
    replayed: Option<bool>,
    order: Option<Order>,
    problem: Option<Value>,
}

impl TryFrom<AnsweredJson> for Answered {
    type Error = &'static str;

    fn try_from(json: AnsweredJson) -> Result<Self, Self::Error> {
        let AnsweredJson { status, replayed, order, problem } = json;
        if let Some(order) = order {
            return Ok(Self(Ok(BatchOrder { order, is_replayed: replayed == Some(true) })));
        }
        let problem = problem.and_then(|body| Problem::of(status, None, &body));
        problem.map(|problem| Self(Err(Box::new(problem)))).ok_or("neither an order nor a problem")
    }
}

impl Batch {
    pub(crate) fn new(answer: Results, idempotency_key: IdempotencyKey) -> Self {
        Self { results: answer.results.into_iter().map(|Answered(result)| result).collect(), idempotency_key }
    }
}
