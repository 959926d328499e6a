//! Rules broken on purpose, one at a time: the simulation must notice each.

use crate::run::run;

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A replay is not compared with the first request.
    FingerprintUnchecked,
    /// A new order replaces one of the same id.
    InsertOverwrites,
    /// A change is written whatever version is stored.
    UpdateOverwrites,
    /// A put that was throttled counts as done.
    ThrottledIsStored,
    /// Every attempt of a request makes an id of its own.
    KeyIgnored,
    /// `FailedEntryCount` is not read.
    FailedEntriesIgnored,
    /// The stream resumes at the last failure instead of the first.
    LastFailureIsCheckpoint,
    /// A batch counts as done although its function died.
    CrashedBatchIsDone,
    /// After an event that failed the order's next is sent.
    OrderGoesOnAfterFailure,
    /// The feed's deduplication id is that of the version, not of the event.
    FeedDeduplicatesByVersion,
    /// An event is sent before its change is committed.
    PublishedBeforeCommit,
    /// A canceled order's reservation is released before the change is committed.
    ReleasedBeforeCommit,
    /// A request that is throttled releases its reservation, which may be that of an earlier one.
    ThrottledIsReleased,
    /// A reservation that is confirmed a second time takes its units a second time.
    ConfirmTakesAgain,
    /// A confirmation without an answer counts as done.
    UnansweredIsConfirmed,
    /// What was released can be reserved again.
    ReleasedIsReservedAgain,
    /// An edit that lost does not release what it reserved.
    LostEditKeepsItsReservation,
    /// Two edits of an order to the same lines share one reservation.
    ReservationIdIsShared,
    /// What identifies an attempt is an id that clients choose.
    AttemptIdIsTheClients,
    /// An order is shipped whatever its reservation is.
    ShippedBeforeConfirmed,
    /// An erased order leaves nothing behind.
    TombstoneIsRemoved,
    /// A definite refusal of a partner counts as an outage.
    RefusalIsAnOutage,
    /// A follow-up that failed is not due again.
    FailedFollowUpIsForgotten,
    /// Lines are reserved in place of the newest of the unreleased reservations, and of no other.
    OnlyTheNewestIsReplaced,
    /// A follow-up releases what an order no longer wants before it confirms what it wants.
    ReleasedBeforeConfirmed,
    /// An order is counted in the reports whatever was counted before.
    CountedRegardless,
    /// An order that could not be counted is not tried again.
    UncountedIsDone,
}

/// The first seed whose run notices the bug, for this reason, and what it says.
fn noticed(bug: Bug, reason: &str) -> Option<(u64, String)> {
    let violations = (0..crate::DEFAULT_SEEDS).map(|seed| (seed, run(seed, Some(bug), false).violation));
    violations.filter_map(|(seed, violation)| Some((seed, violation?))).find(|(_, text)| text.contains(reason))
}

macro_rules! noticed {
    ($($name:ident: $bug:ident, $reason:literal;)*) => { $(
        #[test]
        fn $name() {
            let (seed, violation) = noticed(Bug::$bug, $reason).expect("the simulation does not notice it");
            println!("{:?}: noticed after {} seeds: {violation}", Bug::$bug, seed + 1);
        }
    )* };
}

noticed! {
    a_fingerprint_that_is_not_checked_is_noticed: FingerprintUnchecked, "is not what its client asked for";
    an_insert_that_overwrites_is_noticed: InsertOverwrites, "overwrote version";
    an_update_that_overwrites_is_noticed: UpdateOverwrites, "overwrote version";
    a_throttled_put_that_counts_as_done_is_noticed: ThrottledIsStored, "was acknowledged and does not exist";
    an_idempotency_key_that_is_ignored_is_noticed: KeyIgnored, "is there twice";
    failed_entries_that_are_not_read_are_noticed: FailedEntriesIgnored, "never had";
    a_checkpoint_at_the_last_failure_is_noticed: LastFailureIsCheckpoint, "never had";
    a_batch_that_counts_as_done_after_a_crash_is_noticed: CrashedBatchIsDone, "never had";
    an_order_that_goes_on_after_a_failed_event_is_noticed: OrderGoesOnAfterFailure, "the feed of";
    a_deduplication_id_that_is_too_broad_is_noticed: FeedDeduplicatesByVersion, "the feed never had";
    an_event_before_its_commit_is_noticed: PublishedBeforeCommit, "the history has None";
    a_release_before_the_commit_is_noticed: ReleasedBeforeCommit, "its reservation is not permanent";
    a_reservation_released_by_a_throttled_replay_is_noticed: ThrottledIsReleased, "without a cause: reservation_refused";
    a_reservation_confirmed_twice_is_noticed: ConfirmTakesAgain, "free,";
    a_confirmation_without_an_answer_is_noticed: UnansweredIsConfirmed, "its reservation is not permanent";
    a_released_reservation_that_is_made_again_is_noticed: ReleasedIsReservedAgain, "free,";
    a_lost_edit_that_keeps_its_reservation_is_noticed: LostEditKeepsItsReservation, "free,";
    an_order_canceled_beside_its_own_stock_is_noticed: OnlyTheNewestIsReplaced, "still has units";
    a_release_before_the_confirmation_is_noticed: ReleasedBeforeConfirmed, "was released before";
    a_reservation_that_two_edits_share_is_noticed: ReservationIdIsShared, "without a cause: reservation_refused";
    an_attempt_id_that_clients_choose_is_noticed: AttemptIdIsTheClients, "were acknowledged";
    an_order_shipped_before_its_reservation_is_confirmed_is_noticed: ShippedBeforeConfirmed, "before its reservation was confirmed";
    a_tombstone_that_is_removed_is_noticed: TombstoneIsRemoved, "is not answered with gone";
    a_refusal_taken_for_an_outage_is_noticed: RefusalIsAnOutage, "Complete";
    a_failed_follow_up_that_is_forgotten_is_noticed: FailedFollowUpIsForgotten, "is still pending";
    an_order_that_is_counted_twice_is_noticed: CountedRegardless, "the reports lack";
    an_order_that_is_not_counted_is_noticed: UncountedIsDone, "the reports lack";
}
