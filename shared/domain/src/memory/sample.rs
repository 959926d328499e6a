//! The sample order that tests and measurements share: two lines, an address, two metadata pairs.

#![expect(clippy::expect_used, reason = "the samples are constants; a bad one must fail every test at once")]

use std::collections::BTreeMap;

use crate::address::{Address, Country};
use crate::caller::{Caller, Scope};
use crate::details::Details;
use crate::draft::OrderDraft;
use crate::export::{Export, Format, Selection};
use crate::history::Stamp;
use crate::id::{CustomerId, ExportId, OrderId, ProductId, TenantId};
use crate::line::{Lines, Product, ProductName, RequestedLines};
use crate::listing::Filter;
use crate::memory::{MemoryCustomers, MemoryInventory};
use crate::metadata::Metadata;
use crate::money::{Currency, Money};
use crate::order::{Contact, Order, Placement, Stock};
use crate::quantity::Quantity;
use crate::reservation::ReservationId;
use crate::shipment::{Shipment, TrackingUrl};
use crate::text::{ExternalReference, Text};
use crate::timestamp::Timestamp;
use crate::trace::TraceParent;

/// The storefront `demo`.
#[must_use]
pub fn tenant() -> TenantId {
    TenantId::parse("demo").expect("sample")
}

/// A caller of the storefront who may do everything.
#[must_use]
pub fn caller() -> Caller {
    Caller { tenant: tenant(), subject: "shop-backend".to_owned(), scopes: Scope::ALL.to_vec(), customer: None }
}

/// A product `sku-<n>` that costs `n` EUR less one cent.
#[must_use]
pub fn product(n: u32) -> Product {
    Product {
        id: ProductId::parse(format!("sku-{n}")).expect("sample"),
        name: ProductName::parse(format!("Product {n}")).expect("sample"),
        unit_price: Money::new(i64::from(n) * 100 - 1, Currency::parse("EUR").expect("sample")),
    }
}

/// Lines of products `sku-<n>`.
#[must_use]
pub fn lines(lines: &[(u32, u32)]) -> RequestedLines {
    let line = |(n, quantity): &(u32, u32)| (product(*n).id, Quantity::new(*quantity).expect("sample"));
    RequestedLines::parse(lines.iter().map(line).collect()).expect("sample")
}

/// What the sample client asks for.
#[must_use]
pub fn draft() -> OrderDraft {
    let text = |value: &str| Text::parse(value).expect("sample");
    OrderDraft {
        customer: CustomerId::parse("cust-1").expect("sample"),
        lines: lines(&[(1, 2), (2, 1)]),
        details: Details {
            shipping_address: Some(Address {
                name: Some(text("Ada Lovelace")),
                line1: text("12 St James's Square"),
                line2: None,
                city: text("London"),
                state: None,
                postal_code: Some(Text::parse("SW1Y 4JH").expect("sample")),
                country: Country::parse("GB").expect("sample"),
                phone: None,
            }),
            metadata: Metadata::parse(BTreeMap::from([
                ("channel".to_owned(), "web".to_owned()),
                ("campaign".to_owned(), "autumn-sale".to_owned()),
            ]))
            .expect("sample"),
            external_reference: Some(ExternalReference::parse("PO-1001").expect("sample")),
            ..Details::default()
        },
    }
}

/// Customer `cust-<n>`.
#[must_use]
pub fn contact(n: u32) -> Contact {
    Contact {
        name: Text::parse(format!("Customer {n}")).expect("sample"),
        email: Text::parse(format!("customer-{n}@shop.example")).expect("sample"),
    }
}

/// The trace of request `n`.
#[must_use]
pub fn trace(n: u32) -> Option<TraceParent> {
    TraceParent::new(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x6f1c_9a52_0000_0000 + u64::from(n), true)
}

/// The stamp of request `n`, `n` seconds into 2026.
#[must_use]
pub fn stamp(n: u32) -> Stamp {
    Stamp {
        at: Timestamp::from_millis(1_767_225_600_000 + i64::from(n) * 1_000),
        actor: "shop-backend".to_owned(),
        request_id: format!("6f1c9a52-0d4e-4c1b-9a51-{n:012}"),
        trace: trace(n),
    }
}

/// An order id.
#[must_use]
pub fn order_id(n: u32) -> OrderId {
    OrderId::parse(&format!("0192f0c1-7a3e-7cc0-8000-{n:012}")).expect("sample")
}

/// A confirmed order of the sample draft.
#[must_use]
pub fn order() -> Order {
    let draft = draft();
    let lines = Lines::priced(&draft.lines, &[product(1), product(2)]).expect("sample");
    Order::place(
        Placement {
            tenant: tenant(),
            id: order_id(1),
            home_region: "eu-central-1".to_owned(),
            draft,
            contact: Some(contact(1)),
            reservation: ReservationId::of_new_order(order_id(1), &lines.requested()),
            stock: Stock::Reserved(lines),
        },
        stamp(1),
    )
}

/// The sample order once its reservation is confirmed.
#[must_use]
pub fn followed_up_order() -> Order {
    order().followed_up(true, &[], stamp(1))
}

/// A pending order with the same id, of which nothing optional is known.
#[must_use]
pub fn bare_order() -> Order {
    let lines = lines(&[(3, 1)]);
    let draft = OrderDraft {
        customer: CustomerId::parse("cust-2").expect("sample"),
        lines: lines.clone(),
        details: Details::default(),
    };
    Order::place(
        Placement {
            tenant: tenant(),
            id: order_id(1),
            home_region: "eu-central-1".to_owned(),
            draft,
            contact: None,
            reservation: ReservationId::of_new_order(order_id(1), &lines),
            stock: Stock::Unknown(Lines::unpriced(&lines)),
        },
        stamp(2),
    )
}

/// Shipping information with every field.
#[must_use]
pub fn shipment() -> Shipment {
    Shipment {
        carrier: Text::parse("Royal Mail").expect("sample"),
        tracking_number: Text::parse("RM123456789GB").expect("sample"),
        tracking_url: Some(TrackingUrl::parse("https://track.example/RM123456789GB").expect("sample")),
        service: Some(Text::parse("express").expect("sample")),
        shipped_at: Some(stamp(3).at),
        estimated_delivery: Some(stamp(5).at),
    }
}

/// An export of all orders of the storefront, which waits for its first turn.
#[must_use]
pub fn export(format: Format) -> Export {
    let selection = Selection { filter: Filter::All, created_after: None, created_before: None };
    let id = ExportId::parse("0192f0c1-7a3e-7cc0-8000-0000000000e1").expect("sample");
    Export::new(tenant(), id, format, selection, stamp(100).at)
}

/// A customer service that knows `cust-1` to `cust-3`.
#[must_use]
pub fn customers() -> MemoryCustomers {
    let known = (1..=3).map(|n| (CustomerId::parse(format!("cust-{n}")).expect("sample"), contact(n)));
    MemoryCustomers { known: Some(known.collect()) }
}

/// An inventory service that has 100 units each of `sku-1` to `sku-3`.
#[must_use]
pub fn inventory() -> MemoryInventory {
    let inventory = MemoryInventory::default();
    for n in 1..=3 {
        inventory.stock(product(n), 100);
    }
    inventory
}
