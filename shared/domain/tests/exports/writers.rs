//! Several writers of one export: a record of a stream may come twice, and more than one record may be on its way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::export::{Export, Format, State};
use domain::memory::sample;
use domain::ports::{ExportStore, OrderStore};
use domain::use_cases::Turn;
use tokio::task::JoinSet;

use crate::ports::{Fate, Writing, all, ids, never, order, writing};

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

/// Gives every record of the stream a writer at once, whoever else is at work, until there are none; how many turns that
/// took. A turn that fails is taken again, as the stream does with its batch. Each ends after one part.
async fn streamed(writing: &Writing, export: &Export) -> usize {
    let (mut turns, mut writers) = (0, JoinSet::new());
    let mut records = 1;
    loop {
        for _ in 0..records {
            turns += 1;
            assert!(turns < 1_000, "the turns have no end");
            let (writing, tenant, id, until) = (writing.clone(), export.tenant.clone(), export.id, export.created_at);
            writers.spawn(async move { writing.run(&tenant, id, until).await });
        }
        tokio::task::yield_now().await;
        let failed = match writers.try_join_next() {
            Some(turn) => usize::from(turn.unwrap().is_err()),
            None if writers.is_empty() => return turns,
            None => 0,
        };
        // The record comes when the state is stored, before its writer hears of it.
        records = failed + writing.exports.2.swap(0, Ordering::SeqCst);
    }
}

/// Whether the export is whole, after how many turns, of how many saves.
async fn whole(export: &Export, saves: Arc<Fate>) -> (usize, usize) {
    let mut writing = writing(ORDERS, export, saves).await;
    writing.files.1 = Fate::yielding();
    let turns = streamed(&writing, export).await;
    let stored = writing.exports.load(&export.tenant, export.id).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.written.orders), (State::Succeeded, ORDERS.into()));
    assert_eq!(ids(&writing, export), all(ORDERS));
    (turns, writing.exports.1.calls.load(Ordering::SeqCst))
}

/// A part a turn of ten, and the end.
const TURNS: usize = 10 + 1;

/// Each part is noted and handed over.
const SAVES: usize = 2 * 10 + 1;

#[tokio::test]
async fn a_save_whose_answer_is_lost_leaves_the_file_right_and_costs_one_turn_at_most() {
    let export = sample::export(Format::Csv);
    assert_eq!(whole(&export, Fate::yielding()).await, (TURNS, SAVES));
    let mut doubled = 0;
    for save in 0..SAVES {
        for seed in 0..20 {
            fastrand::seed(seed);
            let (turns, _) = whole(&export, Fate::losing(save)).await;
            assert!((TURNS..=TURNS + 1).contains(&turns), "{turns} turns, seed {seed}, save {save}");
            doubled += turns - TURNS;
        }
    }
    assert!(doubled > 10 * 20, "a lost hand-over hardly doubled a turn: {doubled}");
}

#[tokio::test]
async fn however_many_answers_are_lost_each_costs_one_turn_at_most() {
    let export = sample::export(Format::Csv);
    for seed in 0..200 {
        fastrand::seed(seed);
        let (turns, _) = whole(&export, Fate::losing_many()).await;
        assert!(turns <= TURNS + SAVES, "{turns} turns, seed {seed}");
    }
}
