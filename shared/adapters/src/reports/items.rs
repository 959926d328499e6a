//! The items of the reports' table. No part of a key but a product's id can hold a `#`.
//!
//! | item | `pk` | `sk` | members |
//! | --- | --- | --- | --- |
//! | a part of a row | `rows#<tenant>#<generation>#<s or p>#<shard>` | `<day>#<status or product>#<currency>` | [`PARTS`] |
//! | what is counted of an order | `order#<tenant>#<order id>` | `-` | `n`: revision, `v`: version of the order, `g`: generation, `r`: rows by their `sk`, each a list of [`PARTS`] |
//! | how rows are kept | `generations` | `-` | `c`: the generation in which orders are counted, `r`: the one that is read, `h`: over how many shards rows were ever spread |

use std::collections::HashMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use domain::id::{ProductId, TenantId};
use domain::money::Currency;
use domain::ports::{Counted, OrderKey, RowsQuery, Step, StoreError};
use domain::report::{Day, Row, Subject, Sums};
use domain::status::Status;
use sha2::{Digest, Sha256};

/// The partition key.
pub(super) const KEY: &str = "pk";
/// The sort key.
pub(super) const SORT: &str = "sk";
/// The sort key of an item that is alone in its partition.
pub(super) const ALONE: &str = "-";
/// The key of how rows are kept.
pub(super) const LAYOUT: &str = "generations";
/// Over how many shards rows were ever spread.
pub(super) const SHARDS: &str = "h";

/// The members of [`Sums::to_parts`].
const PARTS: [&str; 8] = ["o", "i", "v", "c", "s", "st", "d", "dt"];

const REVISION: &str = "n";
const VERSION: &str = "v";
const GENERATION: &str = "g";
const ROWS: &str = "r";

pub(super) type Item = HashMap<String, AttributeValue>;

/// The key of what is counted of an order.
pub(super) fn order(order: &OrderKey) -> String {
    format!("order#{}#{}", order.tenant, order.id)
}

/// The partition of a part of a row. Statuses are few and in every order: any shard may have a part of each. Products are
/// many, and reports of them large: a product is in one shard, so that its row has one part.
pub(super) fn partition(tenant: &TenantId, generation: u64, subject: &Subject, shards: u32, any: u32) -> String {
    match subject {
        Subject::Status(_) => key_of_rows(tenant, generation, false, any),
        Subject::Product(product) => key_of_rows(tenant, generation, true, shard_of(product, shards)),
    }
}

fn shard_of(product: &ProductId, shards: u32) -> u32 {
    let hash = Sha256::digest(product.as_str());
    hash.first_chunk().map_or(0, |first| u32::from_be_bytes(*first) % shards)
}

/// The partition that a query reads.
pub(super) fn partition_of(query: &RowsQuery, generation: u64, shard: u32) -> String {
    key_of_rows(&query.tenant, generation, query.of_products, shard)
}

fn key_of_rows(tenant: &TenantId, generation: u64, of_products: bool, shard: u32) -> String {
    format!("rows#{tenant}#{generation}#{}#{shard}", if of_products { "p" } else { "s" })
}

/// The sort key of a row.
pub(super) fn sort(row: &Row) -> String {
    let currency = row.currency.as_ref().map_or("", Currency::as_str);
    match &row.subject {
        Subject::Status(status) => format!("{}#{status}#{currency}", row.day),
        Subject::Product(product) => format!("{}#{product}#{currency}", row.day),
    }
}

/// The first and the last sort key that a query asks for. `$` follows `#`.
pub(super) fn range(query: &RowsQuery) -> (String, String) {
    (format!("{}#", query.from), format!("{}$", query.to))
}

fn parse_sort(key: &str, of_products: bool) -> Option<Row> {
    let (day, rest) = key.split_once('#')?;
    let (name, currency) = rest.rsplit_once('#')?;
    let currency = Some(currency).filter(|code| !code.is_empty()).map(Currency::restore).transpose().ok()?;
    let subject = match of_products {
        true => Subject::Product(ProductId::restore(name)),
        false => Subject::Status(Status::restore(name)),
    };
    Some(Row { day: Day::parse(day).ok()?, subject, currency })
}

/// A row and its part.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn read_row(item: &Item, of_products: bool) -> Result<(Row, Sums), StoreError> {
    let row = item.get(SORT).and_then(|key| parse_sort(key.as_s().ok()?, of_products));
    // A member that was never added to is absent.
    let parts = PARTS.map(|name| item.get(name).map_or(Some(0), number));
    row.zip(sums(parts)).ok_or_else(|| corrupt("a row"))
}

