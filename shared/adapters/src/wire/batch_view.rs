//! What became of each order of a batch, as clients see it.

use domain::use_cases::Placed;
use serde::Serialize;
use serde_json::Value;

use super::OrderView;

/// What became of a batch.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "BatchResults"))]
pub struct BatchView<'a> {
    /// One result for each order of the request, in its order.
    pub results: Vec<ResultView<'a>>,
}

/// What became of one order: `order` or `problem`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema), schemars(rename = "BatchResult"))]
pub struct ResultView<'a> {
    /// The order's place in the request, from 0.
    index: usize,
    /// The HTTP status that `POST /orders` would have answered with.
    #[cfg_attr(feature = "schemas", schemars(range(min = 201, max = 599)))]
    status: u16,
    /// With `order`: whether an earlier request with the same key placed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    /// The order as it is now, with the newest entry of its history.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderView<'a>>,
    /// Why there is no order. Its pointers lead into this order's part of the request.
    #[cfg_attr(feature = "schemas", schemars(with = "Option<crate::problem::ProblemView>"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Value>,
}

impl<'a> ResultView<'a> {
    /// An order that was placed.
    #[must_use]
    pub fn placed(index: usize, status: u16, placed: &'a Placed) -> Self {
        let order = Some(OrderView::from(&placed.order).with_newest_entry());
        Self { index, status, replayed: Some(placed.replayed), order, problem: None }
    }

    /// An order that was not.
    #[must_use]
    pub const fn refused(index: usize, status: u16, problem: Value) -> Self {
        Self { index, status, replayed: None, order: None, problem: Some(problem) }
    }
}
