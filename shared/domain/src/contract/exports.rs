//! The contract of export stores.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a broken contract must fail the test")]

use crate::export::{Export, Format, Selection, State, Upload, Written};
use crate::id::{CustomerId, ExportId, TenantId};
use crate::listing::{Filter, Position};
use crate::memory::sample;
use crate::ports::{ExportStore, UpdateError};
use crate::status::Status;

/// Declares one test per rule for the store that `$make` builds anew for each.
#[macro_export]
macro_rules! export_store_contract {
    ($make:expr) => {
        $crate::export_store_contract!(@tests $make;
            an_export_reads_back_as_it_was_saved
            an_id_is_taken_until_its_export_expires
            an_export_is_replaced_on_condition_of_its_revision
            an_export_is_nothing_to_another_storefront
            exports_of_a_storefront_count_from_their_creation_until_they_are_over
        );
    };
    (@tests $make:expr; $($rule:ident)+) => {
        $(#[tokio::test]
        async fn $rule() {
            let store = $make.await;
            $crate::contract::exports::$rule(&store).await;
        })+
    };
}

fn selections() -> Vec<Selection> {
    let customer = CustomerId::parse("cust-1").expect("an id");
    let filters = [Filter::All, Filter::Status(Status::Shipped), Filter::Customer(customer)];
    let times =
        [(None, None), (Some(sample::stamp(1).at), Some(sample::stamp(2).at)), (None, Some(sample::stamp(3).at))];
    let selection = |(filter, (created_after, created_before))| Selection { filter, created_after, created_before };
    filters.into_iter().zip(times).map(selection).collect()
}

async fn load(store: &impl ExportStore, export: &Export) -> Export {
    store.load(&export.tenant, export.id).await.expect("an answer").expect("the export")
}

/// Every state, format and filter.
pub async fn an_export_reads_back_as_it_was_saved(store: &impl ExportStore) {
    for (n, selection) in (1..).zip(selections()) {
        let format = if n == 1 { Format::Csv } else { Format::JsonLines };
        let id = ExportId::from_uuid(*sample::order_id(n).as_uuid());
        let mut export = Export { id, selection, ..sample::export(format) };
        assert_eq!(store.insert(&export).await, Ok(None));
        assert_eq!(load(store, &export).await, export);
        let upload = |parts: &[&str]| {
            let parts = parts.iter().map(|part| (*part).to_owned()).collect();
            Upload { id: "upload~1.2_3-4/=".to_owned(), parts }
        };
        let after = Some(Position::of(&sample::order()));
        let more = Written { orders: 7, bytes: 9_000_000_000, unreadable: 1 };
        for step in 1..=6 {
            let now = sample::stamp(100 + step).at;
            export = match step {
                1 => export.with_part(upload(&["\"a\""]), after, false, more, now),
                2 => export.handed_over(now),
                3 => export.restarted(now),
                4 => export.with_part(upload(&["\"a\"", "\"b\""]), after, true, more, now),
                5 => export.put_off(now),
                6 if n == 1 => export.failed(now),
                _ => export.succeeded(now),
            };
            assert_eq!(store.replace(&export).await, Ok(()));
            assert_eq!(load(store, &export).await, export);
        }
    }
}

/// The first of two stays; one that is expired makes room.
pub async fn an_id_is_taken_until_its_export_expires(store: &impl ExportStore) {
    let first = sample::export(Format::Csv);
    assert_eq!(store.insert(&first).await, Ok(None));
    let second = Export { created_at: sample::stamp(200).at, ..sample::export(Format::JsonLines) };
    assert_eq!(store.insert(&second).await, Ok(Some(first.clone())));
    assert_eq!(load(store, &first).await, first);
    let third = Export { created_at: first.expires_at(), updated_at: first.expires_at(), ..second };
    assert_eq!(store.insert(&third).await, Ok(None));
    assert_eq!(load(store, &first).await, third);
}

/// The second of two writers is told, and so is one whose export is gone.
pub async fn an_export_is_replaced_on_condition_of_its_revision(store: &impl ExportStore) {
    let export = sample::export(Format::Csv);
    let (one, other) = (export.handed_over(sample::stamp(101).at), export.failed(sample::stamp(102).at));
    assert_eq!(store.replace(&one).await, Err(UpdateError::Conflict));
    assert_eq!(store.insert(&export).await, Ok(None));
    assert_eq!(store.replace(&one).await, Ok(()));
    for late in [&one, &other] {
        assert_eq!(store.replace(late).await, Err(UpdateError::Conflict));
    }
    let stored = load(store, &export).await;
    assert_eq!((&stored, stored.state == State::Failed), (&one, false));
}

/// The same id names another export, or none.
pub async fn an_export_is_nothing_to_another_storefront(store: &impl ExportStore) {
    let export = sample::export(Format::Csv);
    assert_eq!(store.insert(&export).await, Ok(None));
    let other = TenantId::parse("demo-2").expect("a tenant");
    assert_eq!(store.load(&other, export.id).await, Ok(None));
    let theirs = Export { tenant: other, ..sample::export(Format::JsonLines) };
    assert_eq!(store.insert(&theirs).await, Ok(None));
    assert_eq!(load(store, &export).await, export);
}

/// In every state; no more than are asked for, and no older ones.
pub async fn exports_of_a_storefront_count_from_their_creation_until_they_are_over(store: &impl ExportStore) {
    let second = |n: u32| sample::stamp(1_000 + n).at;
    let export = |n: u32| Export {
        id: ExportId::from_uuid(*sample::order_id(n).as_uuid()),
        created_at: second(n),
        ..sample::export(Format::Csv)
    };
    for n in 1..=4 {
        assert_eq!(store.insert(&export(n)).await, Ok(None));
    }
    let tenant = &sample::tenant();
    for (since, most, expected) in [(1, 10, 4), (1, 3, 3), (2, 10, 3), (4, 10, 1), (5, 10, 0)] {
        assert_eq!(store.running(tenant, second(since), most).await, Ok(expected), "{since} {most}");
    }
    let other = TenantId::parse("demo-2").expect("a tenant");
    assert_eq!(store.running(&other, second(1), 10).await, Ok(0));
    let upload = Upload { id: "upload".to_owned(), parts: vec!["\"a\"".to_owned()] };
    let begun = export(1).with_part(upload, None, true, Written::default(), second(9));
    let steps = [
        (&begun, 4),
        (&begun.succeeded(second(10)), 3),
        (&export(2).failed(second(9)), 2),
        (&export(3).put_off(second(9)), 2),
    ];
    for (export, expected) in steps {
        assert_eq!(store.replace(export).await, Ok(()));
        assert_eq!(store.running(tenant, second(1), 10).await, Ok(expected), "{:?}", export.state);
    }
}
