//! An export takes turns, leaves out what it must, and gives up what is hopeless.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::export::{Export, Format, MOST_ATTEMPTS, MOST_RESTARTS, Selection, State, Status as Shown, Written};
use domain::id::CustomerId;
use domain::listing::Filter;
use domain::memory::sample;
use domain::ports::{Condition, ExportStore, OrderStore};
use domain::status::Status;
use domain::use_cases::Turn;

use crate::ports::{Fate, all, ids, never, order, pending, writing};

#[tokio::test]
async fn a_turn_that_is_over_leaves_the_export_to_the_next() {
    let export = sample::export(Format::JsonLines);
    let writing = writing(100, &export, Arc::new(Fate::default())).await;
    let mut turns = 0;
    loop {
        turns += 1;
        match writing.run(&export.tenant, export.id, export.created_at).await.unwrap() {
            Turn::HandedOver(export) => assert!(export.progress().unwrap().is_waiting),
            Turn::Over(export) => break assert_eq!(export.written.orders, 100),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(turns, 17 + 1, "a part a turn, of six orders, and the end");
    assert_eq!(ids(&writing, &export), all(100));
    assert_eq!(writing.run(&export.tenant, export.id, never()).await, Ok(Turn::Idle));
}

#[tokio::test]
async fn an_export_of_no_orders_has_an_empty_file() {
    for (format, expected) in [(Format::JsonLines, ""), (Format::Csv, "id,version\n")] {
        let export = sample::export(format);
        let writing = writing(0, &export, Arc::new(Fate::default())).await;
        writing.run(&export.tenant, export.id, never()).await.unwrap();
        assert_eq!(writing.files.0.file(&export).unwrap(), expected.as_bytes());
    }
}

#[tokio::test]
async fn only_orders_that_match_are_in_the_file() {
    let customer = |id: &str| Filter::Customer(CustomerId::parse(id).unwrap());
    let at = |n| Some(sample::stamp(n).at);
    for (filter, created_after, created_before, expected) in [
        (Filter::Status(Status::Confirmed), None, None, 30),
        (Filter::Status(Status::Shipped), None, None, 0),
        (customer("cust-1"), at(2), None, 30 - 8),
        (customer("cust-1"), None, at(2), 5),
        (customer("cust-2"), None, None, 0),
    ] {
        let selection = Selection { filter, created_after, created_before };
        let export = Export { selection, ..sample::export(Format::JsonLines) };
        let writing = writing(30, &export, Arc::new(Fate::default())).await;
        writing.run(&export.tenant, export.id, never()).await.unwrap();
        assert_eq!(ids(&writing, &export).len(), expected, "{:?}", export.selection);
    }
}

#[tokio::test]
async fn orders_that_were_placed_after_the_export_was_asked_for_are_not_in_it() {
    let late = sample::stamp(200).at;
    for (created_before, expected) in [(None, 5), (Some(late), 5), (Some(sample::stamp(1).at), 2)] {
        let selection = Selection { filter: Filter::All, created_after: None, created_before };
        let export = Export { selection, created_at: order(3).created_at, ..sample::export(Format::JsonLines) };
        let writing = writing(30, &export, Arc::new(Fate::default())).await;
        writing.run(&export.tenant, export.id, never()).await.unwrap();
        assert_eq!(ids(&writing, &export), all(expected), "{created_before:?}");
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_counted_and_stops_no_other() {
    let export = sample::export(Format::Csv);
    let mut writing = writing(20, &export, Arc::new(Fate::default())).await;
    writing.store.1 = Some(sample::order_id(7));
    let gone = order(9).delete(Duration::ZERO, sample::stamp(500)).unwrap();
    writing.store.update(&order(9), &gone, Condition::Version).await.unwrap();
    let Turn::Over(over) = writing.run(&export.tenant, export.id, never()).await.unwrap() else { panic!("not over") };
    let Written { orders, unreadable, .. } = over.written;
    assert_eq!((orders, unreadable, over.state), (18, 1, State::Succeeded));
    let left_out = [order(7), order(9)].map(|order| order.id.to_string());
    assert_eq!(ids(&writing, &export), all(20).into_iter().filter(|id| !left_out.contains(id)).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_order_is_in_the_file_where_only_its_row_of_the_list_cannot_be_read() {
    let export = sample::export(Format::JsonLines);
    for damaged in [vec![1, 7, 12, 20], (1..=20).collect()] {
        let mut writing = writing(20, &export, Arc::new(Fate::default())).await;
        writing.store.1 = Some(sample::order_id(7));
        for n in damaged {
            writing.store.0.damage_row(sample::order_id(n));
        }
        let turn = writing.run(&export.tenant, export.id, never()).await.unwrap();
        let Turn::Over(over) = turn else { panic!("not over") };
        let Written { orders, unreadable, .. } = over.written;
        assert_eq!((orders, unreadable, over.state), (19, 1, State::Succeeded));
        let left_out = order(7).id.to_string();
        assert_eq!(ids(&writing, &export), all(20).into_iter().filter(|id| *id != left_out).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn an_export_whose_upload_is_lost_begins_anew_and_gives_up_in_the_end() {
    let export = sample::export(Format::JsonLines);
    let writing = writing(50, &export, Arc::new(Fate::default())).await;
    for restarts in 0..=MOST_RESTARTS {
        let Ok(Turn::HandedOver(_)) = writing.run(&export.tenant, export.id, export.created_at).await else {
            panic!("not handed over")
        };
        writing.files.0.lose_uploads();
        match writing.run(&export.tenant, export.id, never()).await.unwrap() {
            Turn::Halted(anew, _) if restarts < MOST_RESTARTS => {
                assert_eq!((anew.written, anew.progress().unwrap().restarts), (Written::default(), restarts + 1));
            }
            Turn::Halted(over, _) => assert_eq!((restarts, over.state), (MOST_RESTARTS, State::Failed)),
            other => panic!("{other:?}"),
        }
    }
    let stored = writing.exports.load(&export.tenant, export.id).await.unwrap().unwrap();
    assert_eq!(stored.status(stored.updated_at), Shown::Failed);
}

#[tokio::test]
async fn an_export_whose_step_fails_waits_behind_the_others_and_is_given_up_in_the_end() {
    let export = sample::export(Format::Csv);
    let writing = writing(5, &export, Fate::failing()).await;
    for attempts in 0..=MOST_ATTEMPTS {
        let Ok(Turn::Halted(halted, _)) = writing.run(&export.tenant, export.id, never()).await else {
            panic!("not halted")
        };
        match halted.progress() {
            Some(progress) => assert_eq!((progress.is_waiting, progress.attempts), (true, attempts + 1)),
            None => assert_eq!((attempts, halted.state), (MOST_ATTEMPTS, State::Failed)),
        }
    }
    assert_eq!(writing.run(&export.tenant, export.id, never()).await, Ok(Turn::Idle));
}

#[tokio::test]
async fn an_order_is_left_out_only_when_the_latest_read_says_so() {
    let export = Export {
        selection: Selection { filter: Filter::Status(Status::Confirmed), created_after: None, created_before: None },
        ..sample::export(Format::Csv)
    };
    let mut writing = writing(20, &export, Arc::new(Fate::default())).await;
    // Reads of order 7 find nothing, those of order 9 what it was before; the list has both.
    writing.store.2 = vec![(sample::order_id(7), None), (sample::order_id(9), Some(pending(9)))];
    writing.run(&export.tenant, export.id, never()).await.unwrap();
    assert_eq!(ids(&writing, &export), all(20));
}

#[tokio::test]
async fn an_export_that_is_expired_is_not_written() {
    let export = sample::export(Format::Csv);
    let writing = writing(5, &export, Arc::new(Fate::default())).await;
    writing.clock.0.store(export.expires_at().as_millis(), Ordering::SeqCst);
    assert_eq!(writing.run(&export.tenant, export.id, never()).await, Ok(Turn::Idle));
}
