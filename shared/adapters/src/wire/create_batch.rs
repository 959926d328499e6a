//! The body of `POST /orders/batch`.

use domain::invalid::{Invalid, InvalidCode};
use domain::use_cases::MAX_BATCH;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::problem::{Fields, Problem};

/// What a client sends to place several orders.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateBatch {
    /// The orders, each as in `POST /orders`. One that breaks a rule is refused alone.
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<super::CreateOrder>", length(min = 1, max = MAX_BATCH)))]
    orders: Vec<Box<RawValue>>,
}

impl CreateBatch {
    /// The text of each order, which is read by itself.
    ///
    /// # Errors
    /// [`crate::problem::Code::ValidationFailed`] for none and for more than [`MAX_BATCH`].
    pub fn into_items(self) -> Result<Vec<Box<RawValue>>, Problem> {
        let mut fields = Fields::default();
        let counted = match self.orders.len() {
            0 => Err(Invalid::new(InvalidCode::Empty, "must not be empty")),
            1..=MAX_BATCH => Ok(self.orders),
            _ => Err(Invalid::new(InvalidCode::TooMany, format_args!("must have at most {MAX_BATCH} orders"))),
        };
        let orders = fields.check("/orders", counted);
        fields.finish(orders)
    }
}