fn sums(parts: [Option<i128>; 8]) -> Option<Sums> {
    let mut all = [0; 8];
    for (to, from) in all.iter_mut().zip(parts) {
        *to = from?;
    }
    Sums::from_parts(all)
}

/// What is counted of an order, in this generation.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn read_counted(item: Option<Item>, generation: u64) -> Result<Counted, StoreError> {
    let Some(item) = item else { return Ok(Counted { generation, ..Counted::default() }) };
    let whole = |name| item.get(name).and_then(number).and_then(|number| u64::try_from(number).ok());
    let revision = whole(REVISION).ok_or_else(|| corrupt("what is counted of an order"))?;
    if whole(GENERATION) != Some(generation) {
        return Ok(Counted { revision, generation, ..Counted::default() });
    }
    let rows = item.get(ROWS).and_then(|rows| rows.as_m().ok()?.iter().map(counted_row).collect());
    let (version, rows) = whole(VERSION).zip(rows).ok_or_else(|| corrupt("what is counted of an order"))?;
    Ok(Counted { revision, version, generation, rows })
}

fn counted_row((key, parts): (&String, &AttributeValue)) -> Option<(Row, Sums)> {
    let (kind, key) = key.split_at_checked(1)?;
    let parts: Option<Vec<i128>> = parts.as_l().ok()?.iter().map(number).collect();
    Some((parse_sort(key, kind == "p")?, Sums::from_parts(parts?.try_into().ok()?)?))
}

/// Puts what is counted of an order after a step in the place of what was before.
pub(super) fn put_counted(table: &str, step: &Step) -> Result<TransactWriteItem, StoreError> {
    let Counted { revision, version, generation, rows } = step.after();
    let rows = rows.iter().map(|(row, sums)| {
        let kind = match row.subject {
            Subject::Status(_) => "s",
            Subject::Product(_) => "p",
        };
        let parts = sums.to_parts().into_iter().map(of_number).collect();
        (format!("{kind}{}", sort(row)), AttributeValue::L(parts))
    });
    let put = Put::builder()
        .table_name(table)
        .item(KEY, AttributeValue::S(order(&step.order)))
        .item(SORT, AttributeValue::S(ALONE.to_owned()))
        .item(REVISION, of_number(revision.into()))
        .item(VERSION, of_number(version.into()))
        .item(GENERATION, of_number(generation.into()))
        .item(ROWS, AttributeValue::M(rows.collect()));
    let put = match step.before.revision {
        0 => put.condition_expression("attribute_not_exists(pk)"),
        before => put.condition_expression("n = :n").expression_attribute_values(":n", of_number(before.into())),
    };
    Ok(TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build())
}

/// Adds to a part of a row.
pub(super) fn add(table: &str, partition: String, sort: String, sums: Sums) -> Result<TransactWriteItem, StoreError> {
    let mut update =
        Update::builder().table_name(table).key(KEY, AttributeValue::S(partition)).key(SORT, AttributeValue::S(sort));
    let mut additions = Vec::new();
    for (name, part) in PARTS.into_iter().zip(sums.to_parts()).filter(|(_, part)| *part != 0) {
        additions.push(format!("{name} :{name}"));
        update = update.expression_attribute_values(format!(":{name}"), of_number(part));
    }
    let update = update.update_expression(format!("ADD {}", additions.join(", ")));
    Ok(TransactWriteItem::builder().update(update.build().map_err(unbuilt)?).build())
}

/// How rows are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// The generation in which orders are counted.
    pub counting: u64,
    /// The generation that is read: another while all orders are counted anew.
    pub reading: u64,
    /// Over how many shards rows were ever spread.
    pub shards: u32,
}

impl Layout {
    pub fn read(item: Option<Item>) -> Result<Self, StoreError> {
        let Some(item) = item else { return Ok(Self { counting: 0, reading: 0, shards: 0 }) };
        let whole = |name| item.get(name).map_or(Some(0), number).ok_or_else(|| corrupt("how rows are kept"));
        let unfit = |_| corrupt("how rows are kept");
        Ok(Self {
            counting: whole("c")?.try_into().map_err(unfit)?,
            reading: whole("r")?.try_into().map_err(unfit)?,
            shards: whole(SHARDS)?.try_into().map_err(unfit)?,
        })
    }
}

fn number(value: &AttributeValue) -> Option<i128> {
    value.as_n().ok()?.parse().ok()
}

pub(super) fn of_number(number: i128) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} of the reports cannot be read"))
}

fn unbuilt(error: BuildError) -> StoreError {
    StoreError::Rejected(error.to_string())
}
