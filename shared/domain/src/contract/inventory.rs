//! The contract of [`InventoryService`]. Each function is one rule and panics when the service breaks it; the service
//! given must have nothing reserved. Product 1 has ten units, product 2 five.

#![expect(clippy::expect_used, reason = "a contract reports a broken rule by panicking, as tests do")]

use crate::id::ProductId;
use crate::line::Product;
use crate::memory::sample;
use crate::ports::{ConfirmError, InventoryService, ReserveError};
use crate::reservation::{Reservation, ReservationId, Shortage};

/// What a test needs beside the port.
pub trait Stocked: InventoryService {
    /// Adds a product with this many units.
    fn stock(&self, product: Product, units: u32) -> impl Future<Output = ()> + Send;

    /// Units of a product that nobody has reserved.
    fn free(&self, product: &ProductId) -> impl Future<Output = u32> + Send;

    /// Lets a reservation expire now, unless it was confirmed.
    fn expire(&self, id: ReservationId) -> impl Future<Output = ()> + Send;
}

/// Declares one test per rule for the service that `$make` builds anew for each.
#[macro_export]
macro_rules! inventory_service_contract {
    ($make:expr) => {
        $crate::inventory_service_contract!(@tests $make;
            products_that_do_not_exist_are_missing
            units_are_reserved_once_and_released_once
            all_lines_are_reserved_or_none
            nobody_gets_more_than_there_is
            an_id_has_the_same_lines_for_ever
            a_confirmed_reservation_does_not_expire
            an_expired_reservation_is_made_anew_but_not_confirmed
            what_was_released_is_final
            old_and_new_reserve_the_larger_of_both
            no_more_than_the_old_units_count_as_available
            each_product_counts_by_itself
            a_chain_reserves_the_largest_of_all
            confirming_releases_the_whole_chain_behind
            confirming_leaves_what_replaces_it
            a_chain_whose_middle_ended_is_released_as_well
            siblings_reserve_the_largest_of_all
            confirming_leaves_siblings_as_they_are
            siblings_stay_together_when_what_they_replace_ends
            the_end_of_the_new_leaves_the_old_as_it_was
            the_end_of_the_old_leaves_the_new_what_it_needs
            what_is_gone_counts_nothing
            a_reservation_of_another_order_cannot_be_replaced
        );
    };
    (@tests $make:expr; $($rule:ident)+) => {
        $(#[tokio::test]
        async fn $rule() {
            let service = $make.await;
            $crate::contract::inventory::$rule(&service).await;
        })+
    };
}

fn id(name: &str) -> ReservationId {
    ReservationId::of_attempt(sample::order_id(1), name, 0)
}

fn wanted(name: &str, lines: &[(u32, u32)], replaces: Option<&str>) -> Reservation {
    Reservation {
        id: id(name),
        tenant: sample::tenant(),
        order: sample::order_id(1),
        lines: sample::lines(lines),
        replaces: replaces.map(id),
    }
}

/// A service under test, with ten units of product 1 and five of product 2.
struct Shop<'a, S>(&'a S);

impl<'a, S: Stocked> Shop<'a, S> {
    async fn open(service: &'a S) -> Self {
        service.stock(sample::product(1), 10).await;
        service.stock(sample::product(2), 5).await;
        Self(service)
    }

    async fn try_reserve(&self, name: &str, units: u32, replaces: Option<&str>) -> Result<(), ReserveError> {
        self.0.reserve(&wanted(name, &[(1, units)], replaces)).await
    }

    /// Units of product 1.
    async fn reserve(&self, name: &str, units: u32) {
        assert_eq!(self.try_reserve(name, units, None).await, Ok(()), "{name}");
    }

    async fn replace(&self, old: &str, new: &str, units: u32) {
        assert_eq!(self.try_reserve(new, units, Some(old)).await, Ok(()), "{new} in place of {old}");
    }

