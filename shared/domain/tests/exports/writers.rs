//! Two writers of one export: a record of a stream may come twice.

use domain::export::{Format, State};
use domain::memory::sample;
use domain::ports::{ExportStore, OrderStore};
use domain::use_cases::Turn;

use crate::ports::{Fate, all, ids, never, order, writing};

const ORDERS: u32 = 60;

#[tokio::test]
async fn of_two_writers_one_finishes_and_each_order_is_in_the_file_once() {
    let mut overtaken = 0;
    for seed in 0..300 {
        fastrand::seed(seed);
        let export = sample::export(Format::JsonLines);
        let writing = writing(ORDERS, &export, Fate::yielding()).await;
        let run = || writing.run(&export.tenant, export.id, never());
        // An order that is placed meanwhile is in no list of the export; so the writers see the same.
        let place = async { writing.store.insert(&order(3 * 101)).await.map(drop).unwrap() };
        let (one, other, ()) = tokio::join!(run(), run(), place);
        overtaken += [one.unwrap(), other.unwrap()].into_iter().filter(|turn| *turn == Turn::Overtaken).count();
        // One that began anew waits for its next turn, which the stream gives it.
        while run().await.unwrap() != Turn::Idle {}
        let stored = writing.exports.load(&export.tenant, export.id).await.unwrap().unwrap();
        assert_eq!(stored.state, State::Succeeded, "seed {seed}");
        let written = ids(&writing, &export);
        assert_eq!(stored.written.orders, written.len() as u64, "seed {seed}");
        assert_eq!(written, all(ORDERS), "seed {seed}");
    }
    assert!(overtaken > 100, "the writers hardly met: {overtaken}");
}
