//! The contract of [`OrderStore`]. Each function is one rule and panics when the store breaks it; the store given
//! must be empty, or the tenant `demo` in it.

#![expect(clippy::expect_used, reason = "a contract reports a broken rule by panicking, as tests do")]

use crate::id::TenantId;
use crate::memory::sample;
use crate::order::Order;
use crate::ports::{Inserted, OrderStore};

/// Declares one test per rule for the store that `$make` builds anew for each.
#[macro_export]
macro_rules! order_store_contract {
    ($make:expr) => {
        $crate::order_store_contract!(@tests $make;
            an_order_reads_back_as_it_was_inserted
            an_order_without_optional_fields_reads_back_as_it_was_inserted
            a_taken_id_answers_with_the_order_that_took_it
            an_order_that_was_never_inserted_is_absent
            an_order_of_another_tenant_is_absent
            one_of_many_concurrent_inserts_wins
        );
    };
    (@tests $make:expr; $($rule:ident)+) => {
        $(#[tokio::test]
        async fn $rule() {
            let store = $make.await;
            $crate::contract::store::$rule(&store).await;
        })+
    };
}

async fn inserted(store: &impl OrderStore) -> Order {
    let order = sample::order();
    assert_eq!(store.insert(&order).await, Ok(Inserted::New));
    order
}

/// What is inserted is what is read.
pub async fn an_order_reads_back_as_it_was_inserted(store: &impl OrderStore) {
    let order = inserted(store).await;
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(Some(order)));
}

/// A pending order with unpriced lines and no optional field survives, too.
pub async fn an_order_without_optional_fields_reads_back_as_it_was_inserted(store: &impl OrderStore) {
    let order = sample::bare_order();
    store.insert(&order).await.expect("insert");
    assert_eq!(store.get(&order.tenant, order.id).await, Ok(Some(order)));
}

/// The second insertion of an id changes nothing and shows the first.
pub async fn a_taken_id_answers_with_the_order_that_took_it(store: &impl OrderStore) {
    let first = inserted(store).await;
    let second = sample::bare_order();
    assert_eq!(second.id, first.id);
    assert_eq!(store.insert(&second).await, Ok(Inserted::Existing(Box::new(first.clone()))));
    assert_eq!(store.get(&first.tenant, first.id).await, Ok(Some(first)));
}

/// An unknown id is no error.
pub async fn an_order_that_was_never_inserted_is_absent(store: &impl OrderStore) {
    assert_eq!(store.get(&sample::tenant(), sample::order_id(404)).await, Ok(None));
}

/// An order belongs to one tenant.
pub async fn an_order_of_another_tenant_is_absent(store: &impl OrderStore) {
    let order = inserted(store).await;
    let other = TenantId::parse("other").expect("sample");
    assert_eq!(store.get(&other, order.id).await, Ok(None));
}

/// Of concurrent insertions of one id, one is new and the others see it.
pub async fn one_of_many_concurrent_inserts_wins(store: &impl OrderStore) {
    let order = sample::order();
    let outcomes = futures_util::future::join_all((0..10).map(|_| store.insert(&order))).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(Inserted::New)).count(), 1);
    let existing = Ok(Inserted::Existing(Box::new(order)));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == existing).count(), 9);
}