    async fn try_confirm(&self, name: &str) -> Result<(), ConfirmError> {
        self.0.confirm(&sample::tenant(), id(name)).await
    }

    async fn confirm(&self, name: &str) {
        assert_eq!(self.try_confirm(name).await, Ok(()), "{name}");
    }

    async fn release(&self, name: &str) {
        assert_eq!(self.0.release(&sample::tenant(), id(name)).await, Ok(()), "{name}");
    }

    /// A reservation ends in one of the two ways that leave the others as they are.
    async fn end(&self, name: &str, expires: bool) {
        if expires { self.0.expire(id(name)).await } else { self.release(name).await }
    }

    async fn free(&self) -> u32 {
        self.0.free(&sample::product(1).id).await
    }

    /// It can be neither confirmed nor reserved any more.
    async fn is_released(&self, name: &str, units: u32) {
        assert_eq!(self.try_confirm(name).await, Err(ConfirmError::NotReserved), "{name}");
        assert_eq!(self.try_reserve(name, units, None).await, Err(ReserveError::Refused), "{name}");
    }
}

fn short(requested: u32, available: u32) -> Result<(), ReserveError> {
    Err(ReserveError::OutOfStock(vec![Shortage { product: sample::product(1).id, requested, available }]))
}

/// The others are answered.
pub async fn products_that_do_not_exist_are_missing(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    let ids = [sample::product(2).id, ProductId::parse("no-such-product").expect("sample"), sample::product(1).id];
    let mut products = shop.0.products(&sample::tenant(), &ids).await.expect("an answer");
    products.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(products, [sample::product(1), sample::product(2)]);
}

/// Every call may be repeated.
pub async fn units_are_reserved_once_and_released_once(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("one", 3).await;
    shop.reserve("one", 3).await;
    assert_eq!(shop.free().await, 7);
    shop.confirm("one").await;
    shop.confirm("one").await;
    shop.reserve("one", 3).await;
    assert_eq!(shop.free().await, 7);
    shop.release("one").await;
    shop.release("one").await;
    assert_eq!(shop.free().await, 10);
}

/// A refusal names what is short, and reserves nothing.
pub async fn all_lines_are_reserved_or_none(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    let short = Shortage { product: sample::product(2).id, requested: 6, available: 5 };
    let outcome = shop.0.reserve(&wanted("one", &[(1, 1), (2, 6)], None)).await;
    assert_eq!(outcome, Err(ReserveError::OutOfStock(vec![short])));
    assert_eq!((shop.free().await, shop.try_confirm("one").await), (10, Err(ConfirmError::NotReserved)));
    shop.reserve("one", 1).await;
}

/// Also when many want it at once.
pub async fn nobody_gets_more_than_there_is(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    let names: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let outcomes = futures_util::future::join_all(names.iter().map(|name| shop.try_reserve(name, 3, None))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == short(3, 1)).count(), 7);
}

/// Another request under its id is refused, and the first stays.
pub async fn an_id_has_the_same_lines_for_ever(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("one", 3).await;
    assert_eq!(shop.try_reserve("one", 4, None).await, Err(ReserveError::Refused));
    assert_eq!(shop.free().await, 7);
    shop.confirm("one").await;
}

/// However long it takes.
pub async fn a_confirmed_reservation_does_not_expire(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("one", 3).await;
    shop.confirm("one").await;
    shop.0.expire(id("one")).await;
    assert_eq!(shop.free().await, 7);
    shop.confirm("one").await;
}

/// An expired reservation is as one that was never made.
pub async fn an_expired_reservation_is_made_anew_but_not_confirmed(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    assert_eq!(shop.try_confirm("one").await, Err(ConfirmError::NotReserved), "never made");
    shop.reserve("one", 3).await;
    shop.0.expire(id("one")).await;
    assert_eq!((shop.free().await, shop.try_confirm("one").await), (10, Err(ConfirmError::NotReserved)));
    shop.reserve("one", 3).await;
    shop.confirm("one").await;
    assert_eq!(shop.free().await, 7);
}

