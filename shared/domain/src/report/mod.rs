//! What a storefront's orders amount to, by day and by what they have in common.

mod day;
mod grouping;
mod rows;
mod sums;

pub use day::Day;
pub use grouping::{Group, GroupBy, GroupKey, Report};
pub use rows::{Row, Rows, Subject, add, difference, rows_of};
pub use sums::{Sums, Times};
