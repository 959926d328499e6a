//! Orders as the files of exports have them.

use domain::export::Format;
use domain::order::Order;
use domain::ports::{ExportRows, StoreError};

use super::csv;
use crate::wire::OrderView;

/// JSON Lines of orders as `GET /orders/{id}` shows them, but for their history; or a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileRows;

impl ExportRows for FileRows {
    fn begin(&self, format: Format, into: &mut Vec<u8>) -> Result<(), StoreError> {
        match format {
            Format::JsonLines => Ok(()),
            Format::Csv => csv::head(into),
        }
    }

    fn add(&self, format: Format, order: &Order, into: &mut Vec<u8>) -> Result<(), StoreError> {
        let order = OrderView::from(order).without_history();
        let before = into.len();
        let added = match format {
            Format::JsonLines => {
                serde_json::to_writer(&mut *into, &order).map_err(unwritten).map(|()| into.push(b'\n'))
            }
            Format::Csv => csv::row(&order, into),
        };
        added.inspect_err(|_| into.truncate(before))
    }
}

/// An order that cannot be written is like one that cannot be read.
pub(super) fn unwritten(error: impl ToString) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