/// Whatever the reservation was before.
pub async fn what_was_released_is_final(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    for name in ["reserved", "confirmed", "expired"] {
        shop.reserve(name, 3).await;
    }
    shop.confirm("confirmed").await;
    shop.0.expire(id("expired")).await;
    for name in ["reserved", "confirmed", "expired", "never seen"] {
        shop.release(name).await;
        shop.is_released(name, 3).await;
    }
    assert_eq!(shop.free().await, 10);
}

/// The units of the old count as available.
pub async fn old_and_new_reserve_the_larger_of_both(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("old", 6).await;
    shop.replace("old", "smaller", 4).await;
    assert_eq!(shop.free().await, 4);
    shop.replace("smaller", "all", 10).await;
    shop.replace("smaller", "all", 10).await;
    assert_eq!(shop.free().await, 0);
}

/// Beyond them the new one needs free units.
pub async fn no_more_than_the_old_units_count_as_available(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("old", 6).await;
    shop.reserve("another", 1).await;
    assert_eq!(shop.try_reserve("new", 10, Some("old")).await, short(10, 9));
    assert_eq!(shop.free().await, 3);
    shop.replace("old", "new", 9).await;
}

/// The larger is that of each product.
pub async fn each_product_counts_by_itself(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("old", 10).await;
    assert_eq!(shop.0.reserve(&wanted("new", &[(1, 4), (2, 5)], Some("old"))).await, Ok(()));
    let other = sample::product(2).id;
    assert_eq!((shop.free().await, shop.0.free(&other).await), (0, 0));
    shop.confirm("new").await;
    assert_eq!((shop.free().await, shop.0.free(&other).await), (6, 0));
}

/// `first` of 6 units, `second` of 2 in place of it, `third` of 4 in place of that.
async fn chain<'a, S: Stocked>(service: &'a S) -> Shop<'a, S> {
    let shop = Shop::open(service).await;
    shop.reserve("first", 6).await;
    shop.replace("first", "second", 2).await;
    shop.replace("second", "third", 4).await;
    shop
}

/// Not only those that are next to each other.
pub async fn a_chain_reserves_the_largest_of_all(service: &impl Stocked) {
    let shop = chain(service).await;
    assert_eq!(shop.free().await, 4);
    shop.replace("third", "fourth", 10).await;
    assert_eq!(shop.free().await, 0);
    assert_eq!(shop.try_reserve("fifth", 11, Some("fourth")).await, short(11, 10));
}

/// For ever, also what was confirmed.
pub async fn confirming_releases_the_whole_chain_behind(service: &impl Stocked) {
    let shop = chain(service).await;
    shop.confirm("first").await;
    shop.confirm("third").await;
    assert_eq!(shop.free().await, 6);
    shop.is_released("first", 6).await;
    shop.is_released("second", 2).await;
    shop.confirm("third").await;
}

/// A replacement ends by itself.
pub async fn confirming_leaves_what_replaces_it(service: &impl Stocked) {
    let shop = chain(service).await;
    shop.confirm("second").await;
    shop.is_released("first", 6).await;
    assert_eq!(shop.free().await, 6);
    shop.confirm("third").await;
    shop.is_released("second", 2).await;
    assert_eq!(shop.free().await, 6);
}

/// What replaced the middle replaces what the middle replaced.
pub async fn a_chain_whose_middle_ended_is_released_as_well(service: &impl Stocked) {
    let shop = chain(service).await;
    shop.confirm("first").await;
    shop.replace("third", "fourth", 1).await;
    shop.end("second", true).await;
    shop.end("third", false).await;
    assert_eq!(shop.free().await, 4, "the first is as it was");
    shop.confirm("fourth").await;
    assert_eq!(shop.free().await, 9);
    shop.is_released("first", 6).await;
}

/// `old` of 6 units, which `one` of 4 and `two` of 7 replace.
async fn siblings<'a, S: Stocked>(service: &'a S) -> Shop<'a, S> {
    let shop = Shop::open(service).await;
    shop.reserve("old", 6).await;
    shop.replace("old", "one", 4).await;
    shop.replace("old", "two", 7).await;
    shop
}

/// All that is linked is one.
pub async fn siblings_reserve_the_largest_of_all(service: &impl Stocked) {
    let shop = siblings(service).await;
    assert_eq!(shop.free().await, 3);
    shop.end("two", true).await;
    assert_eq!(shop.free().await, 4);
    shop.end("one", false).await;
    assert_eq!(shop.free().await, 4);
    shop.confirm("old").await;
}

/// They end by their release or expiry.
pub async fn confirming_leaves_siblings_as_they_are(service: &impl Stocked) {
    let shop = siblings(service).await;
    shop.confirm("one").await;
    shop.is_released("old", 6).await;
    assert_eq!(shop.free().await, 3, "the sibling is as it was");
    shop.confirm("two").await;
    assert_eq!(shop.free().await, 3);
    shop.confirm("one").await;
    shop.release("two").await;
    assert_eq!(shop.free().await, 6);
}

/// Else they would need more than was promised to each.
pub async fn siblings_stay_together_when_what_they_replace_ends(service: &impl Stocked) {
    let shop = siblings(service).await;
    shop.reserve("others", 3).await;
    shop.end("old", true).await;
    assert_eq!(shop.free().await, 0);
    shop.end("two", false).await;
    assert_eq!(shop.free().await, 3);
    shop.confirm("one").await;
}

/// Whether it expires or is released, and whether the old one is confirmed.
pub async fn the_end_of_the_new_leaves_the_old_as_it_was(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("old", 6).await;
    for (name, expires) in [("expires", true), ("is released", false)] {
        shop.replace("old", name, 10).await;
        shop.end(name, expires).await;
        assert_eq!(shop.free().await, 4, "the new one {name}");
        shop.confirm("old").await;
    }
}

/// Whether it needs more or fewer units.
pub async fn the_end_of_the_old_leaves_the_new_what_it_needs(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    for (expires, units) in [(true, 4), (true, 10), (false, 4), (false, 10)] {
        let [old, new] = ["old", "new"].map(|name| format!("{name}, {expires}, {units}"));
        shop.reserve(&old, 6).await;
        shop.replace(&old, &new, units).await;
        shop.end(&old, expires).await;
        assert_eq!(shop.free().await, 10 - units, "{new}");
        shop.confirm(&new).await;
        assert_eq!(shop.free().await, 10 - units, "{new}");
        shop.release(&new).await;
    }
}

/// And is no reason to refuse.
pub async fn what_is_gone_counts_nothing(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("others", 6).await;
    shop.confirm("others").await;
    for name in ["released", "expired"] {
        shop.reserve(name, 4).await;
        shop.end(name, name == "expired").await;
    }
    for (n, old) in ["released", "expired", "never seen"].into_iter().enumerate() {
        let new = n.to_string();
        assert_eq!(shop.try_reserve(&new, 5, Some(old)).await, short(5, 4), "{old}");
        shop.replace(old, &new, 4).await;
        shop.confirm(&new).await;
        shop.release(&new).await;
    }
}

/// One order has nothing to give to another.
pub async fn a_reservation_of_another_order_cannot_be_replaced(service: &impl Stocked) {
    let shop = Shop::open(service).await;
    shop.reserve("old", 6).await;
    let new = Reservation { order: sample::order_id(2), ..wanted("new", &[(1, 1)], Some("old")) };
    assert_eq!(shop.0.reserve(&new).await, Err(ReserveError::Refused));
    assert_eq!(shop.free().await, 4);
    assert_eq!(shop.0.reserve(&Reservation { replaces: None, ..new }).await, Ok(()));
}
